"""The step that runs the smoke checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import frozen

from kaizen_tasks.domain.decision import Act, Decision, Done
from kaizen_tasks.domain.text import duration
from kaizen_tasks.errors import Unproven, VerifyFailed
from kaizen_tasks.flows.deploy import probe
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.ledger.entries import keeping_outcome, was_verified
from kaizen_tasks.flows.step import ProbeStep

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.domain.smoke import SmokeCheck
    from kaizen_tasks.ports.tools import Tools

CACHE_REMEDY = "exclude the path from the cache, or accept that: cached = true in [[smoke]]"


@frozen(kw_only=True)
class Smoke(ProbeStep, EnvironmentStep):
    """Run the configured checks against the running app."""

    step_name: ClassVar[str] = "smoke"

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Check whether this run or an earlier one has passed the checks."""
        checks = tools.settings.smoke
        if not checks:
            return Done("no checks are configured", release)
        if self.label in release.verified_steps:
            return Done(f"{_count(checks)} passed", release)
        if was_verified(self.environment, release, tools):
            return Done(f"{_count(checks)} passed before", release)
        names = ", ".join(check.name or check.title.removeprefix("GET ") for check in checks)
        return Act(f"{_count(checks)}: {names}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Run every check, and report each.

        Raises:
            VerifyFailed: checks failed; the message names all of them.
            Unproven: the answers to all of these came from a cache, or the requests did not get to the app.
        """
        with keeping_outcome(release, tools):
            return self._run_checks(release, tools)

    def _run_checks(self, release: Release, tools: Tools) -> Release:
        url, checks = probe.probe_url(self.environment, tools), tools.settings.smoke
        results = [self._check(url, check, tools) for check in checks]
        failed = [result for result in results if result.failure]
        failures = [result.failure for result in failed]
        if not failures:
            return release.with_verified_step(self.label)
        name = self.environment.name
        if all(result.is_unproven for result in failed):
            remedy = next((result.network_remedy for result in failed if result.network_remedy), CACHE_REMEDY)
            raise Unproven.of_release(release.name, environment=name, answers="; ".join(failures), remedy=remedy)
        raise VerifyFailed(
            f"{name}: {len(failures)} of {_count(checks)} failed: {'; '.join(failures)}",
            environment=name,
            state=f"{release.name} is running in {name} and is not recorded as verified",
            hint=f"look at the app, then check again: inv verify --env {name} --release {release.name}",
        )

    def _check(self, url: str, check: SmokeCheck, tools: Tools) -> _Result:
        started_at = tools.clock.monotonic()
        response = probe.run_smoke_check(self.environment, url, check, tools)
        elapsed = duration.format_duration(tools.clock.monotonic() - started_at)
        failures = check.failures(response)
        result = f"{check.title} {', '.join(failures) or check.describe_pass(response)}"
        tools.reporter.checked(self.label, f"{result} ({elapsed})", ok=not failures)
        return _Result(
            failure=result if failures else "",
            is_unproven=check.is_unproven(response),
            network_remedy=response.network_remedy,
        )


@frozen(kw_only=True)
class _Result:
    """The result of a check: what failed, or an empty text, and whether that says nothing about the app."""

    failure: str
    is_unproven: bool
    network_remedy: str


def _count(checks: tuple[SmokeCheck, ...]) -> str:
    return "1 check" if len(checks) == 1 else f"{len(checks)} checks"
