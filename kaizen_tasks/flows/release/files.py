"""The names of the two files that a release edits, and how they are read."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.errors import Refused, UsageError

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog import Changelog
    from kaizen_tasks.ports.tools import Tools

VERSION = "VERSION"
CHANGELOG = "CHANGELOG.md"
RELEASED = (VERSION, CHANGELOG)


def version(tools: Tools) -> Version:
    """Return what VERSION says.

    Raises:
        UsageError: it is missing or malformed.
    """
    return versions.read(tools.documents.read(VERSION))


def changelog_bytes(tools: Tools) -> bytes:
    """Return CHANGELOG.md as it stands.

    Raises:
        UsageError: it is missing.
    """
    content = tools.documents.read(CHANGELOG)
    if content is None:
        raise UsageError(
            "CHANGELOG.md: there is no such file",
            hint='start it with an entry: inv changelog.add --type added --text "…"',
        )
    return content


def changelog(tools: Tools) -> Changelog:
    """Return CHANGELOG.md, parsed."""
    return _parsed(changelog_bytes(tools))


@lru_cache(maxsize=2)  # every step reads it anew: as it was before the release, and as it is with it
def _parsed(content: bytes) -> Changelog:
    from kaizen_tasks.domain import changelog as changelogs

    return changelogs.parse(content)


def tagged_versions(tools: Tools, *, behind_head: bool) -> tuple[Version, ...]:
    """Return the versions that are tagged in this clone.

    Args:
        tools: the outside world.
        behind_head: only those that HEAD descends from: on a hotfix branch the others are somebody else's future.
    """
    behind = tools.scm.head().commit if behind_head else ""
    return released_versions(tools, tools.scm.tags(behind=behind))


def released_versions(tools: Tools, tags: tuple[str, ...]) -> tuple[Version, ...]:
    """Return the versions among these git tags; tags of other forms are not releases."""
    return _named(tags, tools.settings.release.tag)


@lru_cache(maxsize=4)  # every step asks which release was the last; those here, and those that HEAD descends from
def _named(tags: tuple[str, ...], pattern: str) -> tuple[Version, ...]:
    return tuple(found for name in tags if (found := _of_tag(name, pattern)))


def _of_tag(name: str, pattern: str) -> Version | None:
    prefix, _, suffix = pattern.partition("{version}")
    if not (name.startswith(prefix) and name.endswith(suffix)):
        return None
    try:
        found = versions.parse(name.removeprefix(prefix).removesuffix(suffix), where=name)
    except (UsageError, Refused):
        return None
    return found if pattern.format(version=found) == name else None


def last_release(tools: Tools, *, behind_head: bool = False) -> Version | None:
    """Return the version that was released last, as far as this clone knows.

    The highest tag says so. Without any tag it is the newest heading of the changelog, if entries have been
    collected since; a heading with nothing above it is the release that is about to be made.
    """
    tagged = versions.latest(tagged_versions(tools, behind_head=behind_head))
    if tagged is not None:
        return tagged
    content = tools.documents.read(CHANGELOG)
    if content is None:
        return None
    parsed = _parsed(content)
    if not has_entries(parsed):
        return None
    return versions.latest(tuple(each.version for each in parsed.releases if each.version is not None))


def has_entries(parsed: Changelog) -> bool:
    """Return whether something stands under `[Unreleased]`."""
    return parsed.unreleased is not None and any(group.entries for group in parsed.unreleased.groups)
