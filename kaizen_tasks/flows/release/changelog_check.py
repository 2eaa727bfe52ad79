"""What `changelog.check` and `doctor` find wrong in the changelog and in the files that belong to it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from kaizen_tasks.flows.release import files, tags

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.lint.problem import LintProblem
    from kaizen_tasks.ports.tools import Tools

EASTERNMOST_OFFSET = dt.timedelta(hours=14)
"""Of the Line Islands, where a day begins first."""


def changelog_problems(tools: Tools) -> tuple[LintProblem, ...]:
    """Return every problem of the changelog, including contradictions to VERSION and the tags of this clone."""
    from kaizen_tasks.domain.changelog.lint.check import apply_rules, check_changelog
    from kaizen_tasks.flows.release import lines

    problems = check_changelog(
        files.read_changelog_bytes(tools),
        version=files.read_version(tools),
        tags=tags.versions_from_tags(tools, tools.scm.tags()),
        repository_url=tools.scm.web_url() or None,
        today=_last_date_today(tools),
        tag_pattern=tools.settings.tag_pattern,
        changelog_format=tools.settings.changelog.format,
        history=lines.history(tools),
    )
    all_problems = (*problems, *_fragment_problems(tools), *_version_file_problems(tools))
    return apply_rules(all_problems, tools.settings.changelog.lint_rules)


def _fragment_problems(tools: Tools) -> tuple[LintProblem, ...]:
    if not tools.settings.changelog.fragments:
        return ()
    from kaizen_tasks.flows.release import fragments

    return fragments.read_fragments(tools).problems + fragments.misplaced_problems(tools)


def _version_file_problems(tools: Tools) -> tuple[LintProblem, ...]:
    if not tools.settings.version_files:
        return ()
    from kaizen_tasks.flows.release import version_files

    return tuple(version_files.lint(tools))


def _last_date_today(tools: Tools) -> dt.date:
    """Return the latest day that it is anywhere on earth, or on which a release is dated here."""
    return max((tools.clock.now() + EASTERNMOST_OFFSET).date(), tools.clock.release_date())
