"""Add an entry to `[Unreleased]`, or create an empty changelog."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog import CHANGE_TYPES
from kaizen_tasks.domain.changelog.edit import TextEdit, apply_edits, insert_lines
from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat
from kaizen_tasks.domain.changelog.headings import ReleaseHeading, format_heading
from kaizen_tasks.domain.changelog.language import MAX_MODEL_SECTIONS, type_heading, unreleased_name
from kaizen_tasks.domain.changelog.markdown.lines import is_line_start, newline_at
from kaizen_tasks.domain.changelog.model import (
    Changelog,
    describe_release_of_level_one,
    find_release_of_level_one,
    find_unreleased,
    parse_changelog,
    require_unreleased,
)
from kaizen_tasks.domain.changelog.wording.marks import is_placeholder
from kaizen_tasks.errors import NOTHING_CHANGED, Refused, UsageError

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.entries import ChangelogEntry, Group
    from kaizen_tasks.domain.changelog.section import Section

_EMPTY_CHANGELOG = b"""\
# Changelog

All notable changes to this project are documented in this file.

The format is based on [Keep a Changelog](https://keepachangelog.com/en/2.0.0/),
and this project adheres to [Semantic Versioning](https://semver.org/spec/v2.0.0.html).

## [Unreleased]
"""
_NEWLINES = re.compile(r"\r\n?|\n")


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
    if not find_unreleased(log):
        log = parse_changelog(with_unreleased(log), changelog_format)
    log = without_placeholders(log, require_unreleased(log), change_type)
    edits = entry_edits(log, require_unreleased(log), [(change_type, lines)])
    return _apply_verified(log, edits, change_type, "\n".join(lines))


def restore_entry(log: Changelog, entry: ChangelogEntry, group: Group | None) -> Changelog:
    """Return the changelog with an entry of another version of the file under `[Unreleased]`, below the same heading.

    Args:
        log: the changelog.
        entry: the entry.
        group: the group that it is in; None if it is above the groups.

    Raises:
        Refused: there is no `[Unreleased]` section, or the entry would not be parsed as one.
    """
    unreleased, lines = require_unreleased(log), item_lines(entry.bullet, entry.text.split("\n"))
    same_group = next((other for other in unreleased.groups if group and other.name == group.name), None)
    if group is None:
        edit = _insert_above_groups(log, unreleased, lines)
    elif same_group:
        edit = _insert_into_group(log.content, same_group, [lines])
    else:
        group_lines = [f"{'#' * group.level} {group.name}", "", *lines]
        edit = _insert_block(log.content, max(unreleased.body_end, unreleased.body_start), group_lines)
    change_type = group.type if group else None
    return parse_changelog(_apply_verified(log, [edit], change_type, entry.text), log.changelog_format)


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
        f"--type {kind}: no such type of change",
        hint=f"choose one of {', '.join(name.lower() for name in changelog_format.types)}",
        wrong=kind,
        right=(suggestion.lower(),) if suggestion else (),
    )


def entry_lines(text: str, *, breaking: bool) -> list[str]:
    """Return the lines of an entry, marked with `**Breaking:**` if it is breaking.

    Raises:
        UsageError: the text is empty, stands for no change, or is no UTF-8.
    """
    lines = [line.rstrip() for line in _NEWLINES.split(text.strip())]
    if not lines[0]:
        raise UsageError("--text: the entry is empty", hint="describe the change for the users")
    if is_placeholder(text) and re.search(r"\w", text):
        raise UsageError(
            f"--text: {lines[0]!r} says that nothing has changed", hint="describe the change for the users"
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"--text: character {error.start + 1} cannot be encoded as UTF-8") from error
    return [f"**Breaking:** {lines[0]}" if breaking else lines[0], *lines[1:]]


def with_unreleased(log: Changelog) -> bytes:
    """Return the file with an empty `[Unreleased]` above the first release or, without a release, at the end.

    Raises:
        Refused: the releases have headings of level 1.
    """
    first_release = next((section for section in log.sections if section.is_numbered), None)
    unread_release = None if first_release else find_release_of_level_one(log)
    if unread_release:
        message, fix = describe_release_of_level_one(unread_release)
        raise Refused(f"line {unread_release.line} of the changelog: {message}", state=NOTHING_CHANGED, hint=fix)
    offset = first_release.start if first_release else len(log.content)
    newline = newline_at(log.content, offset)
    title = ReleaseHeading(
        name=unreleased_name(log), is_bracketed=first_release.title.is_bracketed if first_release else True
    )
    heading = format_heading(title.render(), first_release.heading_lines if first_release else ("##",))
    if first_release:
        return apply_edits(log.content, [insert_lines(log.content, offset, [*heading, ""])])
    content = log.content if is_line_start(log.content, offset) else log.content + newline
    return apply_edits(content, [insert_lines(content, len(content), heading, blank_before=True)])


def without_placeholders(log: Changelog, unreleased: Section, change_type: str) -> Changelog:
    """Return the changelog without the text that says that nothing is noted yet, where the entry will be."""
    group = group_of_type(unreleased, change_type)
    end_of_intro = unreleased.groups[0].start if unreleased.groups else unreleased.body_end
    spans = [(unreleased.body_start, end_of_intro), *([(group.body_start, group.end)] if group else [])]
    texts = [(start, log.content[start:end]) for start, end in spans]
    edits = [
        TextEdit(
            start=start, end=start + len(text.rstrip()) + len(newline_at(text, len(text.rstrip()))), replacement=b""
        )
        for start, text in texts
        if re.search(r"\w", text.decode()) and is_placeholder(text.decode())
    ]
    return parse_changelog(apply_edits(log.content, edits), log.changelog_format) if edits else log


def group_of_type(section: Section, change_type: str) -> Group | None:
    """Return the group to which entries of a type are added, or None."""
    is_own_type = change_type not in CHANGE_TYPES  # such as Breaking
    groups = (group for group in section.groups if is_own_type or not (group.is_breaking or group.is_qualified))
    return next((group for group in groups if group.type == change_type), None)


def entry_edits(log: Changelog, unreleased: Section, entries: Sequence[tuple[str, Sequence[str]]]) -> list[TextEdit]:
    """Return the edits that add entries, each to the group of its type: its lines without bullet and indentation."""
    edits, new_groups = [], dict[int, list[str]]()
    for change_type in log.changelog_format.types:
        entries_of_type = [lines for kind, lines in entries if kind == change_type]
        if not entries_of_type:
            continue
        group = group_of_type(unreleased, change_type)
        bullet = _bullet(log, group)
        items = [item_lines(bullet, lines) for lines in entries_of_type]
        if group:
            edits.append(_insert_into_group(log.content, group, items))
        else:
            lines = new_groups.setdefault(_new_group_offset(unreleased, change_type), [])
            lines += [*([""] if lines else []), _group_heading(log, change_type), "", *itertools.chain(*items)]
    return edits + [_insert_block(log.content, offset, lines) for offset, lines in new_groups.items()]


def _group_heading(log: Changelog, change_type: str) -> str:
    groups = (group for section in log.sections[:MAX_MODEL_SECTIONS] for group in section.groups)
    level = next((group.level for group in groups), 3)
    return f"{'#' * level} {type_heading(log, change_type)}"


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
    sections = log.sections[:MAX_MODEL_SECTIONS]
    file_entries = (entry for section in sections for entry in (*section.entries, *section.untyped_entries))
    bullets = (entry.bullet for entry in (*group_entries, *file_entries))
    return next(filter(re.compile(r" {0,3}[-*+] {1,4}").fullmatch, bullets), "- ")


def _insert_above_groups(log: Changelog, unreleased: Section, lines: list[str]) -> TextEdit:
    entries = unreleased.intro_entries
    if not entries:
        return _insert_block(log.content, unreleased.body_start, lines)
    continues_list = bool(entries[-1].bullet) and lines[0].startswith(entries[-1].bullet)
    return _insert_block(log.content, entries[-1].end, lines, blank_before=not continues_list)


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


def _apply_verified(log: Changelog, edits: Sequence[TextEdit], change_type: str | None, text: str) -> bytes:
    """Return the content with an entry added.

    Raises:
        Refused: the entry is not parsed as written, or something else was added.
    """
    result = apply_edits(log.content, edits)
    updated_log = parse_changelog(result, log.changelog_format)
    previous_entries = log.unreleased.all_entries if log.unreleased else ()
    entries = updated_log.unreleased.all_entries if updated_log.unreleased else ()
    is_present = any(entry.text == text and entry.type == change_type for entry in entries)
    counts = [len(entries), len(updated_log.sections)]
    if not is_present or counts != [len(previous_entries) + 1, len(log.sections)]:
        raise Refused(
            "the entry would not be parsed as written",
            state="nothing was written",
            hint="look for Markdown in it, or above it, that starts a rule, a list or a code fence",
        )
    return result
