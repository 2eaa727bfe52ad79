"""Update a changelog's links for a new release, in the style of the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.edit import TextEdit, insert_lines
from kaizen_tasks.domain.changelog.links import style
from kaizen_tasks.domain.changelog.links.compare_url import CompareUrl, is_tag_of, parse_compare_url, version_of_ref
from kaizen_tasks.domain.changelog.model import Changelog
from kaizen_tasks.domain.changelog.section import Section
from kaizen_tasks.domain.tag_pattern import TagPattern

if TYPE_CHECKING:
    from semver import Version  # noqa: TC004 - whoever has a version has loaded it

    from kaizen_tasks.domain.changelog.link_index import Link


@attrs.frozen(kw_only=True)
class LinkUpdate:
    """How the links change when a version is cut.

    Attributes:
        log: the changelog before the cut.
        unreleased: the changelog's `[Unreleased]` section.
        version: the new version.
        tag: the tag of the new version.
        previous: the release to compare with; None when there is none.
        previous_tag: the tag of that release; empty when there is none.
        repository_url: the repository to link to when the changelog has no links yet.
        tag_pattern: pattern of the tags of versions.
    """

    log: Changelog
    unreleased: Section
    version: Version
    tag: str
    previous: Version | None
    previous_tag: str
    repository_url: str | None
    tag_pattern: TagPattern

    @property
    def heading_target(self) -> str:
        """Return the `(url)` of the new heading if the file's headings contain their links, else an empty string."""
        model = self.log.newest_release or self.unreleased
        url = self._version_url() if model.title.url else ""
        return f"({url})" if url else ""

    def edits(self) -> tuple[TextEdit, ...]:
        """Return the edits that update and add links; a link that would be a guess is not added.

        The link of `[Unreleased]` stays if it starts at a later release, which is of another line.
        """
        updates = () if self._unreleased_is_of_later_release() else self._update_unreleased_links()
        return (*updates, *self._add_definitions())

    def _unreleased_is_of_later_release(self) -> bool:
        url, newest = self._url_of(self.unreleased), self.log.newest_release
        if compare_url := parse_compare_url(url):
            older_version = version_of_ref(compare_url.older)
            return older_version is not None and older_version > self.version
        return self._has_later_release and newest is not None and newest.title.name in url

    def _unreleased_compare_url(self) -> CompareUrl | None:
        """Return the URL that compares the previous release with what is not released; None when none is known."""
        existing_url = parse_compare_url(self._url_of(self.unreleased))
        if existing_url and self.previous and is_tag_of(existing_url.older, str(self.previous)):
            return existing_url
        template = existing_url or style.infer_compare_url(self.log, self.repository_url)
        if not template:
            return None
        newer = existing_url.newer if existing_url else template.head
        older = self._previous_tag_as_written() or template.between(self.previous_tag).older
        return attrs.evolve(template, older=older, newer=newer)

    def _version_url(self) -> str:
        """Return the URL of the new version in the style of the file, or an empty string."""
        compare_url = self._unreleased_compare_url()
        other_url = self._url_like_other_releases()
        if other_url or not compare_url:
            return other_url
        return compare_url.ending_at(self.tag).url if compare_url.older else style.tag_url(compare_url, self.tag)

    def _url_like_other_releases(self) -> str:
        """Return a URL like those of the newest two releases, if they compare nothing in a form that is known."""
        versioned = (section for section in self.log.iterate_releases() if section.version)
        newest, second = next(versioned, None), next(versioned, None)
        urls = [self._url_of(section) for section in (newest, second) if section]
        if not newest or not second or not all(urls) or any(map(parse_compare_url, urls)):
            return ""
        previous_tag = self._previous_tag_as_written() or self.previous_tag
        tags = {newest.title.name: self.tag, second.title.name: previous_tag}
        url = style.url_like(urls[0], tags, self.tag_pattern)
        return url if style.tag_in_url(url, str(self.version)) else ""

    def _previous_tag_as_written(self) -> str:
        """Return the tag of the previous release as its link has it, perhaps with another prefix than tags have now."""
        section = self.log.find_section(self.previous) if self.previous else None
        return style.tag_in_url(self._url_of(section), section.title.name) if section else ""

    def _url_of(self, section: Section) -> str:
        link = self.log.link(section.title.label)
        return link.url if link else section.title.url

    def _next_unreleased_url(self, url: str) -> str:
        """Return the URL of `[Unreleased]` after the release, or an empty string if it stays."""
        compare_url, newest = parse_compare_url(url), self.log.newest_release
        if compare_url:
            return compare_url.between(self.tag).url
        return style.url_like(url, {newest.title.name: self.tag}, self.tag_pattern) if newest else ""

    def _update_unreleased_links(self) -> Iterator[TextEdit]:
        """Yield the edits that make the links of `[Unreleased]` start at the new version."""
        section = self.unreleased
        inline_url, link = section.title.url, self.log.link(section.title.label)
        if next_url := self._next_unreleased_url(inline_url):
            offset = self.log.content.index(inline_url.encode(), section.start, section.body_start)
            yield TextEdit(start=offset, end=offset + len(inline_url.encode()), replacement=next_url.encode())
        if link and (next_url := self._next_unreleased_url(link.url)):
            yield TextEdit(start=link.url_start, end=link.url_end, replacement=next_url.encode())

    def _add_definitions(self) -> Iterator[TextEdit]:
        """Yield the edit, if any, that adds missing link definitions for `[Unreleased]` and the new version."""
        title, newest = self.unreleased.title, self.log.newest_release
        model = newest.title if newest else attrs.evolve(title, prefix="")
        label = f"{model.prefix}{self.version}"
        compare_url = self._unreleased_compare_url()
        lines = []
        is_missing = title.is_bracketed and not title.link_target and not self.log.link(title.label)
        if is_missing and compare_url and compare_url.newer:
            lines.append(f"[{title.label}]: {compare_url.between(self.tag).url}")
        if model.is_bracketed and not model.link_target and not self.log.link(label) and (url := self._version_url()):
            lines.append(f"[{label}]: {url}")
        if lines:
            yield self._insert_definitions(lines, self.log.link(title.label))

    @property
    def _has_later_release(self) -> bool:
        newest = self.log.newest_release
        return newest is not None and newest.version is not None and newest.version > self.version

    def _insert_definitions(self, lines: list[str], unreleased_link: Link | None) -> TextEdit:
        """Return the edit that inserts link definitions in the order of the file: newest release first, or last."""
        newest, second = [*style.recent_links(self.log, 2, below=self.version), None, None][:2]
        if newest and self._has_later_release:
            oldest_first = style.is_oldest_first(newest, second)
            return insert_lines(self.log.content, newest.end if oldest_first else newest.start, lines)
        oldest_first = style.is_oldest_first(*((unreleased_link, newest) if unreleased_link else (newest, second)))
        ordered_lines = lines[::-1] if oldest_first else lines
        if unreleased_link and style.is_top_level(self.log, unreleased_link):
            offset = unreleased_link.start if oldest_first else unreleased_link.end
        elif newest:
            offset = newest.end if oldest_first else newest.start
        else:
            return style.append_lines(self.log, ordered_lines)
        return insert_lines(self.log.content, offset, ordered_lines)
