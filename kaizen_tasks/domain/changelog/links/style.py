"""Infer the style of a changelog's links from its existing links, and add links in the same style."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.edit import TextEdit, insert_lines
from kaizen_tasks.domain.changelog.links import compare_url as compare_urls
from kaizen_tasks.domain.changelog.links.compare_url import CompareUrl, parse_repository_url

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.links.index import Link
    from kaizen_tasks.domain.changelog.model import Changelog

_MAX_MODEL_RELEASES = 20  # number of releases whose links are used as models
_COMPARE_TAIL = re.compile(r"(?:/-|/branches)?/compare/$")


def infer_compare_url(log: Changelog, repository_url: str | None) -> CompareUrl | None:
    """Return a compare URL of the file, else one for the repository of its tag links or `repository_url`, or None."""
    urls = _recent_urls(log)
    existing_url = next(filter(None, map(compare_urls.parse_compare_url, urls)), None)
    if existing_url:
        return existing_url
    host = compare_urls.code_host_from_links(urls) or (parse_repository_url(repository_url) if repository_url else None)
    return host.compare_url("", "HEAD") if host else None


def tag_url(compare_url: CompareUrl, tag: str) -> str:
    """Return the URL of a tag in the repository of a compare URL."""
    host = parse_repository_url(_COMPARE_TAIL.sub("", compare_url.base))
    return host.tag_url(tag) if host else compare_url.url


def recent_links(log: Changelog, count: int = _MAX_MODEL_RELEASES, *, below: Version | None = None) -> tuple[Link, ...]:
    """Return the first `count` link definitions of the newest releases that start in the first column.

    Args:
        log: the changelog.
        count: how many to return at most.
        below: the version below which the releases are; None for all.
    """
    sections = (section for section in log.releases if below is None or (section.version and section.version < below))
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
