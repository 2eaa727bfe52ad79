"""Infers version and tag pattern from previous releases, which git tags and the app's package show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.changelog import location
from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.domain.init.detect.packages import PackageVersion, package_versions
from kaizen_tasks.domain.tag_pattern import TagPattern
from kaizen_tasks.errors import Refused, UsageError

if TYPE_CHECKING:
    from semver import Version

DEFAULT_TAG_PATTERN = TagPattern().template
BARE_TAG_PATTERN = "{version}"
FIRST_VERSION = "0.1.0"
VERSION_NUMBER = re.compile(r"\d+\.\d+\.\d+\S*")


def infer_tag_pattern(tags: Sequence[str], component: str = "") -> str:
    """Return the pattern of release tags: `v1.2.3`, or `1.2.3` if only tags without `v` exist.

    Args:
        tags: every git tag.
        component: the name of an app in a subfolder, whose tags must differ from those of its neighbours:
            `backend-v1.2.3`, or as its tags are already.
    """
    if component:
        patterns = [f"{component}{separator}{{version}}" for separator in ("-v", "/v", "@", "-", "@v", "/")]
        used = (each for each in patterns if any(map(TagPattern(template=each).parse, tags)))
        return next(used, patterns[0])
    uses_prefix = any(map(TagPattern(template=DEFAULT_TAG_PATTERN).parse, tags))
    uses_bare = any(map(TagPattern(template=BARE_TAG_PATTERN).parse, tags))
    return BARE_TAG_PATTERN if uses_bare and not uses_prefix else DEFAULT_TAG_PATTERN


def initial_version(tags: Sequence[str], texts: Mapping[str, str], pattern: str = "", folder: str = ".") -> str:
    """Return the version of an app without VERSION file.

    It is that of the newest tag, else the higher one of the package and of the changelog's headings, else `0.1.0`.

    Args:
        tags: every git tag.
        texts: the app's files, by path.
        pattern: how the app's releases are tagged; empty for `v1.2.3` or `1.2.3`.
        folder: another folder whose package has the app's version: that of the build context.
    """
    parse = TagPattern(template=pattern).parse if pattern not in {"", DEFAULT_TAG_PATTERN} else _parse_version
    tagged_versions = tuple(filter(None, map(parse, tags)))
    package_version = _parse_version(next((each.text for each in package_versions(texts, folder)), ""))
    written = tuple(filter(None, (package_version, *_changelog_versions(texts))))
    return str(versions.latest_version(tagged_versions) or versions.latest_version(written) or FIRST_VERSION)


def _changelog_versions(texts: Mapping[str, str]) -> Iterator[Version]:
    """Yield the versions of the headings in the app's changelog."""
    for folder in location.FOLDERS:
        names = tuple(path for path in texts if path.rpartition("/")[0] == folder)
        paths = location.candidates(folder, tuple(path.rpartition("/")[2] for path in names))
        for path in paths[:1]:
            try:
                releases = parse_changelog(texts[path].encode()).releases
            except Refused:
                return
            yield from (section.version for section in releases if section.version is not None)
            return


def _parse_version(text: str) -> Version | None:
    try:
        return versions.parse_version(text) if VERSION_NUMBER.fullmatch(text.removeprefix("v")) else None
    except UsageError:
        return None


def repeated_versions(
    tags: Sequence[str], texts: Mapping[str, str], pattern: str = "", folder: str = "."
) -> tuple[PackageVersion, ...]:
    """Return every place of the package that repeats the version of the app; see `initial_version`."""
    version = _parse_version(texts.get("VERSION", "").strip() or initial_version(tags, texts, pattern, folder))
    return tuple(each for each in package_versions(texts, folder) if _parse_version(each.text) == version)


def other_versions(version: str, texts: Mapping[str, str], folder: str = ".") -> tuple[PackageVersion, ...]:
    """Return every place of the package with another version than the app's."""
    usual = {None, _parse_version(version)}
    return tuple(each for each in package_versions(texts, folder) if _parse_version(each.text) not in usual)
