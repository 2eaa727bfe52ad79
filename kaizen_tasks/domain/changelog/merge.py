"""Merge a release into a changelog that has changed since the release began."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.add import restore_entry
from kaizen_tasks.domain.changelog.cut import cut_release
from kaizen_tasks.domain.changelog.edit import TextEdit, apply_edits
from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat
from kaizen_tasks.domain.changelog.model import Changelog, parse_changelog, require_unreleased
from kaizen_tasks.domain.tag_pattern import DEFAULT_TAG_PATTERN, TagPattern
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.entries import ChangelogEntry, Group
    from kaizen_tasks.domain.changelog.section import Section


def merge_release(
    current: bytes,
    *,
    base: bytes,
    released: bytes,
    version: Version,
    repository_url: str | None,
    tag_pattern: TagPattern = DEFAULT_TAG_PATTERN,
    changelog_format: ChangelogFormat = DEFAULT_FORMAT,
) -> bytes:
    """Return the current changelog with a release's section; entries that were noted since stay under `[Unreleased]`.

    A merge of lines would put such an entry into the release, because the release has only added a heading above it.

    Args:
        current: the changelog of the branch.
        base: the changelog from which both others come.
        released: the changelog of the release.
        version: the version of the release.
        repository_url: the repository to link to when the changelog has no links yet.
        tag_pattern: pattern of the tags of versions.
        changelog_format: what the headings of the changelog mean.

    Raises:
        Refused: the changelogs do not fit together.
    """
    log = _gather_undated(parse_changelog(current, changelog_format), version, tag_pattern)
    if current == base or log.find_section(version):
        return released if current == base else current
    section = parse_changelog(released, changelog_format).find_section(version)
    before = _gather_undated(parse_changelog(base, changelog_format), version, tag_pattern)
    if section is None or section.date is None:
        raise Refused(f"the changelog of {version} has no section with its date")
    unreleased = require_unreleased(log)
    body = released[section.body_start : section.end]  # of the release itself, whatever base and branch have noted
    reset = TextEdit(start=unreleased.body_start, end=unreleased.end, replacement=body)
    result = cut_release(
        apply_edits(log.content, [reset]),
        version=version,
        date=section.date,
        repository_url=repository_url,
        tag_pattern=tag_pattern,
        changelog_format=changelog_format,
    )
    result_log = parse_changelog(result, changelog_format)
    for group, entry in _new_entries(unreleased, section, *([before.unreleased] if before.unreleased else [])):
        result_log = restore_entry(result_log, entry, group)
    return result_log.content


def _gather_undated(log: Changelog, version: Version, tag_pattern: TagPattern) -> Changelog:
    """Return the changelog with the notes of a version under `[Unreleased]`, if its section has no date yet."""
    section = log.find_section(version)
    if section is None or section.date is not None:
        return log
    from kaizen_tasks.domain.changelog.gather import gather_notes
    from kaizen_tasks.domain.changelog.undated import find_undated

    undated = find_undated(log, version)
    if undated is None:
        return log
    content = gather_notes(log, version, tag=tag_pattern.format(version), undated=undated)
    return parse_changelog(content, log.changelog_format)


def _new_entries(unreleased: Section, *others: Section) -> list[tuple[Group | None, ChangelogEntry]]:
    """Return the entries that only the first section has, each with its group.

    Args:
        unreleased: the entries of the branch.
        others: those of the release, and those from which both come, some of which the release may have reworded.
    """
    old_entries: Counter[tuple[str, str]] = Counter()
    for section in others:
        old_entries |= Counter((group.name if group else "", entry.text) for group, entry in _grouped_entries(section))
    new_entries = []
    for group, entry in _grouped_entries(unreleased):
        key = group.name if group else "", entry.text
        if old_entries[key]:
            old_entries[key] -= 1
        else:
            new_entries.append((group, entry))
    return new_entries


def _grouped_entries(section: Section) -> Iterator[tuple[Group | None, ChangelogEntry]]:
    yield from ((None, entry) for entry in section.intro_entries)
    yield from ((group, entry) for group in section.groups for entry in group.entries)
