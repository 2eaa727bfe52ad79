"""Problems of a changelog, and the data that the rules check."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.model import Changelog, Section
from kaizen_tasks.domain.tag_pattern import TagPattern

if TYPE_CHECKING:
    from semver import Version  # noqa: TC004 - takes longer to import than a changelog takes to check


@attrs.frozen(kw_only=True)
class LintProblem:
    """A problem of a changelog: the broken rule, the place, a message and a fix; line and column count from 1."""

    path: str = ""
    line: int
    column: int = 1
    rule: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.line}: {self.message}, {self.fix}"


@attrs.frozen(kw_only=True)
class LintContext:
    """The data that rules check: a changelog and its project, with None for unknown values."""

    log: Changelog
    version: Version | None
    tags: Sequence[Version] | None
    repository_url: str | None
    today: dt.date
    tag_pattern: TagPattern

    @functools.cached_property
    def versioned_sections(self) -> tuple[tuple[Version, Section], ...]:
        """Return versions and sections of the releases that have a version, in the order of the file."""
        return tuple((section.version, section) for section in self.log.releases if section.version)
