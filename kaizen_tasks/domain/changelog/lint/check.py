"""Check a changelog: all problems at once, in the order of the file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.lint.check_links import dead_links, missing_links, wrong_compare_links
from kaizen_tasks.domain.changelog.lint.check_sections import section_problems, unreleased_problems
from kaizen_tasks.domain.changelog.lint.check_versions import (
    date_problems,
    heading_problems,
    order_problems,
    tag_problems,
    version_file_problems,
)
from kaizen_tasks.domain.changelog.lint.problem import LintContext, LintProblem
from kaizen_tasks.domain.changelog.markdown.lines import find_decode_error
from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.domain.tag_pattern import DEFAULT_TAG_PATTERN, TagPattern

if TYPE_CHECKING:
    from semver import Version

_RULES = (
    unreleased_problems,
    section_problems,
    heading_problems,
    order_problems,
    date_problems,
    tag_problems,
    version_file_problems,
    missing_links,
    dead_links,
    wrong_compare_links,
)


def check_changelog(
    content: bytes,
    *,
    version: Version | None,
    tags: Sequence[Version] | None,
    repository_url: str | None,
    today: dt.date,
    tag_pattern: TagPattern = DEFAULT_TAG_PATTERN,
) -> tuple[LintProblem, ...]:
    """Return every problem of a changelog.

    Args:
        content: the changelog.
        version: the version in the VERSION file; None skips the rule about it.
        tags: the tagged versions; None or an empty sequence skips the rules about them.
        repository_url: the repository; makes links required in a file without links.
        today: later dates are problems.
        tag_pattern: how versions are tagged.

    Raises:
        Refused: lists or quotations are nested too deeply to be parsed.
    """
    position = find_decode_error(content)
    if position:
        return (_encoding_problem(*position),)
    context = LintContext(
        log=parse_changelog(content),
        version=version,
        tags=tags,
        repository_url=repository_url,
        today=today,
        tag_pattern=tag_pattern,
    )
    problems = [problem for rule in _RULES for problem in rule(context)]
    return tuple(sorted(problems, key=lambda item: (item.line, item.column, item.rule)))


def _encoding_problem(line: int, column: int) -> LintProblem:
    return LintProblem(
        line=line, column=column, rule="not-utf8", message="this byte is not UTF-8", fix="save the file as UTF-8"
    )
