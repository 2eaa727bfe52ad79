"""The sections of the changelog that get their date in a release commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.flows.release import files, tags

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.domain.changelog.section import Section
    from kaizen_tasks.ports.tools import Tools


def find_cut_section(version: Version, tools: Tools) -> Section | None:
    """Return the section of a version in the changelog, unless it has to get its date in the release commit."""
    changelog = files.read_changelog(tools)
    return None if undated_section(changelog, version, tools) else changelog.find_section(version)


def undated_section(changelog: Changelog, version: Version, tools: Tools) -> Section | None:
    """Return the section of a version that is not released and has no date yet, or None.

    Raises:
        Refused: its heading has something else in place of the date.
    """
    section = changelog.find_section(version)
    if section is None or section.date is not None or tags.tag_commit(version, tools):
        return None
    from kaizen_tasks.domain.changelog.undated import find_undated

    return find_undated(changelog, version)


def find_waiting_release(base: Version | None, tools: Tools) -> Section | None:
    """Return the newest release of the changelog if it is above another version, has notes and no tag; else None."""
    newest = files.read_changelog(tools).newest_release if files.has_changelog(tools) else None
    if newest is None or newest.version is None or (base is not None and newest.version <= base) or newest.is_empty:
        return None
    return None if tags.tag_commit(newest.version, tools) else newest


def find_undated_release(base: Version | None, tools: Tools) -> Section | None:
    """Return the newest release of the changelog if it is above another version and has no date yet; else None."""
    changelog = files.read_changelog(tools) if files.has_changelog(tools) else None
    newest = changelog.newest_release if changelog else None
    if changelog is None or newest is None or newest.date is not None or newest.version is None:
        return None
    if base is not None and newest.version <= base:
        return None
    return undated_section(changelog, newest.version, tools)
