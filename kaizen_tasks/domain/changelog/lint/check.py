"""Check a changelog: all problems at once, in the order of the file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat
from kaizen_tasks.domain.changelog.lint import check_links, check_sections, check_versions
from kaizen_tasks.domain.changelog.lint.problem import ONLY_LINE, LineHistory, LintContext, LintProblem
from kaizen_tasks.domain.changelog.markdown.lines import find_decode_error
from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.domain.tag_pattern import DEFAULT_TAG_PATTERN, TagPattern

if TYPE_CHECKING:
    from semver import Version

    from kaizen_tasks.domain.changelog.lint.rules import LintRules, Severity

_CHECKS = (
    check_sections.unreleased_problems,
    check_sections.section_problems,
    check_versions.heading_problems,
    check_versions.level_problems,
    check_versions.order_problems,
    check_versions.date_problems,
    check_versions.tag_problems,
    check_versions.version_file_problems,
    check_links.missing_links,
    check_links.dead_links,
    check_links.wrong_compare_links,
)


def check_changelog(  # noqa: PLR0913 - everything that a changelog may contradict
    content: bytes,
    *,
    version: Version | None,
    tags: Sequence[Version] | None,
    repository_url: str | None,
    today: dt.date,
    tag_pattern: TagPattern = DEFAULT_TAG_PATTERN,
    changelog_format: ChangelogFormat = DEFAULT_FORMAT,
    history: LineHistory = ONLY_LINE,
) -> tuple[LintProblem, ...]:
    """Return every problem of a changelog, with the default severity of its rule.

    Args:
        content: the changelog.
        version: the version in the VERSION file; None skips the rule about VERSION.
        tags: the tagged versions; None or an empty sequence skips the rules about tags.
        repository_url: the repository, whose links become required in a changelog without links.
        today: today's date; later dates are problems.
        tag_pattern: pattern of the tags of versions.
        changelog_format: what the headings of the changelog mean.
        history: what is known of the line that the changelog belongs to.

    Raises:
        Refused: lists or quotations are nested too deeply to be parsed.
    """
    if position := find_decode_error(content):
        return (_decode_problem(*position),)
    context = LintContext(
        log=parse_changelog(content, changelog_format),
        version=version,
        tags=tags,
        repository_url=repository_url,
        today=today,
        tag_pattern=tag_pattern,
        history=history,
    )
    problems = (problem for check in _CHECKS for problem in check(context))
    return tuple(sorted(problems, key=lambda item: (item.line, item.column, item.rule)))


def apply_rules(problems: Iterable[LintProblem], rules: LintRules) -> tuple[LintProblem, ...]:
    """Return problems with their severities, without those that are off."""
    judged = (attrs.evolve(problem, severity=_severity(problem, rules)) for problem in problems)
    return tuple(problem for problem in judged if problem.severity != "off")


def _severity(problem: LintProblem, rules: LintRules) -> Severity:
    age, default = problem.age, problem.severity
    return rules.severity(problem.rule, default=default, version=age.version, is_current=age.is_current)


def _decode_problem(line: int, column: int) -> LintProblem:
    message, fix = "this byte is not UTF-8", "save the file as UTF-8"
    return LintProblem(line=line, column=column, rule="not-utf8", message=message, fix=fix)
