"""The place of a release in a changelog that has later releases: those of another line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.edit import TextEdit, insert_lines
from kaizen_tasks.domain.changelog.markdown.lines import newline_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from semver import Version

    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.domain.changelog.section import Section


def last_later_section(log: Changelog, unreleased: Section, version: Version) -> Section | None:
    """Return the last of the sections of later versions that are right below `[Unreleased]`, or None."""
    later_section = None
    for section in log.iterate_releases():
        if section.start < unreleased.start or section.version is None:
            continue
        if section.version < version:
            break
        later_section = section
    return later_section


def move_entries(unreleased: Section, heading_lines: Sequence[str], *, below: Section) -> tuple[TextEdit, ...]:
    """Return the edits that move the entries of `[Unreleased]` into a new section below another one."""
    content = unreleased.content
    newline = newline_at(content, unreleased.start)
    entries = content[unreleased.body_start : unreleased.body_end]
    is_last = below.end == len(content)  # link definitions stay at the end of the file
    offset = below.body_end if is_last else below.end
    return (
        TextEdit(start=unreleased.body_start, end=unreleased.body_end, replacement=b""),
        insert_lines(content, offset, ["", *heading_lines] if is_last else heading_lines),
        TextEdit(start=offset, end=offset, replacement=entries if is_last else entries + newline),
    )


def move_entries_back(log: Changelog, section: Section) -> tuple[TextEdit, ...]:
    """Return the edits that move the entries of a section to `[Unreleased]`, and remove the section's heading."""
    unreleased, content = log.unreleased, log.content
    assert unreleased
    newline = newline_at(content, section.start)
    is_last = section.end == len(content)
    start = section.start - len(newline) if is_last else section.start
    end = section.body_end if is_last else section.body_end + len(newline)
    entries = content[section.body_start : section.body_end]
    return (
        TextEdit(start=unreleased.body_start, end=unreleased.body_start, replacement=entries),
        TextEdit(start=start, end=end, replacement=b""),
    )
