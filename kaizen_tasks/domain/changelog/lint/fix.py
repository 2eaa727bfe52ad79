"""Automatic fixes of misspelt types of change, their order, and missing links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog import CHANGE_TYPES
from kaizen_tasks.domain.changelog.edit import TextEdit, apply_edits, insert_lines
from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat
from kaizen_tasks.domain.changelog.links import style
from kaizen_tasks.domain.changelog.lint.check_links import unlinked_sections
from kaizen_tasks.domain.changelog.model import Changelog, parse_changelog
from kaizen_tasks.domain.tag_pattern import DEFAULT_TAG_PATTERN, TagPattern

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.entries import Group
    from kaizen_tasks.domain.changelog.section import Section


def fix_changelog(
    content: bytes,
    *,
    repository_url: str | None,
    tag_pattern: TagPattern = DEFAULT_TAG_PATTERN,
    changelog_format: ChangelogFormat = DEFAULT_FORMAT,
) -> bytes:
    """Return the changelog with all problems fixed that can be fixed automatically.

    Args:
        content: the changelog.
        repository_url: the repository to link to when the changelog has no links yet.
        tag_pattern: pattern of the tags of versions.
        changelog_format: what the headings of the changelog mean.

    Raises:
        Refused: the changelog cannot be parsed.
    """
    log = _apply_if_equivalent(parse_changelog(content, changelog_format), _spelling_edits)
    log = _apply_if_equivalent(log, _order_edits)
    return _add_links(log, tuple(_link_edits(log, repository_url, tag_pattern)), repository_url)


def _add_links(log: Changelog, link_edits: tuple[TextEdit, ...], repository_url: str | None) -> bytes:
    """Return the content with links added, or unchanged if they, or any heading or entry, would be misparsed."""
    if not link_edits:
        return log.content
    result = parse_changelog(apply_edits(log.content, link_edits), log.changelog_format)
    is_equivalent = _headings_and_texts(result) == _headings_and_texts(log)
    return result.content if is_equivalent and not unlinked_sections(result, repository_url) else log.content


def _apply_if_equivalent(log: Changelog, section_edits: Callable[[Section], Iterator[TextEdit]]) -> Changelog:
    """Return the changelog with every section edited, or unchanged if entries would be parsed differently."""
    edits = [edit for section in log.sections for edit in section_edits(section)]
    if not edits:
        return log
    edited_log = parse_changelog(apply_edits(log.content, edits), log.changelog_format)
    return edited_log if _entry_texts(edited_log) == _entry_texts(log) else log


def _entry_texts(log: Changelog) -> list[Counter[str]]:
    return [Counter(entry.text for entry in section.entries) for section in log.sections]


def _headings_and_texts(log: Changelog) -> list[tuple[str, list[str]]]:
    return [(section.heading, [entry.text for entry in section.entries]) for section in log.sections]


def _spelling_edits(section: Section) -> Iterator[TextEdit]:
    """Yield edits that correct misspelt types."""
    for group in section.groups:
        name = group.name.encode()
        offset = section.content.find(name, group.start, group.body_start)
        if group.spelling != group.name and offset >= 0:
            yield TextEdit(start=offset, end=offset + len(name), replacement=group.spelling.encode())


def _order_edits(section: Section) -> Iterator[TextEdit]:
    """Yield edits that sort groups by type, and keep the blank lines between groups."""
    groups = section.groups
    types = [group.type for group in groups]
    if not {*types} <= {*CHANGE_TYPES} or len(set(types)) < len(types):
        return
    sorted_groups = sorted(groups, key=lambda group: CHANGE_TYPES.index(str(group.type)))
    if sorted_groups == list(groups):
        return
    for slot, group in zip(groups, sorted_groups, strict=True):
        yield _group_text(section, slot)._replace(replacement=_group_text(section, group).replacement)


def _group_text(section: Section, group: Group) -> TextEdit:
    text = section.content[group.start : group.end].rstrip(b"\r\n")
    return TextEdit(start=group.start, end=group.start + len(text), replacement=text)


def _link_edits(log: Changelog, repository_url: str | None, tag_pattern: TagPattern) -> Iterator[TextEdit]:
    """Yield edits that add missing link definitions next to those of adjacent releases."""
    lines = dict(_missing_lines(log, repository_url, tag_pattern))
    oldest_first = style.is_oldest_first(*[*style.recent_links(log, 2), None, None][:2])
    labels = [section.title.label for section in log.sections][:: -1 if oldest_first else 1]
    links = enumerate(map(log.link, labels))
    defined_positions = [position for position, link in links if link and style.is_top_level(log, link)]
    if not defined_positions and lines:
        yield style.append_lines(log, list(lines.values()))
        return
    for position, label in enumerate(labels):
        line = lines.pop(label, None)
        if line:
            yield _insert_next_to(log, labels, defined_positions, position, line)


def _insert_next_to(
    log: Changelog, labels: Sequence[str], defined_positions: Sequence[int], position: int, line: str
) -> TextEdit:
    above = max((candidate for candidate in defined_positions if candidate < position), default=None)
    link = log.link(labels[defined_positions[0] if above is None else above])
    assert link
    return insert_lines(log.content, link.start if above is None else link.end, [line])


def _missing_lines(log: Changelog, repository_url: str | None, tag_pattern: TagPattern) -> Iterator[tuple[str, str]]:
    template = style.infer_compare_url(log, repository_url)
    if not template:
        return
    newest_version = max((section.version for section in log.releases if section.version), default=None)
    for section in unlinked_sections(log, repository_url):
        version = section.version
        older_version = log.previous_versions.get(version) if version else newest_version
        older_tag, newer_tag = (tag_pattern.format(each) if each else "" for each in (older_version, version))
        comparison = attrs.evolve(template, newer=template.head).between(older_tag, newer_tag)
        url = comparison.url if older_tag else style.tag_url(template, newer_tag)
        yield section.title.label, f"[{section.title.label}]: {url}"
