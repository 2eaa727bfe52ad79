"""Asks what `doctor` asks before environments are changed: problems refuse the change, warnings are shown.

Its checks are those of `doctor` that say whether the change can succeed; decision 0031 says which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.doctor import Finding, Verdict
from kaizen_tasks.domain.text.listing import counted
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.deploy import first_deployment
from kaizen_tasks.flows.doctor import account, app, engine, environment
from kaizen_tasks.flows.parallel import map_parallel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.doctor.check import Check
    from kaizen_tasks.ports.tools import Tools

MAX_CONCURRENT_CHECKS = 32
MAX_WARNINGS_SHOWN = 3


def find_problems(environments: Sequence[Environment], tools: Tools, *, builds: bool = False) -> tuple[Finding, ...]:
    """Run the checks that precede a change of environments, show the warnings, and return the problems.

    Args:
        environments: those that will be changed.
        tools: the ports.
        builds: whether an image is built for them too.
    """
    checks = [check for check in _checks(environments, tools, builds=builds) if check.before_changes]
    results = map_parallel(_run, checks, max_workers=MAX_CONCURRENT_CHECKS)
    findings = tuple(finding for result in results for finding in result)
    _show_warnings([finding for finding in findings if finding.verdict is Verdict.WARNING], tools)
    return tuple(finding for finding in findings if finding.verdict is Verdict.PROBLEM)


def _checks(environments: Sequence[Environment], tools: Tools, *, builds: bool) -> Iterator[Check]:
    if builds:
        yield from engine.checks(tools)
        yield from app.checks(tools)
    yield from account.checks_without_credentials(tools)
    yield from account.checks_before_changes(environments, tools)
    tag_rules = environment.TagRules(environments, tools)
    for target in environments:
        yield from environment.checks(target, tools, tag_rules)


def _run(check: Check) -> tuple[Finding, ...]:
    """Return the findings of a check, none of them graver than the check may be before a change."""
    findings = check.run()
    if check.before_changes is Verdict.PROBLEM:
        return findings
    return tuple(
        evolve(each, verdict=Verdict.WARNING) if each.verdict is Verdict.PROBLEM else each for each in findings
    )


def _show_warnings(warnings: Sequence[Finding], tools: Tools) -> None:
    for warning in warnings[:MAX_WARNINGS_SHOWN]:
        tools.reporter.note(f"  warning: {describe(warning)}; {warning.fix}")
    if hidden_count := len(warnings[MAX_WARNINGS_SHOWN:]):
        tools.reporter.note(f"  and {counted(hidden_count, 'more warning')}: inv doctor")


def without_first_deployments(problems: Sequence[Finding], release: Release, tools: Tools) -> tuple[Finding, ...]:
    """Return the problems that refuse a release: a first deployment needs no service, since the image comes first."""
    suspects = {each.subject.environment for each in problems if each.subject.check == "service"}
    environments = [tools.settings.environments[name] for name in suspects]
    new = {each.name: each for each in environments if first_deployment.needs_service(each, release, tools)}
    for name in new:
        tools.reporter.note(f"  {name} has no service yet: its image and its tag come first")
    return tuple(
        evolve(problem, fix=first_deployment.create_command(new[name])) if name in new else problem
        for problem in problems
        if (name := problem.subject.environment) not in new or problem.subject.check != "service"
    )


def require_no_problems(environments: Sequence[Environment], tools: Tools) -> None:
    """Refuse a change of environments that cannot take a deployment; show what is not as it should be.

    Raises:
        Refused: there are problems; the error lists all of them.
    """
    refuse(find_problems(environments, tools))


def refuse(problems: Sequence[Finding]) -> None:
    """Raise an error with all problems, if there are any.

    Raises:
        Refused: there are problems.
    """
    if not problems:
        return
    first, *others = problems
    also = f"also: {'; '.join(map(describe, others))}; {NOTHING_CHANGED}" if others else NOTHING_CHANGED
    hint = "see how to fix each of these: inv doctor, then run the same command again"
    raise Refused(describe(first), state=also, hint=hint if others else first.fix)


def describe(finding: Finding) -> str:
    """Return the message of a finding, with the environment's name."""
    name = finding.subject.environment
    return finding.message if not name or name in finding.message else f"{name}: {finding.message}"
