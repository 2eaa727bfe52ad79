"""The last release of the line of HEAD, and the one before a version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.flows.release import files, tags

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.ports.tools import Tools


def last_released_version(tools: Tools) -> Version | None:
    """Return the version of the last release on the line of HEAD, as far as this clone knows; None when there is none.

    This is the highest version that is tagged on HEAD or an ancestor. Without tags, it is the highest heading of the
    changelog if there are unreleased entries; if there are none, that heading belongs to the release that is about to
    be made. Which tags HEAD descends from takes git a walk through the history, so it is asked only if the files of the
    branch do not name the highest one.
    """
    newest = versions.latest_version(tags.tagged_versions(tools))
    if newest is not None and files.read_version(tools) >= newest and files.has_section(newest, tools):
        return newest
    from kaizen_tasks.flows.release import lines

    return lines.last_heading(tools) if newest is None else lines.last_released_version(tools)


def previous_release(version: Version, tools: Tools) -> Version | None:
    """Return the release that a version is to be compared with, or None.

    This is the last release of its line or, if nobody tagged that, the newest heading of the changelog; of a final
    release, the last final one.
    """
    last, newest_section = last_released_version(tools), files.read_changelog(tools).newest_release
    heading = newest_section.version if newest_section else None
    is_tagged = heading in tags.tags_by_version(tools, tools.scm.tags())
    candidates = (last, None if is_tagged else heading)
    previous = max((candidate for candidate in candidates if candidate and candidate < version), default=None)
    if previous is not None and previous.prerelease and not version.prerelease:
        return files.read_changelog(tools).final_before(version)
    return previous
