"""A section of a changelog, and the sequence of all of them. The parts of a section are parsed when first read."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

import attrs

from kaizen_tasks.domain.changelog.entries import ChangelogEntry, Group, SectionBody, parse_body
from kaizen_tasks.domain.changelog.format import ChangelogFormat
from kaizen_tasks.domain.changelog.headings import ReleaseHeading, heading_text, parse_heading
from kaizen_tasks.domain.changelog.markdown.lines import LineCounter, split_lines

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.outline import Outline

_NUMBERED_HEADING = re.compile(rb" {0,3}##[ \t]+\[?[vV]?[0-9]")
_DATE_AT_END = r"(?<=[^\W\d])\W*[-(|:,\]\u2013\u2014]\W*(?:19|20)\d\d[-/.][\dXx?]{1,2}[-/.][\dXx?]{1,2}\b.*"


@attrs.frozen(kw_only=True)
class Section:
    """A section of the changelog: a release, or `[Unreleased]`.

    Attributes:
        content: the whole file.
        start: offset of the heading.
        body_start: offset of the line below the heading.
        end: offset of the next heading, or of the end of the file.
        lines: counts the lines of the file.
        changelog_format: what headings mean.
    """

    content: bytes = attrs.field(repr=False)
    start: int
    body_start: int
    end: int
    lines: LineCounter = attrs.field(repr=False, eq=False)
    changelog_format: ChangelogFormat = attrs.field(repr=False)

    @functools.cached_property
    def line(self) -> int:
        """Return the line number of the heading."""
        return self.lines.number_at(self.start)

    @functools.cached_property
    def heading_lines(self) -> tuple[str, ...]:
        """Return the lines of the heading."""
        return split_lines(self.content, self.start, self.body_start).texts

    @functools.cached_property
    def title(self) -> ReleaseHeading:
        """Return the parsed heading."""
        return parse_heading(self.heading, self.changelog_format)

    @property
    def heading(self) -> str:
        """Return the text of the heading."""
        return heading_text(self.heading_lines)

    @property
    def heading_span(self) -> tuple[int, int]:
        """Return the offsets of the heading and of the line below it."""
        return self.start, self.body_start

    @property
    def body_line(self) -> int:
        """Return the number of the line below the heading."""
        return self.line + len(self.heading_lines)

    @property
    def is_unreleased(self) -> bool:
        """Return whether this is `[Unreleased]`; headings that begin with a number are not parsed to find out."""
        return not _NUMBERED_HEADING.match(self.content, self.start, self.body_start) and self.title.is_unreleased

    @property
    def is_numbered(self) -> bool:
        """Return whether the heading has a number before its date, as that of a release has."""
        return bool(re.search(r"\d", re.sub(_DATE_AT_END, "", self.heading)))

    @functools.cached_property
    def version(self) -> Version | None:
        """Return the version in the heading, or None."""
        return parse_semantic_version(self.title.name)

    @functools.cached_property
    def date(self) -> dt.date | None:
        """Return the date in the heading; None when missing or invalid."""
        return self.title.date

    @property
    def yanked(self) -> bool:
        """Return whether the heading marks the release as withdrawn: `[YANKED]`."""
        return self.title.yanked

    @functools.cached_property
    def _body(self) -> SectionBody:
        return parse_body(self.content, self.body_start, self.end, self.body_line, self.changelog_format)

    @property
    def groups(self) -> tuple[Group, ...]:
        """Return the groups of entries, one for each heading of level 3, in the order of the file."""
        return self._body.groups

    @property
    def untyped_entries(self) -> tuple[ChangelogEntry, ...]:
        """Return the list items above the first group."""
        return tuple(entry for entry in self.intro_entries if entry.bullet)

    @property
    def intro_entries(self) -> tuple[ChangelogEntry, ...]:
        """Return the list items and other blocks above the first group."""
        return self._body.intro_entries

    @property
    def all_entries(self) -> tuple[ChangelogEntry, ...]:
        """Return the entries above the first group, and those of all groups."""
        return self.intro_entries + self.entries

    @property
    def summary(self) -> str:
        """Return the text above the first group, as written."""
        return self._body.summary

    @property
    def body_end(self) -> int:
        """Return the offset after the last line that is neither blank nor a link definition."""
        return self._body.end

    @property
    def entries(self) -> tuple[ChangelogEntry, ...]:
        """Return the entries of all groups."""
        return tuple(entry for group in self.groups for entry in group.entries)

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is noted; headings, comments and placeholders such as `- Nothing.` do not count."""
        return not self.all_entries


class Sections(Sequence[Section]):
    """The sections of a changelog: from a heading of a level to the next heading of level 1 or 2.

    A section is made when it is first asked for, because a file may have thousands.
    """

    def __init__(self, content: bytes, outline: Outline, changelog_format: ChangelogFormat, *, level: int = 2) -> None:
        self._content, self._headings, self._format = content, outline.headings, changelog_format
        self._lines = LineCounter(content)
        titles, is_title = outline.titles, level == 1
        self._numbers = [at for at, (start, _) in enumerate(self._headings) if (start in titles) is is_title]
        self._sections: dict[int, Section] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Section: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Section, ...]: ...

    def __getitem__(self, index: int | slice) -> Section | tuple[Section, ...]:
        if isinstance(index, slice):
            return tuple(map(self._section, self._numbers[index]))
        return self._section(self._numbers[index])

    def __iter__(self) -> Iterator[Section]:
        return map(self._section, self._numbers)

    def _section(self, number: int) -> Section:
        section = self._sections.get(number)
        if section is None:
            start, body_start = self._headings[number]
            is_last = number + 1 == len(self._headings)
            end = len(self._content) if is_last else self._headings[number + 1][0]
            section = self._sections[number] = Section(
                content=self._content,
                start=start,
                body_start=body_start,
                end=end,
                lines=self._lines,
                changelog_format=self._format,
            )
        return section

    def headings(self) -> list[bytes]:
        """Return the lines of each section's heading, as written."""
        content = self._content
        return [content[start:end] for start, end in map(self._headings.__getitem__, self._numbers)]

    def mentioning(self, text: bytes) -> Iterator[Section]:
        """Yield the sections that have a text in their heading."""
        find, headings = self._content.find, self._headings
        if find(text) >= 0:
            yield from (self._section(number) for number in self._numbers if find(text, *headings[number]) >= 0)

    def not_numbered(self) -> Iterator[Section]:
        """Yield the sections whose heading does not begin with a number, among which is `[Unreleased]`."""
        match, content, headings = _NUMBERED_HEADING.match, self._content, self._headings
        return (self._section(number) for number in self._numbers if not match(content, *headings[number]))


def parse_semantic_version(name: str) -> Version | None:
    """Return the version that a text is, or None."""
    from semver import Version

    try:
        return Version.parse(name)
    except ValueError:
        return None
