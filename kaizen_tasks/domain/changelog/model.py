"""A changelog as values: releases with their spans in the file, whose entries are read when asked for."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.entries import Body, Entry, Group, read_body
from kaizen_tasks.domain.changelog.headings import Title, heading_text, read_title
from kaizen_tasks.domain.changelog.links.index import Link, all_links, find_link
from kaizen_tasks.domain.changelog.markdown.lines import demand_utf8, newline_at, number_lines, split
from kaizen_tasks.domain.changelog.outline import Mark, Outline, outline
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from semver import Version


@attrs.frozen(kw_only=True)
class Section:
    """A release, or what is not released yet.

    `start`, `body` and `end` are offsets in `content`: of the heading, of the line below it, and of the next
    heading; `line` and `body_line` are the numbers of the first two.
    """

    content: bytes = attrs.field(repr=False)
    start: int
    body: int
    end: int
    line: int

    @functools.cached_property
    def heading_lines(self) -> tuple[str, ...]:
        """Return the lines of the heading."""
        return split(self.content, self.start, self.body).texts

    @functools.cached_property
    def title(self) -> Title:
        """Return the heading taken apart."""
        return read_title(self.heading)

    @property
    def heading(self) -> str:
        """Return the text of the heading."""
        return heading_text(self.heading_lines)

    @property
    def body_line(self) -> int:
        """Return the number of the line below the heading."""
        return self.line + len(self.heading_lines)

    @property
    def unreleased(self) -> bool:
        """Tell whether the changes are in no release yet; most headings are not taken apart to know."""
        heading = self.content[self.start : self.body].lower()
        return b"unreleased" in heading and self.title.unreleased

    @functools.cached_property
    def version(self) -> Version | None:
        """Return the version, if the heading names one."""
        return _version(self.title.name)

    @property
    def date(self) -> dt.date | None:
        """Return the day of the release, if the heading names one that exists."""
        return self.title.date

    @property
    def yanked(self) -> bool:
        """Tell whether the release was withdrawn."""
        return self.title.yanked

    @functools.cached_property
    def _read(self) -> Body:
        return read_body(self.content, self.body, self.end, self.body_line)

    @property
    def groups(self) -> tuple[Group, ...]:
        """Return the entries by type, in the order of the file."""
        return self._read.groups

    @property
    def loose(self) -> tuple[Entry, ...]:
        """Return list items that stand above the first type."""
        return self._read.loose

    @property
    def summary(self) -> str:
        """Return the text above the first type, as written."""
        return self._read.summary

    @property
    def body_end(self) -> int:
        """Return the offset behind the last line that is neither blank nor a link definition."""
        return self._read.end

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Return the entries of all types."""
        return tuple(entry for group in self.groups for entry in group.entries)

    @property
    def empty(self) -> bool:
        """Tell whether nothing is said: headings and comments say nothing."""
        return not self.summary and not self.entries


@attrs.frozen(kw_only=True)
class Changelog:
    """A changelog: its bytes, its sections in the order of the file, and where its links are defined."""

    content: bytes = attrs.field(repr=False)
    outline: Outline = attrs.field(repr=False)

    @functools.cached_property
    def sections(self) -> tuple[Section, ...]:
        """Return releases and what is unreleased, in the order of the file."""
        return _sections(self.content, self.outline.marks)

    @functools.cached_property
    def unreleased(self) -> Section | None:
        """Return the first section that is in no release yet."""
        return next((section for section in self.sections if section.unreleased), None)

    @functools.cached_property
    def releases(self) -> tuple[Section, ...]:
        """Return all other sections, in the order of the file."""
        return tuple(section for section in self.sections if not section.unreleased)

    @functools.cached_property
    def links(self) -> tuple[Link, ...]:
        """Return the link definitions in the order of the file."""
        return all_links(self.content, self.outline.definitions)

    @functools.cached_property
    def link_by_key(self) -> dict[str, Link]:
        """Return all links by normalised label; the first of several with one label counts."""
        return {link.key: link for link in reversed(self.links)}

    @property
    def newline(self) -> bytes:
        """Return how the first line ends."""
        return newline_at(self.content, 0)

    def link(self, label: str) -> Link | None:
        """Return the definition of a label; the first of several counts."""
        return find_link(self.content, self.outline.definitions, label)

    def find(self, version: Version) -> Section | None:
        """Return the section of a version."""
        return next(self._naming(version), None)

    def _naming(self, version: Version) -> Iterator[Section]:
        name = str(version)
        needle = name.encode()
        for section in self.sections:
            if self.content.find(needle, section.start, section.body) >= 0 and section.title.name == name:
                yield section

    def between(self, *, newest: Version | None = None, oldest: Version | None = None) -> tuple[Section, ...]:
        """Return the releases of a range, both ends included, in the order of the file."""
        return tuple(
            section
            for section in self.releases
            if section.version
            and (newest is None or section.version <= newest)
            and (oldest is None or section.version >= oldest)
        )

    @property
    def newest(self) -> Section | None:
        """Return the first release that names a version."""
        return next((section for section in self.releases if section.version), None)


def parse(content: bytes) -> Changelog:
    """Read a changelog in the manner of Keep a Changelog 1.0, 1.1 or 2.0; any Markdown is one.

    Raises:
        Refused: the bytes are not UTF-8, or lists and quotations are nested too deeply.
    """
    demand_utf8(content)
    return Changelog(content=content, outline=outline(content))


def demand_unreleased(log: Changelog) -> Section:
    """Return the one section that is in no release yet.

    Raises:
        Refused: there is none, or more than one.
    """
    found = [section for section in log.sections if section.unreleased]
    if not found:
        raise Refused(
            "the changelog has no [Unreleased] section",
            hint="add one with: inv changelog.add --type added --text '...'",
        )
    if len(found) > 1:
        lines = ", ".join(str(section.line) for section in found)
        raise Refused(
            f"the changelog has {len(found)} [Unreleased] sections, at lines {lines}",
            hint="join them",
        )
    return found[0]


def _version(name: str) -> Version | None:
    from semver import Version

    try:
        return Version.parse(name)
    except ValueError:
        return None


def _sections(content: bytes, marks: tuple[Mark, ...]) -> tuple[Section, ...]:
    """Make a section of every heading of level 2; it ends where the next heading of level 1 or 2 starts."""
    lines = number_lines(content, (mark.start for mark in marks))
    ends = [*(mark.start for mark in marks[1:]), len(content)]
    return tuple(
        Section(content=content, start=mark.start, body=mark.body, end=end, line=line)
        for mark, end, line in zip(marks, ends, lines, strict=False)
        if mark.level == 2
    )
