"""Cut a release: move the entries of `[Unreleased]` to the section of a version."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.cut_check import verify_cut
from kaizen_tasks.domain.changelog.edit import TextEdit, apply_edits, insert_lines
from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat
from kaizen_tasks.domain.changelog.headings import format_heading
from kaizen_tasks.domain.changelog.links.update import LinkUpdate
from kaizen_tasks.domain.changelog.model import Changelog, parse_changelog, require_unreleased
from kaizen_tasks.domain.tag_pattern import DEFAULT_TAG_PATTERN, TagPattern
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from semver import Version

    from kaizen_tasks.domain.changelog.section import Section


def cut_release(  # noqa: PLR0913 - what the headings and links of a release are made of
    content: bytes,
    *,
    version: Version,
    date: dt.date,
    repository_url: str | None,
    tag_pattern: TagPattern = DEFAULT_TAG_PATTERN,
    changelog_format: ChangelogFormat = DEFAULT_FORMAT,
    previous: Version | None = None,
    previous_tag: str = "",
) -> bytes:
    """Return the changelog with the entries of `[Unreleased]` in a new section, written in the style of the file.

    The section is below those of later releases, if the file has any: they are of other lines.

    Args:
        content: the changelog.
        version: the version that is released.
        date: the date of the release.
        repository_url: the repository to link to when the changelog has no links yet.
        tag_pattern: pattern of the tags of versions.
        changelog_format: what the headings of the changelog mean.
        previous: the release before it; None for the one that the file has.
        previous_tag: the tag of that release; empty for the one of the pattern.

    Raises:
        Refused: there are no unreleased entries, the version has a section already, or more would change.
    """
    log = parse_changelog(content, changelog_format)
    unreleased = _require_releasable(log, version)
    previous = previous or log.version_before(version)
    link_update = LinkUpdate(
        log=log,
        unreleased=unreleased,
        version=version,
        tag=tag_pattern.format(version),
        previous=previous,
        previous_tag=previous_tag or (tag_pattern.format(previous) if previous else ""),
        repository_url=repository_url,
        tag_pattern=tag_pattern,
    )
    model = log.newest_release
    heading = attrs.evolve(
        model.title if model else attrs.evolve(unreleased.title, prefix=""),
        name=str(version),
        is_unreleased=False,
        date_text=date.isoformat(),
        link_target=link_update.heading_target,
        yanked=False,
    )
    heading_lines = format_heading(heading.render(), (model or unreleased).heading_lines)
    section_edits = _section_edits(log, unreleased, version, heading_lines)
    result = apply_edits(content, [*section_edits, *link_update.edits()])
    verify_cut(log, result, version=version)
    return result


def _section_edits(
    log: Changelog, unreleased: Section, version: Version, heading_lines: Sequence[str]
) -> tuple[TextEdit, ...]:
    """Return the edits that make a section of the entries of `[Unreleased]`: in place, or below later releases."""
    newest = log.newest_release
    if newest and newest.version and newest.version > version:
        from kaizen_tasks.domain.changelog.backport import last_later_section, move_entries

        if later_section := last_later_section(log, unreleased, version):
            return move_entries(unreleased, heading_lines, below=later_section)
    return (insert_lines(log.content, unreleased.body_start, ["", *heading_lines]),)


def _require_releasable(log: Changelog, version: Version) -> Section:
    existing_section = log.find_section(version)
    if existing_section:
        raise Refused(
            f"the changelog already has a section for {version}, at line {existing_section.line}",
            hint="release the next version, or merge that section into [Unreleased]",
        )
    unreleased = require_unreleased(log)
    if unreleased.is_empty:
        hint = 'add an entry: inv changelog.add --type fixed --text "What changed"'
        raise Refused(f"[Unreleased] is empty, at line {unreleased.line}", hint=hint)
    return unreleased
