"""Add an entry to `[Unreleased]`, or create an empty changelog."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.edit import TextEdit, apply_edits, insert_lines
from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat
from kaizen_tasks.domain.changelog.headings import ReleaseHeading, format_heading
from kaizen_tasks.domain.changelog.markdown.lines import is_line_start, newline_at
from kaizen_tasks.domain.changelog.model import Changelog, Section, parse_changelog, require_unreleased
from kaizen_tasks.errors import Refused, UsageError

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.entries import Group

_EMPTY_CHANGELOG = b"""\
# Changelog

All notable changes to this project are documented in this file.

The format is based on [Keep a Changelog](https://keepachangelog.com/en/2.0.0/),
and this project adheres to [Semantic Versioning](https://semver.org/spec/v2.0.0.html).

## [Unreleased]
"""
_NEWLINES = re.compile(r"\r\n?|\n")
_MAX_MODEL_SECTIONS = 20  # number of sections that are searched for the bullet style of a file


def empty_changelog() -> bytes:
    """Return a changelog without releases."""
    return _EMPTY_CHANGELOG


def add_entry(
    content: bytes,
    *,
    kind: str,
    text: str,
    breaking: bool = False,
    changelog_format: ChangelogFormat = DEFAULT_FORMAT,
) -> bytes:
    """Return the changelog with an entry added under `[Unreleased]`, in the group of its type; create what is missing.

    Args:
        content: the changelog.
        kind: a type of change, in any case.
        text: the entry in Markdown; all lines but the first are indented.
        breaking: whether to mark the entry with `**Breaking:**`.
        changelog_format: what the headings of the changelog mean.

    Raises:
        UsageError: there is no such type, or the entry is empty.
        Refused: there are several `[Unreleased]` sections, or the text would not be parsed as one entry.
    """
    change_type = parse_change_type(kind, changelog_format)
    lines = entry_lines(text, breaking=breaking)
    log = parse_changelog(content, changelog_format)
    if not log.unreleased:
        log = parse_changelog(with_unreleased(log), changelog_format)
    unreleased = require_unreleased(log)
    result = apply_edits(log.content, entry_edits(log, unreleased, [(change_type, lines)]))
    _verify_addition(result, log, change_type, "\n".join(lines))
    return result


def parse_change_type(kind: str, changelog_format: ChangelogFormat) -> str:
    """Return the type of change that a user names, in any case.

    Raises:
        UsageError: there is no such type.
    """
    change_type = changelog_format.find_type(kind.strip())
    if change_type:
        return change_type
    suggestion = changelog_format.nearest_type(kind)
    raise UsageError(
        f"--type {kind}: no such type of change" + (f"; did you mean {suggestion.lower()}?" if suggestion else ""),
        hint=f"choose one of {', '.join(name.lower() for name in changelog_format.types)}",
    )


def entry_lines(text: str, *, breaking: bool) -> list[str]:
    """Return the lines of an entry, marked with `**Breaking:**` if it is breaking.

    Raises:
        UsageError: the text is empty, or no UTF-8.
    """
    lines = [line.rstrip() for line in _NEWLINES.split(text.strip())]
    if not lines[0]:
        raise UsageError("--text: the entry is empty", hint="describe the change for the users")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"--text: character {error.start + 1} cannot be encoded as UTF-8") from error
    return [f"**Breaking:** {lines[0]}" if breaking else lines[0], *lines[1:]]


def with_unreleased(log: Changelog) -> bytes:
    """Return the file with an empty `[Unreleased]` above the first release or, without a release, at the end."""
    first_section = log.sections[0] if log.sections else None
    offset = first_section.start if first_section else len(log.content)
    newline = newline_at(log.content, offset)
    title = ReleaseHeading(name="Unreleased", is_bracketed=first_section.title.is_bracketed if first_section else True)
    heading = format_heading(title.render(), first_section.heading_lines if first_section else ("##",))
    if first_section:
        return apply_edits(log.content, [insert_lines(log.content, offset, [*heading, ""])])
    content = log.content if is_line_start(log.content, offset) else log.content + newline
    return apply_edits(content, [insert_lines(content, len(content), heading, blank_before=True)])


def entry_edits(log: Changelog, unreleased: Section, entries: Sequence[tuple[str, Sequence[str]]]) -> list[TextEdit]:
    """Return the edits that add entries, each to the group of its type: its lines without bullet and indentation."""
    edits, new_groups = [], dict[int, list[str]]()
    for change_type in log.changelog_format.types:
        entries_of_type = [lines for kind, lines in entries if kind == change_type]
        if not entries_of_type:
            continue
        group = next((candidate for candidate in unreleased.groups if candidate.type == change_type), None)
        bullet = _bullet(log, group)
        items = [item_lines(bullet, lines) for lines in entries_of_type]
        if group:
            edits.append(_insert_into_group(log.content, group, items))
        else:
            lines = new_groups.setdefault(_new_group_offset(unreleased, change_type), [])
            lines += [*([""] if lines else []), f"### {change_type}", "", *itertools.chain(*items)]
    return edits + [_insert_block(log.content, offset, lines) for offset, lines in new_groups.items()]


def item_lines(bullet: str, lines: Sequence[str]) -> list[str]:
    """Return the lines of an entry as a list item."""
    indent = " " * len(bullet)
    return [bullet + lines[0], *(indent + line if line else "" for line in lines[1:])]


def _new_group_offset(unreleased: Section, change_type: str) -> int:
    types = unreleased.changelog_format.types
    later_types = types[types.index(change_type) + 1 :]
    following_group = next((candidate for candidate in unreleased.groups if candidate.type in later_types), None)
    return following_group.start if following_group else max(unreleased.body_end, unreleased.body_start)


def _bullet(log: Changelog, group: Group | None) -> str:
    """Return the bullet of the group's last entry, else that of the file's first entry with a bullet, else `- `."""
    group_entries = group.entries[::-1] if group else ()
    sections = log.sections[:_MAX_MODEL_SECTIONS]
    file_entries = (entry for section in sections for entry in (*section.entries, *section.untyped_entries))
    bullets = (entry.bullet for entry in (*group_entries, *file_entries))
    return next(filter(re.compile(r" {0,3}[-*+] {1,4}").fullmatch, bullets), "- ")


def _insert_into_group(content: bytes, group: Group, items: Sequence[Sequence[str]]) -> TextEdit:
    separator = content[group.entries[-2].end : group.entries[-1].start] if len(group.entries) > 1 else b""
    is_loose_list = bool(separator) and not separator.strip()
    lines = [line for item in items for line in ([""] * is_loose_list + [*item])][is_loose_list:]
    if not group.entries:
        return _insert_block(content, group.end, lines)
    needs_blank = is_loose_list or not group.entries[-1].bullet or group.end != group.entries[-1].end
    return _insert_block(content, group.end, lines, blank_before=needs_blank)


def _insert_block(content: bytes, offset: int, lines: list[str], *, blank_before: bool = True) -> TextEdit:
    """Return the edit that inserts lines, followed by a blank line if a heading comes next."""
    blank_after = [""] if content.startswith(b"#", offset) else []
    return insert_lines(content, offset, [*lines, *blank_after], blank_before=blank_before)


def _verify_addition(result: bytes, log: Changelog, change_type: str, text: str) -> None:
    """Require that the entry is parsed as written, and that nothing else was added."""
    updated_log = parse_changelog(result, log.changelog_format)
    previous_entries = log.unreleased.entries if log.unreleased else ()
    groups = updated_log.unreleased.groups if updated_log.unreleased else ()
    is_present = any(entry.text == text for group in groups if group.type == change_type for entry in group.entries)
    counts = [sum(len(group.entries) for group in groups), len(updated_log.sections)]
    if not is_present or counts != [len(previous_entries) + 1, len(log.sections)]:
        raise Refused(
            "the entry would not be parsed as written",
            state="nothing was written",
            hint="look for Markdown in it, or above it, that starts a rule, a list or a code fence",
        )
