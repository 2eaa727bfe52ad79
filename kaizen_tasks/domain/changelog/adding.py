"""Adding an entry under `[Unreleased]`, and the changelog of a project that has none yet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.edit import Splice, spliced
from kaizen_tasks.domain.changelog.entries import CHANGE_TYPES, ChangeType, Entry, Group, nearest_type
from kaizen_tasks.domain.changelog.headings import Title, framed
from kaizen_tasks.domain.changelog.markdown.lines import BOM, ends_blank, ends_line, newline_at, newline_before
from kaizen_tasks.domain.changelog.model import demand_unreleased, parse
from kaizen_tasks.errors import Refused, UsageError

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.model import Changelog, Section

_EMPTY = b"""\
# Changelog

All notable changes to this project are documented in this file.

The format is based on [Keep a Changelog](https://keepachangelog.com/en/2.0.0/),
and this project adheres to [Semantic Versioning](https://semver.org/spec/v2.0.0.html).

## [Unreleased]
"""
_NEWLINES = re.compile(r"\r\n?|\n")
_MODELS = 20
"""How many sections are looked at to learn the bullet of a file."""


def empty() -> bytes:
    """Return a changelog without releases."""
    return _EMPTY


def add(content: bytes, *, kind: str, text: str, breaking: bool = False) -> bytes:
    """Add an entry to the group of its type under `[Unreleased]`; what is missing is made.

    Args:
        content: the changelog.
        kind: one of the six types, in any case.
        text: the entry in Markdown; further lines are indented.
        breaking: mark it with `**Breaking:**`.

    Raises:
        UsageError: there is no such type, or the entry says nothing.
        Refused: there are several `[Unreleased]`, or the entry would not be read as it was written.
    """
    change = _change_type(kind)
    lines = _entry_lines(text, breaking=breaking)
    log = parse(content)
    if not log.unreleased:
        log = parse(_with_unreleased(log))
    unreleased = demand_unreleased(log)
    result = spliced(log.content, [_splice(log, unreleased, change, lines)])
    _prove(result, log, change, "\n".join(lines))
    return result


def _change_type(kind: str) -> ChangeType:
    found = next((name for name in CHANGE_TYPES if name.casefold() == kind.strip().casefold()), None)
    if found:
        return found
    near = nearest_type(kind)
    raise UsageError(
        f"--type {kind}: no such type of change" + (f"; did you mean {near.lower()}?" if near else ""),
        hint=f"choose one of {', '.join(name.lower() for name in CHANGE_TYPES)}",
    )


def _entry_lines(text: str, *, breaking: bool) -> list[str]:
    lines = [line.rstrip() for line in _NEWLINES.split(text.strip())]
    if not lines[0]:
        raise UsageError("--text: the entry says nothing", hint="say what changes for the people who use it")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"--text: character {error.start + 1} cannot be written as UTF-8") from error
    return [f"**Breaking:** {lines[0]}" if breaking else lines[0], *lines[1:]]


def _with_unreleased(log: Changelog) -> bytes:
    """Put an empty `[Unreleased]` above the first release, or at the end of a file without any."""
    first = log.sections[0] if log.sections else None
    at = first.start if first else len(log.content)
    newline = newline_at(log.content, at)
    title = Title(name="Unreleased", bracketed=first.title.bracketed if first else True)
    heading = framed(title.written(), first.heading_lines if first else ("##",))
    lead = b"" if first else _lead(log.content, at, newline)
    new = lead + newline.join(line.encode() for line in heading) + newline + (newline if first else b"")
    return spliced(log.content, [Splice(start=at, end=at, new=new)])


def _lead(content: bytes, at: int, newline: bytes) -> bytes:
    """Return the line endings that make a blank line before a place."""
    if not content[:at].removeprefix(BOM):
        return b""
    if not ends_line(content, at):
        return newline * 2
    return b"" if ends_blank(content, at) else newline


def _splice(log: Changelog, unreleased: Section, change: ChangeType, lines: list[str]) -> Splice:
    group = next((one for one in unreleased.groups if one.type == change), None)
    bullet = _bullet(log, group)
    indent = " " * len(bullet)
    written = [bullet + lines[0], *(indent + line if line else "" for line in lines[1:])]
    if group:
        return _into_group(log.content, group, written)
    later = CHANGE_TYPES[CHANGE_TYPES.index(change) + 1 :]
    follower = next((one for one in unreleased.groups if one.type in later), None)
    heading = [f"### {change}", "", *written]
    if follower:
        return _insertion(log.content, follower.start, heading)
    return _insertion(log.content, max(unreleased.body_end, unreleased.body), heading)


def _bullet(log: Changelog, group: Group | None) -> str:
    """Return the bullet of the last entry of the group, else of the first in the file that has one."""
    own = group.entries[::-1] if group else ()
    others = (entry for section in log.sections[:_MODELS] for entry in (*section.entries, *section.loose))
    bullets = (entry.bullet for entry in (*own, *others) if _is_bullet(entry))
    return next(bullets, "- ")


def _is_bullet(entry: Entry) -> bool:
    return bool(re.fullmatch(r" {0,3}[-*+] {1,4}", entry.bullet))


def _into_group(content: bytes, group: Group, lines: list[str]) -> Splice:
    if not group.entries:
        return _insertion(content, group.end, lines)
    gap = content[group.entries[-2].end : group.entries[-1].start] if len(group.entries) > 1 else b""
    apart = bool(gap) and not gap.strip()
    needs_blank = apart or not group.entries[-1].bullet or group.end != group.entries[-1].end
    return _insertion(content, group.end, lines, blank_before=needs_blank)


def _insertion(content: bytes, at: int, lines: list[str], *, blank_before: bool = True) -> Splice:
    """Insert whole lines at the start of a line or at the end of the file, which may lack its line ending.

    A blank line follows if a heading does.
    """
    newline = newline_before(content, at)
    ended = ends_line(content, at)
    lead = _lead(content, at, newline) if blank_before else (b"" if ended else newline)
    new = newline.join(line.encode() for line in lines)
    tail = newline if ended else b""
    if tail and content.startswith(b"#", at):
        tail += newline
    return Splice(start=at, end=at, new=lead + new + tail)


def _prove(result: bytes, log: Changelog, change: ChangeType, text: str) -> None:
    """Demand that the entry is read back, and that it is all that was added."""
    read = parse(result)
    before = log.unreleased.entries if log.unreleased else ()
    groups = read.unreleased.groups if read.unreleased else ()
    there = any(entry.text == text for group in groups if group.type == change for entry in group.entries)
    counts = [sum(len(group.entries) for group in groups), len(read.sections)]
    if not there or counts != [len(before) + 1, len(log.sections)]:
        raise Refused(
            "the entry would not be read as it was written",
            state="nothing was written",
            hint="look for Markdown in it, or above it, that begins a rule, a list or a fence",
        )
