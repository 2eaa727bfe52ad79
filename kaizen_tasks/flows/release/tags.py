"""The git tags of releases, and the versions that they name."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from semver import Version

    from kaizen_tasks.domain.tag_pattern import TagPattern
    from kaizen_tasks.ports.tools import Tools


def tagged_versions(tools: Tools) -> tuple[Version, ...]:
    """Return the versions that are tagged in this clone."""
    return versions_from_tags(tools, tools.scm.tags())


def last_tagged_version(tools: Tools) -> Version | None:
    """Return the highest version that is tagged on HEAD or an ancestor, or None."""
    if not tagged_versions(tools):
        return None
    merged_tags = tools.scm.tags(merged_into=tools.scm.head().commit)
    return versions.latest_version(versions_from_tags(tools, merged_tags))


def versions_from_tags(tools: Tools, tags: tuple[str, ...]) -> tuple[Version, ...]:
    """Return the versions among these git tags, with or without `v`; tags of other forms are not releases."""
    return tuple(tags_by_version(tools, tags))


def tags_by_version(tools: Tools, tags: tuple[str, ...]) -> Mapping[Version, str]:
    """Return the git tags of releases by version; of two tags of one version, the one that follows the pattern."""
    return _parse_tags(tags, tools.settings.tag_pattern)


@lru_cache(maxsize=4)  # every step asks which release was the last; those here, and those that HEAD descends from
def _parse_tags(tags: tuple[str, ...], pattern: TagPattern) -> Mapping[Version, str]:
    tags_of_pattern = {version: tag for tag in tags if (version := pattern.parse(tag))}
    if len(tags_of_pattern) == len(tags):
        return tags_of_pattern
    other_form = pattern.other_form
    return {version: tag for tag in tags if (version := other_form.parse(tag))} | tags_of_pattern


def tag_name(version: Version, tools: Tools) -> str:
    """Return the name of a version's tag: that of the tag in this clone or, when there is none, of the pattern."""
    return tags_by_version(tools, tools.scm.tags()).get(version) or tools.settings.git_tag(version)


def tag_commit(version: Version, tools: Tools) -> str:
    """Return the commit that the tag of a version names in this clone; empty when there is no such tag."""
    return tools.scm.resolve(f"refs/tags/{tag_name(version, tools)}")
