"""Infer the style of a changelog's links from its existing links, and add links in the same style."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote

from kaizen_tasks.domain.changelog.edit import TextEdit, insert_lines
from kaizen_tasks.domain.changelog.links.code_host import code_host_of_comparison, code_host_of_tags, find_code_host
from kaizen_tasks.domain.changelog.links.compare_url import TAG_CHARACTERS, CompareUrl, is_tag_of, parse_compare_url

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.link_index import Link
    from kaizen_tasks.domain.changelog.model import Changelog
    from kaizen_tasks.domain.tag_pattern import TagPattern

_MAX_MODEL_RELEASES = 20  # number of releases whose links are used as models


def infer_compare_url(log: Changelog, repository_url: str | None) -> CompareUrl | None:
    """Return a compare URL of the file, else one for the repository of its tag links or `repository_url`, or None."""
    urls = _recent_urls(log)
    existing_url = next(filter(None, map(parse_compare_url, urls)), None)
    if existing_url:
        return existing_url
    host = code_host_of_tags(urls) or (find_code_host(repository_url) if repository_url else None)
    return host.compare_url if host else None


def tag_url(compare_url: CompareUrl, tag: str) -> str:
    """Return the URL of a tag in the repository of a compare URL, or an empty string."""
    host = code_host_of_comparison(compare_url)
    return host.tag_url(tag) if host else ""


def url_like(model_url: str, tags: Mapping[str, str], tag_pattern: TagPattern) -> str:
    """Return a URL with other tags in it, whatever code host it belongs to; empty if it has none to replace.

    Args:
        model_url: the URL of another release.
        tags: the new tags, by the version that each replaces.
        tag_pattern: pattern of the tags of versions.
    """
    prefix = re.escape(tag_pattern.template.partition("{version}")[0])
    versions = "|".join(map(re.escape, sorted(tags, key=len, reverse=True)))
    pattern = rf"(?:(?<![\w.-])|(?<=%2[Ff]))(?:{prefix})?(?P<version>{versions})(?!\d|\.\d|-\w)"
    url, count = re.subn(pattern, lambda match: quote(tags[match["version"]], safe=TAG_CHARACTERS), model_url)
    return url if count else ""


def tag_in_url(url: str, version: str) -> str:
    """Return the tag of a version as it is written in a URL, or an empty string."""
    parts = [part for part in re.split(r"\.{2,3}(?=[^.])|%0[Dd]|[/=&?#]", url) if is_tag_of(part, version)]
    return parts[-1] if parts else ""


def recent_links(log: Changelog, count: int = _MAX_MODEL_RELEASES, *, below: Version | None = None) -> tuple[Link, ...]:
    """Return the first `count` link definitions of the newest releases that start in the first column.

    Args:
        log: the changelog.
        count: how many to return at most.
        below: the version below which the releases are; None for all.
    """
    releases = log.iterate_releases()
    sections = (section for section in releases if below is None or (section.version and section.version < below))
    links = (log.link(section.title.label) for section in islice(sections, _MAX_MODEL_RELEASES))
    return tuple(islice((link for link in links if link and is_top_level(log, link)), count))


def is_top_level(log: Changelog, link: Link) -> bool:
    """Return whether a link definition starts in the first column, so that others can be inserted next to it."""
    return log.content.startswith(b"[", link.start)


def _recent_urls(log: Changelog) -> list[str]:
    unreleased = log.link(log.unreleased.title.label) if log.unreleased else None
    unreleased_urls = [unreleased.url] if unreleased else []
    inline_urls = [section.title.url for section in log.sections[:_MAX_MODEL_RELEASES] if section.title.url]
    return [*unreleased_urls, *inline_urls, *(link.url for link in recent_links(log))]


def append_lines(log: Changelog, lines: list[str]) -> TextEdit:
    """Return the edit that appends lines; a blank line comes first if the file does not end with a link definition."""
    end = len(log.content)
    return insert_lines(log.content, end, lines, blank_before=not (log.links and log.links[-1].end == end))


def is_oldest_first(newer_link: Link | None, older_link: Link | None) -> bool:
    """Return whether the link definition of a newer release is below that of an older release."""
    return bool(newer_link and older_link and newer_link.start > older_link.start)
