"""Problems of a changelog, and the data that the rules check."""

from __future__ import annotations

import datetime as dt
import functools
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.lint.rules import RULES, Severity
from kaizen_tasks.domain.changelog.model import Changelog
from kaizen_tasks.domain.tag_pattern import TagPattern
from kaizen_tasks.domain.version import highest_below, sort_key

if TYPE_CHECKING:
    from semver import Version  # noqa: TC004 - takes longer to import than a changelog takes to check

    from kaizen_tasks.domain.changelog.section import Section


@attrs.frozen(kw_only=True)
class Age:
    """How old a section is: its version, or that of the release above; whether it is the newest one or unreleased."""

    version: Version | None
    is_current: bool


CURRENT = Age(version=None, is_current=True)
"""The age of `[Unreleased]` and of the file as a whole."""


@attrs.frozen(kw_only=True)
class LintProblem:
    """A problem of a changelog: the broken rule, its severity, the place, a message and a fix.

    Attributes:
        line: counted from 1.
        column: counted from 1.
        rule: name of the rule.
        message: what is wrong.
        fix: how to fix it.
        age: how old the release is that has the problem.
        severity: at first that of the rule by default.
    """

    path: str = ""
    line: int
    column: int = 1
    rule: str
    message: str
    fix: str
    age: Age = CURRENT
    severity: Severity = attrs.field()

    @severity.default
    def _default_severity(self) -> Severity:
        return RULES[self.rule].severity

    def __str__(self) -> str:
        return f"{self.line}: {self.message}, {self.fix}"


@attrs.frozen(kw_only=True)
class LineHistory:
    """What is known of the line that a changelog belongs to.

    Attributes:
        elsewhere: the releases of other lines: they are tagged, but not on the commit that is checked out.
        find_predecessor: returns the release before another one on its line, or None when that is not known.
    """

    elsewhere: frozenset[Version] = frozenset()
    find_predecessor: Callable[[Version], Version | None] = lambda _: None


ONLY_LINE = LineHistory()


@attrs.frozen(kw_only=True)
class LintContext:
    """The data that rules check: a changelog and its project, with None for unknown values."""

    log: Changelog
    version: Version | None
    tags: Sequence[Version] | None
    repository_url: str | None
    today: dt.date
    tag_pattern: TagPattern
    history: LineHistory = ONLY_LINE

    @functools.cached_property
    def versioned_sections(self) -> tuple[tuple[Version, Section], ...]:
        """Return versions and sections of the releases that have a version, in the order of the file."""
        return tuple((section.version, section) for section in self.log.releases if section.version)

    @functools.cached_property
    def newest_version(self) -> Version | None:
        """Return the newest version of this line that has a section, or None."""
        return max(self.own_versions, default=None)

    @functools.cached_property
    def own_versions(self) -> tuple[Version, ...]:
        """Return the versions of this line that have a section, in the order of the file."""
        return tuple(version for version, _ in self.versioned_sections if version not in self.history.elsewhere)

    def own_version_before(self, version: Version) -> Version | None:
        """Return the highest version of this line below a version, or None."""
        return highest_below(version, self._ascending_own_versions)

    @functools.cached_property
    def _ascending_own_versions(self) -> list[Version]:
        return sorted(self.own_versions, key=sort_key, reverse=True)[::-1]

    def sections_below(self, version: Version) -> Iterator[tuple[Version, Section]]:
        """Yield lower versions and their sections, the highest first, and of equal ones the first in the file."""
        return (self._ascending_sections[position] for position in reversed(range(self._count_below(version))))

    def first_section_below(self, version: Version) -> Section | None:
        """Return the first section in the file whose version is lower, or None."""
        count = self._count_below(version)
        return self._first_sections[count - 1] if count else None

    def _count_below(self, version: Version) -> int:
        return bisect_left(self._ascending_sections, sort_key(version), key=lambda pair: sort_key(pair[0]))

    @functools.cached_property
    def _first_sections(self) -> list[Section]:
        """The first one in the file of the lowest section, of the two lowest, of the three lowest, and so on."""
        return list(accumulate([section for _, section in self._ascending_sections], _first))

    @functools.cached_property
    def _ascending_sections(self) -> list[tuple[Version, Section]]:
        return sorted(self.versioned_sections, key=lambda pair: sort_key(pair[0]), reverse=True)[::-1]

    def age(self, section: Section) -> Age:
        """Return how old a section is."""
        return self._ages[section.start]

    @functools.cached_property
    def _ages(self) -> dict[int, Age]:
        """How old each section is, by the offset of its heading."""
        ages, version = {}, self.newest_version
        newest = next((section for section in self.log.releases if section.version == version), None)
        for section in self.log.sections:
            if section.is_unreleased:
                ages[section.start] = CURRENT
            else:
                version = section.version or version
                ages[section.start] = Age(version=version, is_current=section is newest)
        return ages


def _first(section: Section, other: Section) -> Section:
    return section if section.start < other.start else other
