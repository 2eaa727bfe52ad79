"""The running app proves what it is: verify, smoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain import duration
from kaizen_tasks.domain.decision import Act, Done
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.health import Heard, Running
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.errors import VerifyFailed
from kaizen_tasks.flows.deploy import probe, superseded
from kaizen_tasks.flows.ledger import entries

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.ports.tools import Tools


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
            matches = tools.settings.verify.matches
            times = "once" if matches == 1 else f"{matches} times in a row"
            return Done(f"the app answers {release.name} in {self.environment.name}, {times}", release)
        if was_verified(self.environment, release, tools) and self._still_answers(release, tools):
            said = f"the app answers {release.name} in {self.environment.name}, as it was verified before"
            return Done(said, release)
        return Act(f"ask {tools.settings.verify.path} until it proves {release.name}", release)

    def _still_answers(self, release: Release, tools: Tools) -> bool:
        """Ask as often as for a proof, but at once: of two instances, one may be another release by now."""
        url = probe.address(self.environment, tools)
        answers = (probe.running(url, tools) for _ in range(tools.settings.verify.matches))
        return all(probe.is_right(each, self.environment, release) for each in answers)

    def act(self, release: Release, tools: Tools) -> Release:
        """Ask, over a new connection each time, until the configured number of answers in a row are right.

        Raises:
            DeployFailed: the deployment that the release stands on has failed meanwhile.
            VerifyFailed: they were not within the configured time, or another deployment has come in between.
        """
        rules, url, heard = tools.settings.verify, probe.address(self.environment, tools), Heard()
        watch = superseded.Watch(self.environment, release, tools)
        for left in probe.again(rules.timeout, tools):
            running = probe.running(url, tools, patience=min(left, probe.PATIENCE))
            if str(running) != str(heard.last):
                tools.reporter.progress(self.label, f"{url} {running}")
            heard = heard.add(running, right=probe.is_right(running, self.environment, release))
            if heard.right == rules.matches:
                return release.prove(self.label)
            if not heard.right:
                watch.look()
        raise self._unproven(url, heard, release, tools)

    def _unproven(self, url: str, heard: Heard, release: Release, tools: Tools) -> VerifyFailed:
        rules, name = tools.settings.verify, self.environment.name
        lacking = heard.lacking(Running(version=release.name, environment=name), rules.matches)
        return VerifyFailed(
            f"{name}: {url}{rules.path} {lacking}",
            environment=name,
            state=f"the deployment was accepted, but not proven within {duration.show(rules.timeout)}",
            hint=f"look at the service, then ask again: inv verify --env {name} --release {release.name}",
        )


def was_verified(environment: Environment, release: Release, tools: Tools) -> bool:
    newest = entries.newest(environment, tools)
    return newest is not None and newest.event is Event.VERIFIED and newest.proves(release)
