"""The step that deploys an image of the environment's repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import evolve, frozen

from kaizen_tasks.domain.decision import Act, Decision, Done
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.flows.deploy.deployment import Deployment
from kaizen_tasks.flows.deploy.failure import handle_failed_deployment
from kaizen_tasks.flows.deploy.image import find_image_to_run
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.ledger import entries

if TYPE_CHECKING:
    from kaizen_tasks.domain.ledger import LedgerEntry
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Deploy(EnvironmentStep):
    """Tell the service the image, by its tag or by digest; start the deployment or adopt one, and await its end.

    Attributes:
        environment: where to deploy.
        verified_next: whether the steps right after this one are `Verify`, `Smoke` and `Record`, so that the outcome
            is written with that of the verification, in one request.
    """

    step_name: ClassVar[str] = "deploy"
    verified_next: bool = False

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the last deployment in the ledger and the image to run; neither after a deployment by this run."""
        service, environment = self.environment.service, self.environment
        if self.label in release.verified_steps:
            return Done(f"{service} was deployed with {release.name}", release)
        description = f"deploy {service} with {release.name}"
        if environment.follows_tag:
            description = f"point {environment.followed_image} to {release.name}, deploy {service}"
        latest_entry = entries.read_latest_entry(self.environment, tools)
        if not release.digest or latest_entry is None or latest_entry.digest != release.digest:
            return Act(description, release)
        if latest_entry.event is Event.STARTED:
            return Act(f"resume the deployment that {latest_entry.actor} started", release)
        if latest_entry.event in {Event.FAILED, Event.ABANDONED}:
            return Act(f"{description}, again", release)
        image = find_image_to_run(environment, tools)
        if image is None or image.digest != release.digest:
            return Act(description, release)
        return Done(f"{service} was deployed with {release.name}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Deploy; record the intent before, and the outcome after, or leave the outcome to the verification.

        Raises:
            Undeployable: the service is paused, and nothing has been changed.
            DeployFailed: the release did not come into service.
        """
        outcome = deploy(Deployment(environment=self.environment, release=release, label=self.label, tools=tools))
        if not self.verified_next:
            entries.write(outcome, tools)
        deployed_release = release.with_verified_step(self.label)
        return evolve(deployed_release, outcome=outcome) if self.verified_next else deployed_release


def deploy(deployment: Deployment, *, failure_state: str = "", failure_hint: str = "") -> LedgerEntry:
    """Run a deployment, and return the entry that it has succeeded; a failure is recorded in the ledger.

    Args:
        deployment: the deployment to run.
        failure_state: the state for the error of a failure; empty says where the tag points.
        failure_hint: the hint for the error of a failure; empty says how to retry.

    Raises:
        DeployFailed: the release did not come into service.
        Superseded: somebody's later deployment has taken its place.
    """
    outcome = deployment.run()
    if outcome.event is not Event.DEPLOYED:
        raise handle_failed_deployment(deployment, outcome, state=failure_state, hint=failure_hint)
    fields: entries.EntryFields = {"operation": outcome.operation, "took": outcome.duration_seconds}
    return entries.new_entry(Event.DEPLOYED, deployment.environment, deployment.release, deployment.tools, **fields)
