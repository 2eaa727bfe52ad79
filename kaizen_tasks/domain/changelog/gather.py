"""Gather under `[Unreleased]` all notes of a release: also those of its candidates and of its own undated section.

The sections of candidates stay: their tags do. What they hold is in the final release's section too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.add import with_unreleased
from kaizen_tasks.domain.changelog.edit import TextEdit, apply_edits
from kaizen_tasks.domain.changelog.headings import ReleaseHeading, format_heading
from kaizen_tasks.domain.changelog.links.compare_url import parse_compare_url
from kaizen_tasks.domain.changelog.markdown.lines import newline_at
from kaizen_tasks.domain.changelog.model import Changelog, parse_changelog, require_unreleased
from kaizen_tasks.errors import NOTHING_CHANGED, Refused

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.entries import Group
    from kaizen_tasks.domain.changelog.section import Section

_LIST_ITEM = re.compile(rb"[ \t]*(?:[-*+]|\d+[.)])[ \t]")
_TRAILING_LINES = re.compile(rb"(?:\r\n?|\n)[ \t\r\n]*\Z")
_BLANK_LINES = re.compile(rb"(?:[ \t]*(?:\r\n?|\n))*")


@attrs.frozen(kw_only=True)
class _Part:
    """What a section has above its first group, or in one of its groups.

    Attributes:
        key: the type of change, or the name of a group that says more than that; empty above the first group.
        type: the type of change, if the group has one.
        heading: the lines of the group's heading.
        text: the lines below it, without blank ones around them.
    """

    key: str
    type: str | None = ""
    heading: bytes = b""
    text: bytes


def gather_notes(log: Changelog, version: Version, *, tag: str, undated: Section | None = None) -> bytes:
    """Return the changelog in which `[Unreleased]` has all notes of a version, in groups by type.

    Args:
        log: the changelog.
        version: what is to be released.
        tag: the tag that it gets.
        undated: the section of that version, which has no date yet; it becomes part of `[Unreleased]`.

    Raises:
        Refused: the notes would be parsed differently.
    """
    candidates = log.candidates_of(version)
    if not log.unreleased:
        return _gather_without_unreleased(log, version, undated, candidates, tag=tag)
    unreleased = require_unreleased(log)
    sources = [*candidates, *([undated] if undated else []), unreleased]
    edits = [_body_edit(unreleased, sources), *(_removals(log, undated, tag) if undated else ())]
    result = parse_changelog(apply_edits(log.content, edits), log.changelog_format)
    _verify(log, result, version, sources, undated)
    return result.content


def _gather_without_unreleased(
    log: Changelog, version: Version, undated: Section | None, candidates: Sequence[Section], *, tag: str
) -> bytes:
    """Make the undated section, or a new one on top, that of `[Unreleased]`."""
    if undated is None or candidates:
        log = parse_changelog(with_unreleased(log), log.changelog_format)
        return gather_notes(log, version, tag=tag, undated=undated and log.find_section(version))
    title = ReleaseHeading(name="Unreleased", is_bracketed=undated.title.is_bracketed)
    newline = newline_at(log.content, undated.start)
    heading = newline.join(line.encode() for line in format_heading(title.render(), undated.heading_lines)) + newline
    replacement = TextEdit(start=undated.start, end=undated.body_start, replacement=heading)
    return apply_edits(log.content, [replacement, *_link_updates(log, undated, tag)])


def cut_gathered(
    log: Changelog, version: Version, undated: Section | None, cut: Callable[[bytes], bytes], *, tag: str
) -> bytes:
    """Return the changelog with the section of a version, for which all its notes were gathered.

    Args:
        log: the changelog.
        version: what is released.
        undated: the section of that version, which has no date yet.
        cut: moves what is under `[Unreleased]` to the section of the version.
        tag: the tag that the version gets.

    Raises:
        Refused: the notes would be parsed differently.
    """
    result = cut(gather_notes(log, version, tag=tag, undated=undated))
    is_dated_in_place = undated is not None and not log.unreleased and not log.candidates_of(version)
    return _without_unreleased(result, log) if is_dated_in_place else result


def _without_unreleased(content: bytes, log: Changelog) -> bytes:
    """Return a changelog without the empty `[Unreleased]`, and its link, that another one lacks."""
    new_log = parse_changelog(content, log.changelog_format)
    unreleased = require_unreleased(new_log)
    link = new_log.link(unreleased.title.label)
    edits = [TextEdit(start=unreleased.start, end=unreleased.end, replacement=b"")]
    if link and not log.link(unreleased.title.label):
        edits.append(TextEdit(start=link.start, end=link.end, replacement=b""))
    result = parse_changelog(apply_edits(content, edits), log.changelog_format)
    if [_body(section) for section in result.sections] != [_body(section) for section in log.sections]:
        raise Refused("the changelog cannot be dated: its entries would be parsed differently", state=NOTHING_CHANGED)
    return result.content


def _body_edit(unreleased: Section, sources: Sequence[Section]) -> TextEdit:
    """Return the edit that replaces the content of `[Unreleased]`."""
    content, newline = unreleased.content, newline_at(unreleased.content, unreleased.start)
    blocks: list[bytes] = []
    for parts in _parts_by_key(sources).values():
        blocks += filter(None, (parts[0].heading, _join([part.text for part in parts], newline)))
    body = (newline * 2).join(blocks) + newline if blocks else b""
    end = max(unreleased.body_end, unreleased.body_start)
    is_followed = bool(content[end:].strip()) and not _BLANK_LINES.match(content, end)[0]  # type: ignore[index]
    return TextEdit(
        start=unreleased.body_start, end=end, replacement=newline + body + (newline if is_followed else b"")
    )


def _parts_by_key(sources: Sequence[Section]) -> dict[str, list[_Part]]:
    """Return the parts of sections by their key: types in their order, then other groups as they appear."""
    parts_by_key: dict[str, list[_Part]] = {"": []}
    seen: set[tuple[str, str]] = set()
    for section in sources:
        for part in _parts(section, seen):
            if part.text and part.text not in [other.text for other in parts_by_key.setdefault(part.key, [])]:
                parts_by_key[part.key].append(part)
    types = ("", *sources[0].changelog_format.types)
    ranks = {key: parts[0].type for key, parts in parts_by_key.items() if parts}
    order = sorted(ranks, key=lambda key: types.index(ranks[key]) if ranks[key] in types else len(types))
    return {key: parts_by_key[key] for key in order}


def _parts(section: Section, seen: set[tuple[str, str]]) -> Iterator[_Part]:
    """Yield what is above the first group, and each group with entries that were not seen before."""
    content, groups = section.content, section.groups
    starts = [*(group.start for group in groups), max(section.body_end, section.body_start)]
    yield _Part(key="", text=_strip(content[section.body_start : starts[0]]) if section.intro_entries else b"")
    for group, end in zip(groups, starts[1:], strict=True):
        repeated = [entry for entry in group.entries if (_key(group), entry.text) in seen]
        if len(repeated) < len(group.entries):
            removals = [TextEdit(start=entry.start, end=entry.end, replacement=b"") for entry in repeated]
            seen |= {(_key(group), entry.text) for entry in group.entries}
            yield _Part(
                key=_key(group),
                type=group.type,
                heading=_strip(content[group.start : group.body_start]),
                text=_strip(apply_edits(content[:end], removals)[group.body_start :]),
            )


def _key(group: Group) -> str:
    says_more = group.type is None or group.is_breaking or group.is_qualified
    return group.name.casefold() if says_more else str(group.type)


def _strip(text: bytes) -> bytes:
    """Return lines without blank lines before and after them; indentation and trailing white space of others stay."""
    start = _BLANK_LINES.match(text).end()  # type: ignore[union-attr]  # it matches every text
    return _TRAILING_LINES.sub(b"", text[start:])


def _join(texts: Sequence[bytes], newline: bytes) -> bytes:
    """Return texts below one another: lists as one list, which stays tight if it was, and all else as paragraphs."""
    result = texts[0]
    for text in texts[1:]:
        is_list = _LIST_ITEM.match(text) and _LIST_ITEM.match(result)
        is_loose = any(newline * 2 in part for part in (result, text))
        result += (newline if is_list and not is_loose else newline * 2) + text
    return result


def _removals(log: Changelog, undated: Section, tag: str) -> Iterator[TextEdit]:
    """Yield the edits that remove a section, but not the link definitions at the end of the file."""
    body_end = max(undated.body_end, undated.body_start)
    end = _BLANK_LINES.match(log.content, body_end).end()  # type: ignore[union-attr]  # it matches every text
    yield TextEdit(start=undated.start, end=end, replacement=b"")
    yield from _link_updates(log, undated, tag)


def _link_updates(log: Changelog, undated: Section, tag: str) -> Iterator[TextEdit]:
    """Yield the edit that makes the link of an undated section end at its tag if it ends at a branch."""
    link = log.link(undated.title.label)
    compare_url = parse_compare_url(link.url) if link else None
    if link and compare_url and not re.search(r"\d", compare_url.newer):
        url = attrs.evolve(compare_url, newer=tag).url
        yield TextEdit(start=link.url_start, end=link.url_end, replacement=url.encode())


def _verify(
    log: Changelog, result: Changelog, version: Version, sources: Sequence[Section], undated: Section | None
) -> None:
    """Require that `[Unreleased]` has every note of the sources, in its group, and that nothing else differs.

    The check does not depend on how the notes were gathered.

    Raises:
        Refused: something else differs.
    """
    sections = [section for section in log.sections if section is not undated]
    unreleased = result.unreleased
    notes = [note for section in sources for note in _notes(section)]
    if unreleased is None or len(_notes(unreleased)) > len(notes) or set(notes) != set(_notes(unreleased)):
        raise _refusal(version, "its notes would be parsed differently")
    if not _lines(unreleased) <= {line for section in sources for line in _lines(section)}:
        raise _refusal(version, "its notes would be written differently")
    other_texts = [_text(section) for section in sections if not section.is_unreleased]
    is_kept = other_texts == [_text(section) for section in result.sections if not section.is_unreleased]
    if not is_kept or _frame(log, without=undated) != _frame(result, without=undated):
        raise _refusal(version, "other releases would change")


def _refusal(version: Version, reason: str) -> Refused:
    return Refused(
        f"the notes of {version} cannot be gathered from the sections of the changelog: {reason}",
        state=NOTHING_CHANGED,
        hint="move them under [Unreleased] by hand, then run the same command again",
    )


def _notes(section: Section) -> list[tuple[str, str]]:
    return [(_key(group), entry.text) for group in section.groups for entry in group.entries]


def _lines(section: Section) -> set[bytes]:
    return {line.strip() for line in section.content[section.body_start : section.body_end].splitlines()} | {b""}


def _text(section: Section) -> bytes:
    return section.content[section.start : section.body_start] + _body(section)


def _body(section: Section) -> bytes:
    return section.content[section.body_start : max(section.body_end, section.body_start)].strip()


def _frame(log: Changelog, *, without: Section | None) -> tuple[bytes, list[tuple[str, str]]]:
    """Return what is above the first section, and the links but that of a section."""
    links = [(link.key, link.url) for link in log.links if without is None or link.label != without.title.label]
    return log.content[: log.sections[0].start].strip(), links
