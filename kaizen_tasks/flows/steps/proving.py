"""The running app proves what it is: verify, smoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain import duration
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.plan import Act, Done
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.errors import VerifyFailed
from kaizen_tasks.flows import ledger, probing

if TYPE_CHECKING:
    from kaizen_tasks.config.settings import SmokeCheck
    from kaizen_tasks.domain.plan import Decision
    from kaizen_tasks.ports import Tools


@frozen(kw_only=True)
class Verify:
    """Ask the running app until it has answered right, several times in a row.

    Attributes:
        environment: whose app.
    """

    environment: Environment

    @property
    def label(self) -> Label:
        """Its name and environment."""
        return Label("verify", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """See whether this run has the proof, or an earlier one had and the app still answers right."""
        if self.label in release.proven:
            return Done(f"the app answers {release.name} in {self.environment.name}", release)
        if _was_verified(self.environment, release, tools):
            running = probing.running(probing.address(self.environment, tools), tools)
            if probing.is_right(running, self.environment, release):
                return Done(f"the app {running}, as it was verified before", release)
        return Act(f"ask {tools.settings.verify.path} until it proves {release.name}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Ask until the configured number of consecutive answers are right.

        Raises:
            VerifyFailed: they were not within the configured time.
        """
        rules, url = tools.settings.verify, probing.address(self.environment, tools)
        began, matches, said = tools.clock.elapsed(), 0, ""
        while (left := rules.timeout - (tools.clock.elapsed() - began)) > 0:
            running = probing.running(url, tools, patience=min(left, probing.PATIENCE))
            matches = matches + 1 if probing.is_right(running, self.environment, release) else 0
            if matches == rules.matches:
                return release.prove(self.label)
            if str(running) != said:
                said = str(running)
                tools.reporter.progress(self.label, f"{url} {said}")
            tools.clock.sleep(rules.interval)
        raise VerifyFailed(
            f"{self.environment.name}: {url}{rules.path} {said}, not {release.name} in {self.environment.name}",
            environment=self.environment.name,
            state=f"the deployment was accepted, but not proven within {duration.show(rules.timeout)}",
            hint=f"look at the service, then ask again: inv verify --env {self.environment.name}",
        )


@frozen(kw_only=True)
class Smoke:
    """Run the configured checks against the running app.

    Attributes:
        environment: whose app.
    """

    environment: Environment

    @property
    def label(self) -> Label:
        """Its name and environment."""
        return Label("smoke", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """See whether this run or an earlier one has passed the checks."""
        checks = tools.settings.smoke
        if not checks:
            return Done("no checks are configured", release)
        if self.label in release.proven:
            return Done(f"{_count(checks)} passed", release)
        if _was_verified(self.environment, release, tools):
            return Done(f"{_count(checks)} passed before", release)
        return Act(f"{_count(checks)}: {', '.join(check.path for check in checks)}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Ask each path once and compare.

        Raises:
            VerifyFailed: at least one answer is wrong; all of them are named.
        """
        url = probing.address(self.environment, tools)
        wrong = [fault for check in tools.settings.smoke if (fault := probing.fault(url, check, tools))]
        if wrong:
            raise VerifyFailed(
                f"{self.environment.name}: {'; '.join(wrong)}",
                environment=self.environment.name,
                state=f"{release.name} is running in {self.environment.name} and is not recorded as verified",
                hint=f"look at the app, then ask again: inv verify --env {self.environment.name}",
            )
        return release.prove(self.label)


def _count(checks: tuple[SmokeCheck, ...]) -> str:
    return "1 check" if len(checks) == 1 else f"{len(checks)} checks"


def _was_verified(environment: Environment, release: Release, tools: Tools) -> bool:
    newest = ledger.newest(environment, tools)
    return newest is not None and newest.event is Event.VERIFIED and newest.proves(release)
