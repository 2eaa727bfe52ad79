"""A changelog: its sections with their offsets in the file. Entries are parsed when they are first read."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.entries import ChangelogEntry, Group, SectionBody, parse_body
from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat
from kaizen_tasks.domain.changelog.headings import ReleaseHeading, heading_text, parse_heading
from kaizen_tasks.domain.changelog.links.index import Link, all_links, find_link
from kaizen_tasks.domain.changelog.markdown.lines import line_numbers, require_utf8, split_lines
from kaizen_tasks.domain.changelog.outline import HeadingSpan, Outline, build_outline
from kaizen_tasks.errors import NOTHING_CHANGED, Refused

if TYPE_CHECKING:
    from semver import Version

_NUMBERED_HEADING = re.compile(rb" {0,3}##[ \t]+\[?[vV]?[0-9]")
_DATE_AT_END = r"(?<=[^\W\d])\W*[-(|:,\]\u2013\u2014]\W*(?:19|20)\d\d[-/.][\dXx?]{1,2}[-/.][\dXx?]{1,2}\b.*"
_DOCUMENTATION = (
    r"(?i)\W*(?:about|(?:table of )?contents?|toc|introduction|intro|overview|preface|legend|key|index|versioning"
    r"|(?:our )?(?:guiding )?principles|types of|how to|format|conventions?|notation|policy|release policy|semantic"
    r"|change[- ]?logs?|history|release notes|更新日志|变更日志|変更履歴|更新履歴"
    r"|template|migrat\w+|upgrad\w+|guidelines?|instructions?|resources|links|see also|versions|releases)\b"
)
"""The first words of headings that explain the file, in which nothing is noted."""

_PRE_RELEASE = re.compile(rb"\d\.\d+-[0-9A-Za-z]")


@attrs.frozen(kw_only=True)
class Section:
    """A section of the changelog: a release, or `[Unreleased]`.

    Attributes:
        content: the whole file.
        start: offset of the heading.
        body_start: offset of the line below the heading.
        end: offset of the next heading, or of the end of the file.
        line: line number of the heading.
        changelog_format: what headings mean.
    """

    content: bytes = attrs.field(repr=False)
    start: int
    body_start: int
    end: int
    line: int
    changelog_format: ChangelogFormat = attrs.field(repr=False)

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

    @property
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


@attrs.frozen(kw_only=True)
class Changelog:
    """A changelog: its bytes and its outline."""

    content: bytes = attrs.field(repr=False)
    outline: Outline = attrs.field(repr=False)
    changelog_format: ChangelogFormat = DEFAULT_FORMAT

    @functools.cached_property
    def sections(self) -> tuple[Section, ...]:
        """Return all sections, in the order of the file."""
        return _sections(self.content, self.outline.headings, self.changelog_format)

    @functools.cached_property
    def unreleased(self) -> Section | None:
        """Return the first `[Unreleased]` section, or None."""
        return next((section for section in self.sections if section.is_unreleased), None)

    @functools.cached_property
    def releases(self) -> tuple[Section, ...]:
        """Return the sections of releases, in the order of the file."""
        return tuple(section for section in self.sections if not section.is_unreleased)

    @functools.cached_property
    def links(self) -> tuple[Link, ...]:
        """Return the link definitions in the order of the file."""
        return all_links(self.content, self.outline.definitions)

    @functools.cached_property
    def link_by_key(self) -> dict[str, Link]:
        """Return the first link definition of each label, by normalised label."""
        return {link.key: link for link in reversed(self.links)}

    def link(self, label: str) -> Link | None:
        """Return the first link definition of a label, or None."""
        return find_link(self.content, self.outline.definitions, label)

    def find_section(self, version: Version) -> Section | None:
        """Return the section of a version, or None."""
        return next(self._sections_named(version), None)

    def _sections_named(self, version: Version) -> Iterator[Section]:
        name = str(version)
        needle = name.encode()
        for section in self.sections:
            if self.content.find(needle, section.start, section.body_start) >= 0 and section.title.name == name:
                yield section

    def releases_between(self, *, newest: Version | None = None, oldest: Version | None = None) -> tuple[Section, ...]:
        """Return the releases from `oldest` to `newest`, both included, in the order of the file."""
        releases = [(section, section.version) for section in self.releases if section.version]
        older = [(section, version) for section, version in releases if newest is None or version <= newest]
        return tuple(section for section, version in older if oldest is None or version >= oldest)

    @functools.cached_property
    def previous_versions(self) -> dict[Version, Version]:
        """Return the next lower version by version; the lowest version is left out."""
        versions = sorted({section.version for section in self.releases if section.version})
        return dict(zip(versions[1:], versions, strict=False))

    def candidates_of(self, version: Version) -> tuple[Section, ...]:
        """Return the pre-releases since the last final release below a final version, the oldest first."""
        if version.prerelease:
            return ()
        sections = (section for section in self.sections if _PRE_RELEASE.search(self.content, *section.heading_span))
        pre_releases = [(section.version, section) for section in sections if section.version]
        lower = [(other, section) for other, section in pre_releases if other.prerelease and other < version]
        if not lower:
            return ()
        last_final = self.final_before(version)
        candidates = [(other, section) for other, section in lower if last_final is None or other > last_final]
        return tuple(section for _, section in sorted(candidates, key=lambda pair: pair[0]))

    def version_before(self, version: Version) -> Version | None:
        """Return the version of the newest release, or the next lower one if that is not below a version, or None.

        A final release follows the last final one, because its section holds what those of its candidates hold.
        """
        newest = self.newest_release.version if self.newest_release else None
        versions = (section.version for section in self.releases if section.version)
        if newest is None or newest >= version:
            newest = max((lower for lower in versions if lower < version), default=None)
        return self.final_before(version) if newest and newest.prerelease and not version.prerelease else newest

    def final_before(self, version: Version) -> Version | None:
        """Return the highest final release below a version, or None."""
        versions = (section.version for section in self.releases if section.version)
        return max((lower for lower in versions if lower < version and not lower.prerelease), default=None)

    @property
    def newest_release(self) -> Section | None:
        """Return the first release in the file that has a version, or None."""
        return next((section for section in self.releases if section.version), None)


def parse_changelog(content: bytes, changelog_format: ChangelogFormat = DEFAULT_FORMAT) -> Changelog:
    """Parse a changelog in the format of Keep a Changelog 1.0, 1.1 or 2.0; any Markdown is accepted.

    Args:
        content: the file.
        changelog_format: what its headings mean.

    Raises:
        Refused: the bytes are not UTF-8, or lists and quotations are nested too deeply.
    """
    require_utf8(content)
    return Changelog(content=content, outline=build_outline(content), changelog_format=changelog_format)


def require_unreleased(log: Changelog) -> Section:
    """Return the `[Unreleased]` section.

    Raises:
        Refused: there is no such section, or more than one.
    """
    sections = [section for section in log.sections if section.is_unreleased]
    if not find_unreleased(log):
        hint = 'add one with: inv changelog.add --type added --text "What changed"'
        raise Refused("the changelog has no [Unreleased] section", hint=hint)
    if len(sections) > 1:
        lines = ", ".join(str(section.line) for section in sections)
        message = f"the changelog has {len(sections)} [Unreleased] sections, at lines {lines}"
        raise Refused(message, hint="merge them into one")
    return sections[0]


def find_unreleased(log: Changelog) -> Section | None:
    """Return the first `[Unreleased]` section, or None.

    Raises:
        Refused: a section above the newest release has notes, but is neither a release nor `[Unreleased]`.
    """
    unknown_section = find_unknown_section(log)
    if unknown_section:
        raise Refused(
            f"line {unknown_section.line} of the changelog, {unknown_section.heading_lines[0]!r},"
            " is neither a release nor a known name of [Unreleased]",
            state=NOTHING_CHANGED,
            hint=unknown_section_fix(unknown_section),
        )
    return log.unreleased


def unknown_section_fix(section: Section) -> str:
    """Return what to do about a section that may be `[Unreleased]` by another name."""
    if section.title.is_unreleased or section.changelog_format.read_type_heading(section.heading).type:
        return (
            "give [Unreleased] and releases headings of level 2, as in ## [1.2.3], and types of change those of level 3"
        )
    if section.is_numbered:
        number = re.search(r"\d+(?:\.\d+)*", section.heading)
        parts = [str(int(part)) for part in number[0].split(".")] if number else []
        name = ".".join([*parts, "0", "0"][:3])
        return f"write its version as in ## [{name}], or move its notes to a section ## [Unreleased]"
    import json

    bracketed = re.search(r"\[([^\[\]]+)\]", section.heading)
    name = json.dumps(bracketed[1].strip() if bracketed else section.heading, ensure_ascii=False)
    return f"rename it to ## [Unreleased], or add a table to kaizen.toml: [changelog] with unreleased = [{name}]"


def find_unknown_section(log: Changelog) -> Section | None:
    """Return the section above the newest release whose notes would be left out, or that may be `[Unreleased]`.

    Without any release that is read, headings with numbers are old releases.
    """
    if not log.unreleased and (unreleased := _unreleased_of_level_one(log)):
        return unreleased
    newest = log.newest_release
    for section in log.sections:
        if section is newest or (newest is None and section.is_numbered):
            return None
        if section.heading and not section.is_unreleased and _has_notes(section, log):
            return section
    return None


def _unreleased_of_level_one(log: Changelog) -> Section | None:
    top_sections = _sections(log.content, log.outline.headings, log.changelog_format, level=1)
    return next((top for top in top_sections[:2] if top.title.is_unreleased), None)


def _has_notes(section: Section, log: Changelog) -> bool:
    """Return whether a section that is neither a release nor `[Unreleased]` may note what changed.

    Beside `[Unreleased]`, a section of words without types of change, such as `## Roadmap`, is none.
    """
    if any(group.type and (group.entries or not log.unreleased) for group in section.groups):
        return True
    if re.match(_DOCUMENTATION, section.heading):
        return False
    return not section.is_empty if section.is_numbered else log.unreleased is None


def find_release_of_level_one(log: Changelog) -> Section | None:
    """Return the first section whose heading is a release's, but of level 1, or None."""
    sections = _sections(log.content, log.outline.headings, log.changelog_format, level=1)
    return next((section for section in sections if parse_semantic_version(section.title.name)), None)


def describe_release_of_level_one(section: Section) -> tuple[str, str]:
    """Return what is wrong with a release whose heading has level 1, and the correction."""
    name = section.title.name
    return (
        f"{name} has a heading of level 1, which is not read as a release",
        f"write it as '## [{name}] - YYYY-MM-DD', and so with every other release",
    )


def parse_semantic_version(name: str) -> Version | None:
    """Return the version that a text is, or None."""
    from semver import Version

    try:
        return Version.parse(name)
    except ValueError:
        return None


def _sections(
    content: bytes, headings: tuple[HeadingSpan, ...], changelog_format: ChangelogFormat, *, level: int = 2
) -> tuple[Section, ...]:
    """Return the sections: from a heading of a level to the next heading of level 1 or 2."""
    lines = line_numbers(content, (heading.start for heading in headings))
    ends = [*(heading.start for heading in headings[1:]), len(content)]
    return tuple(
        Section(
            content=content,
            start=heading.start,
            body_start=heading.body_start,
            end=end,
            line=line,
            changelog_format=changelog_format,
        )
        for heading, end, line in zip(headings, ends, lines, strict=False)
        if heading.level == level
    )
