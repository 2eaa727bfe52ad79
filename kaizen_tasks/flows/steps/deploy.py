"""From an image in some repository to a service that runs it: copy, deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.decision import Act, Done
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Label, Release
from kaizen_tasks.flows.deploy.deployment import LATEST, Deployment
from kaizen_tasks.flows.deploy.failure import setback
from kaizen_tasks.flows.ledger import entries

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Deploy:
    """Point `:latest` at the release, start the deployment or adopt the one that started by itself, wait for its end.

    Attributes:
        environment: where.
    """

    environment: Environment

    @property
    def label(self) -> Label:
        """Its name and environment."""
        return Label("deploy", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look at what the ledger says of the last deployment, and at `:latest`.

        What this run has seen the platform finish is not asked once more: next, the app itself proves it.
        """
        if self.label in release.proven:
            return Done(f"{self.environment.service} was deployed with {release.name}", release)
        what = f"point {self.environment.repository}:{LATEST} at {release.name}, deploy {self.environment.service}"
        newest = entries.newest(self.environment, tools)
        if not release.digest or newest is None or newest.digest != release.digest:
            return Act(what, release)
        if newest.event is Event.STARTED:
            return Act(f"go on with the deployment that {newest.actor} began", release)
        if newest.event in {Event.FAILED, Event.ABANDONED}:
            return Act(f"{what}, again", release)
        latest = tools.registry.image(self.environment.repository, LATEST)
        if latest is None or latest.digest != release.digest:
            return Act(what, release)
        return Done(f"{self.environment.service} was deployed with {release.name}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Deploy; the ledger has the intent before, and the outcome after.

        Raises:
            Undeployable: the service is paused, and nothing has been changed.
            DeployFailed: the release did not come into service.
        """
        deployment = Deployment(environment=self.environment, release=release, label=self.label, tools=tools)
        outcome = deployment.carry_out()
        if outcome.event is not Event.DEPLOYED:
            raise setback(deployment, outcome)
        entries.append(Event.DEPLOYED, self.environment, release, tools, operation=outcome.operation, took=outcome.took)
        return release.prove(self.label)
