"""Verify that cutting a release added only a heading and links.

The check does not depend on how the cut was made: without its additions, the result must equal the original file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.edit import TextEdit, apply_edits
from kaizen_tasks.domain.changelog.markdown.lines import is_line_start, newline_at, split_lines
from kaizen_tasks.domain.changelog.model import Changelog, parse_changelog
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.section import Section


def verify_cut(old_log: Changelog, new_content: bytes, *, version: Version) -> None:
    """Require that a cut added to a changelog only the heading and the links of a release.

    Args:
        old_log: the changelog before the cut.
        new_content: the changelog after the cut.
        version: the release that was cut.

    Raises:
        Refused: something else differs, or the new heading is not parsed as a heading.
    """
    new_log = parse_changelog(new_content, old_log.changelog_format)
    section = new_log.find_section(version)
    if not section or not _is_in_place(new_log, section, version):
        raise _refusal(version, "its heading would not be parsed as one")
    if not _same_entries(old_log, section):
        raise _refusal(version, "its entries would be parsed differently")
    if not _restores_original(old_log, new_log, section):
        raise _refusal(version, "more than its heading and links would change")
    if not _same_other_headings(old_log, new_log, section):
        raise _refusal(version, "other headings would change")


def _refusal(version: Version, reason: str) -> Refused:
    return Refused(
        f"the changelog cannot be cut for {version}: {reason}",
        state="nothing was written",
        hint="look for a code fence or comment that is never closed",
    )


def _same_entries(old_log: Changelog, section: Section) -> bool:
    old_entries = old_log.unreleased.entries if old_log.unreleased else ()
    return [entry.text for entry in old_entries] == [entry.text for entry in section.entries]


def _same_other_headings(old_log: Changelog, new_log: Changelog, section: Section) -> bool:
    """Return whether all headings but that of the new section are as they were; most are equal byte by byte."""
    position = new_log.sections.index(section)
    old_headings, new_headings = old_log.sections.headings(), new_log.sections.headings()
    del new_headings[position]
    pairs = enumerate(zip(old_headings, new_headings, strict=False))
    unequal = [number for number, (old, new) in pairs if old != new]
    return len(old_headings) == len(new_headings) and all(
        _same_heading(old_log.sections[number], new_log.sections[number + (number >= position)]) for number in unequal
    )


def _same_heading(old: Section, new: Section) -> bool:
    """Return whether headings are equal as written, except for a last line ending and the link of `[Unreleased]`."""
    old_heading, new_heading = old.content[old.start : old.body_start], new.content[new.start : new.body_start]
    return old_heading == new_heading or _without_link(old, old_heading) == _without_link(new, new_heading)


def _without_link(section: Section, heading: bytes) -> bytes:
    url = section.title.url if section.is_unreleased else ""
    return heading.rstrip(b"\r\n").replace(url.encode(), b"")


def _is_in_place(log: Changelog, section: Section, version: Version) -> bool:
    """Return whether a section is below an empty `[Unreleased]`, with nothing but later releases between them."""
    unreleased = log.unreleased
    if not unreleased or not unreleased.is_empty or unreleased.start > section.start:
        return False
    between = (other for other in log.sections if unreleased.end <= other.start < section.start)
    return unreleased.end == section.start or all(other.version is None or other.version > version for other in between)


def _restores_original(old_log: Changelog, new_log: Changelog, section: Section) -> bool:
    """Return whether the new file, without the heading and links that were added, is the original file.

    A line ending that the original file lacked may remain, and a blank line above its first links.
    """
    edits = (*_undo_heading(new_log, section), *_undo_links(old_log, new_log, section))
    restored_content = apply_edits(new_log.content, edits)
    added_newlines = restored_content.removeprefix(old_log.content)
    ends_with_newline = is_line_start(old_log.content, len(old_log.content))
    return (
        restored_content.startswith(old_log.content)
        and not added_newlines.strip(b"\r\n")
        and len(split_lines(added_newlines).texts) <= (1 if ends_with_newline else 2)
        and ends_with_newline == is_line_start(new_log.content, len(new_log.content))
    )


def _undo_heading(log: Changelog, section: Section) -> tuple[TextEdit, ...]:
    if log.unreleased and log.unreleased.end != section.start:
        from kaizen_tasks.domain.changelog.backport import move_entries_back

        return move_entries_back(log, section)
    newline = newline_at(log.content, section.start)
    return (TextEdit(start=section.start - len(newline), end=section.body_start, replacement=b""),)


def _undo_links(old_log: Changelog, new_log: Changelog, section: Section) -> Iterator[TextEdit]:
    assert old_log.unreleased
    assert new_log.unreleased
    yield from _undo_link(old_log, new_log, section.title.label)
    yield from _undo_link(old_log, new_log, new_log.unreleased.title.label)
    old_url, new_url = old_log.unreleased.title.url, new_log.unreleased.title.url
    if new_url:
        offset = new_log.content.index(new_url.encode(), new_log.unreleased.start, new_log.unreleased.body_start)
        yield TextEdit(start=offset, end=offset + len(new_url.encode()), replacement=old_url.encode())


def _undo_link(old_log: Changelog, new_log: Changelog, label: str) -> Iterator[TextEdit]:
    old_link, new_link = old_log.link(label), new_log.link(label)
    if new_link and old_link:
        yield TextEdit(start=new_link.url_start, end=new_link.url_end, replacement=old_link.url.encode())
    elif new_link:
        yield TextEdit(start=new_link.start, end=new_link.end, replacement=b"")
