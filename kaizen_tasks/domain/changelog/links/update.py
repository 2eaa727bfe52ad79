"""Update a changelog's links for a new release, in the style of the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.edit import TextEdit, insert_lines
from kaizen_tasks.domain.changelog.links import style
from kaizen_tasks.domain.changelog.links.compare_url import CompareUrl, is_tag_of, parse_compare_url, version_of_ref
from kaizen_tasks.domain.changelog.model import Changelog, Section

if TYPE_CHECKING:
    from semver import Version  # noqa: TC004 - whoever has a version has loaded it

    from kaizen_tasks.domain.changelog.links.index import Link


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
    """

    log: Changelog
    unreleased: Section
    version: Version
    tag: str
    previous: Version | None
    previous_tag: str
    repository_url: str | None

    @property
    def heading_target(self) -> str:
        """Return the `(url)` of the new heading if the file's headings contain their links, else an empty string."""
        model = self.log.newest_release or self.unreleased
        compare_url = self._unreleased_compare_url() if model.title.url else None
        return f"({self._version_url(compare_url)})" if compare_url else ""

    def edits(self) -> tuple[TextEdit, ...]:
        """Return the edits that update and add links; none when no repository is known.

        The link of `[Unreleased]` stays if it starts at a later release, which is of another line.
        """
        compare_url = self._unreleased_compare_url()
        if not compare_url:
            return ()
        next_url = attrs.evolve(compare_url, older=self.tag).url
        updates = () if self._unreleased_is_of_later_release() else self._update_unreleased_links(next_url)
        return (*updates, *self._add_definitions(compare_url, next_url))

    def _existing_compare_url(self) -> CompareUrl | None:
        link = self.log.link(self.unreleased.title.label)
        return parse_compare_url(link.url if link else self.unreleased.title.url)

    def _unreleased_is_of_later_release(self) -> bool:
        existing_url = self._existing_compare_url()
        older_version = version_of_ref(existing_url.older) if existing_url else None
        return older_version is not None and older_version > self.version

    def _unreleased_compare_url(self) -> CompareUrl | None:
        """Return the URL that compares the previous release with `HEAD`; None when no repository is known."""
        existing_url = self._existing_compare_url()
        if existing_url and self.previous and is_tag_of(existing_url.older, str(self.previous)):
            return existing_url
        template = existing_url or style.infer_compare_url(self.log, self.repository_url)
        newer_ref = existing_url.newer if existing_url else "HEAD"
        return attrs.evolve(template, older=self.previous_tag, newer=newer_ref) if template else None

    def _version_url(self, compare_url: CompareUrl) -> str:
        if not compare_url.older:
            return style.tag_url(compare_url, self.tag)
        return attrs.evolve(compare_url, newer=self.tag).url

    def _update_unreleased_links(self, url: str) -> Iterator[TextEdit]:
        """Yield the edits that replace the compare URLs of `[Unreleased]`, to start at the new version."""
        section = self.unreleased
        inline_url, link = section.title.url, self.log.link(section.title.label)
        if inline_url and parse_compare_url(inline_url):
            offset = self.log.content.index(inline_url.encode(), section.start, section.body_start)
            yield TextEdit(start=offset, end=offset + len(inline_url.encode()), replacement=url.encode())
        if link and parse_compare_url(link.url):
            yield TextEdit(start=link.url_start, end=link.url_end, replacement=url.encode())

    def _add_definitions(self, compare_url: CompareUrl, next_url: str) -> Iterator[TextEdit]:
        """Yield the edit, if any, that adds missing link definitions for `[Unreleased]` and the new version."""
        title, newest = self.unreleased.title, self.log.newest_release
        model = newest.title if newest else attrs.evolve(title, prefix="")
        label = f"{model.prefix}{self.version}"
        lines = []
        if title.is_bracketed and not title.link_target and not self.log.link(title.label):
            lines.append(f"[{title.label}]: {next_url}")
        if model.is_bracketed and not model.link_target and not self.log.link(label):
            lines.append(f"[{label}]: {self._version_url(compare_url)}")
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
