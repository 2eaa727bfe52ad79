"""A changelog: its sections with their offsets in the file. Entries are parsed when they are first read."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat
from kaizen_tasks.domain.changelog.link_index import Link, all_links, find_link
from kaizen_tasks.domain.changelog.markdown.lines import require_utf8
from kaizen_tasks.domain.changelog.outline import Outline, build_outline
from kaizen_tasks.domain.changelog.section import Section, Sections, parse_semantic_version
from kaizen_tasks.domain.version import highest_below, sort_key
from kaizen_tasks.errors import NOTHING_CHANGED, Refused

if TYPE_CHECKING:
    from semver import Version

_DOCUMENTATION = (
    r"(?i)\W*(?:about|(?:table of )?contents?|toc|introduction|intro|overview|preface|legend|key|index|versioning"
    r"|(?:our )?(?:guiding )?principles|types of|how to|format|conventions?|notation|policy|release policy|semantic"
    r"|change[- ]?logs?|history|release notes|更新日志|变更日志|変更履歴|更新履歴"
    r"|template|migrat\w+|upgrad\w+|guidelines?|instructions?|resources|links|see also|versions|releases)\b"
)
"""The first words of headings that explain the file, in which nothing is noted."""

_PRE_RELEASE = rb"\d\.\d+-[0-9A-Za-z]"


@attrs.frozen(kw_only=True)
class Changelog:
    """A changelog: its bytes and its outline."""

    content: bytes = attrs.field(repr=False)
    outline: Outline = attrs.field(repr=False)
    changelog_format: ChangelogFormat = DEFAULT_FORMAT

    @functools.cached_property
    def sections(self) -> Sections:
        """Return all sections, in the order of the file."""
        return Sections(self.content, self.outline, self.changelog_format)

    @property
    def titled_sections(self) -> Sections:
        """Return the sections below headings of level 1."""
        return Sections(self.content, self.outline, self.changelog_format, level=1)

    @functools.cached_property
    def unreleased(self) -> Section | None:
        """Return the first `[Unreleased]` section, or None."""
        return next(self.iterate_unreleased(), None)

    def iterate_unreleased(self) -> Iterator[Section]:
        """Yield the sections that are `[Unreleased]`, which should be one."""
        return (section for section in self.sections.not_numbered() if section.is_unreleased)

    @functools.cached_property
    def releases(self) -> tuple[Section, ...]:
        """Return the sections of releases, in the order of the file."""
        return tuple(self.iterate_releases())

    def iterate_releases(self) -> Iterator[Section]:
        """Yield the sections of releases, of which most need not be read to find the first."""
        return (section for section in self.sections if not section.is_unreleased)

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
        name = str(version)
        sections = self.sections.mentioning(name.encode())
        return next((section for section in sections if section.title.name == name), None)

    def releases_between(self, *, newest: Version | None = None, oldest: Version | None = None) -> tuple[Section, ...]:
        """Return the releases from `oldest` to `newest`, both included, in the order of the file."""
        releases = [(section, section.version) for section in self.releases if section.version]
        older = [(section, version) for section, version in releases if newest is None or version <= newest]
        return tuple(section for section, version in older if oldest is None or version >= oldest)

    @functools.cached_property
    def previous_versions(self) -> dict[Version, Version]:
        """Return the next lower version by version; the lowest version is left out."""
        versions = sorted({section.version for section in self.releases if section.version}, key=sort_key)
        return dict(zip(versions[1:], versions, strict=False))

    def candidates_of(self, version: Version) -> tuple[Section, ...]:
        """Return the pre-releases since the last final release below a final version, the oldest first."""
        if version.prerelease:
            return ()
        has_pre_release = re.compile(_PRE_RELEASE).search
        sections = (section for section in self.sections if has_pre_release(self.content, *section.heading_span))
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
        versions = (section.version for section in self.iterate_releases() if section.version)
        if newest is None or newest >= version:
            newest = max((lower for lower in versions if lower < version), default=None)
        return self.final_before(version) if newest and newest.prerelease and not version.prerelease else newest

    def final_before(self, version: Version) -> Version | None:
        """Return the highest final release below a version, or None."""
        return highest_below(version, self._final_versions)

    @functools.cached_property
    def _final_versions(self) -> list[Version]:
        """The final releases, the lowest first; of equal ones the first in the file is last."""
        versions = (section.version for section in reversed(self.releases))
        return sorted((version for version in versions if version and not version.prerelease), key=sort_key)

    @functools.cached_property
    def newest_release(self) -> Section | None:
        """Return the first release in the file that has a version, or None."""
        return next((section for section in self.iterate_releases() if section.version), None)


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
    sections = list(log.iterate_unreleased())
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
    return next((top for top in log.titled_sections[:2] if top.title.is_unreleased), None)


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
    return next((section for section in log.titled_sections if parse_semantic_version(section.title.name)), None)


def describe_release_of_level_one(section: Section) -> tuple[str, str]:
    """Return what is wrong with a release whose heading has level 1, and the correction."""
    name = section.title.name
    return (
        f"{name} has a heading of level 1, which is not read as a release",
        f"write it as '## [{name}] - YYYY-MM-DD', and so with every other release",
    )
