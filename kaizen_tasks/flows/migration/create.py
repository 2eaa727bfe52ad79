"""The steps that give an environment its second service, with the release that serves, and prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import frozen

from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.migration.definition import CREATION_TAG
from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.domain.text.listing import counted
from kaizen_tasks.errors import DeployFailed
from kaizen_tasks.flows.deploy.wait import DeploymentWaiter, wait_for_operation
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.migration import waiting
from kaizen_tasks.flows.migration.plan import EnvironmentPlan, begun_elsewhere, read_migration, with_flags
from kaizen_tasks.flows.steps.smoke import Smoke
from kaizen_tasks.flows.steps.verify import Verify

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.domain.service import Operation, Service
    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.ports.tools import Tools

MAX_DEPLOYMENTS = 3
"""How many deployments are started or waited for: somebody else's may run before ours."""


def creation_flow(plan: EnvironmentPlan, command_line: str) -> Flow:
    """Return the steps that create the new service, or bring it the release that serves now, and prove it.

    Args:
        plan: the migration.
        command_line: what to type to go on.
    """
    environment = plan.new_environment
    return (
        RecordMigration(environment=environment, plan=plan),
        CreateService(environment=environment, plan=plan, command_line=command_line),
        ProveVersion(environment=environment, plan=plan, command_line=command_line),
        ProveSmoke(environment=environment, plan=plan, command_line=command_line),
    )


@frozen(kw_only=True)
class RecordMigration(EnvironmentStep):
    """Record in the ledger that the environment gets a second service, before that is created.

    Attributes:
        environment: the environment with its new service.
        plan: the migration.
    """

    step_name: ClassVar[str] = "record"
    plan: EnvironmentPlan

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for the entry, and for the release in it."""
        migration, name, title = read_migration(self.environment, tools), self.environment.name, self._title
        if migration is None:
            return Act(f"record in the ledger that {name} moves to {title}", release)
        if self.plan.leads_elsewhere(migration):
            reason, hint = begun_elsewhere(self.environment, migration)
            return Refuse(reasons=(reason,), hint=hint)
        if migration.digest != release.digest or migration.url != self.environment.url:
            return Act(f"record in the ledger that {release.name} goes to {title} too", release)
        return Done(f"the ledger says that {name} moves to {title}", release)

    @property
    def _title(self) -> str:
        return self.environment.kind.title

    def act(self, release: Release, tools: Tools) -> Release:
        """Append the entry."""
        ledger.append(
            Event.MIGRATING,
            self.environment,
            release,
            tools,
            operation=self.plan.new_id,
            replaces=self.plan.source.id,
            platform=self.environment.platform,
            url=self.environment.url,
            reason=f"from {self.plan.environment.kind.title} to {self._title}",
        )
        return release


@frozen(kw_only=True)
class CreateService(EnvironmentStep):
    """Create the new service, or deploy the release to it, and wait until that has succeeded.

    Attributes:
        environment: the environment with its new service.
        plan: the migration.
        command_line: what to type to go on.
    """

    step_name: ClassVar[str] = "create"
    plan: EnvironmentPlan
    command_line: str

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the new service, its image and its deployments."""
        service, name = waiting.find_service(self.environment, tools), self.environment.service
        title = self.environment.kind.title
        if service is None:
            return Act(f"create {name} in {title} with {release.name}", release)
        if service.status is ServiceStatus.UNAVAILABLE:
            return Act(f"create {name} in {title} with {release.name}, once the one before it is deleted", release)
        return self._decide_for(service, release, tools)

    def _decide_for(self, service: Service, release: Release, tools: Tools) -> Decision:
        """Return what to do with a service that exists."""
        name, title = service.name, self.environment.kind.title
        if not self._is_own(service, tools):
            repository = _repository(service)
            reason = f"there is a {name} in {self.environment.cluster} already, which runs {repository or 'no image'}"
            again = with_flags(self.command_line, {"--service": "NAME"})
            return Refuse(reasons=(reason,), hint=f"choose another name: {again}")
        latest = waiting.latest_deployment(service, self.environment, tools)
        if latest is not None and not latest.is_finished:
            return Act(f"wait for the deployment of {name} in {title}", release)
        if _runs(release, service, latest):
            return Done(f"{name} in {title} was deployed with {release.name}", release)
        if self._has_never_run(service, tools):
            return Act(f"create {name} in {title} again, as its first deployment has failed", release)
        return Act(f"deploy {release.name} to {name} in {title}", release)

    def _is_own(self, service: Service, tools: Tools) -> bool:
        """Return whether a migration of the environment has created the service, or it runs the environment's images.

        The latter is so of a service that Terraform has created.
        """
        return self._is_created_here(service, tools) or _repository(service) == self.environment.repository

    def _is_created_here(self, service: Service, tools: Tools) -> bool:
        tag = tools.at(self.environment).migration_target.creation_tag(service)
        return tag == self.plan.definition.tags[CREATION_TAG]

    def act(self, release: Release, tools: Tools) -> Release:
        """Create the service, or start a deployment, and wait for the end of whatever runs.

        Raises:
            DeployFailed: the new service does not run the release; the old one serves as before.
        """
        self._create_if_needed(release, tools)
        platform = tools.at(self.environment).platform
        for _ in range(MAX_DEPLOYMENTS):
            service, latest = self._wait_until_listed(tools)
            if _runs(release, service, latest) and (latest is None or latest.is_finished):
                break
            operation = latest.id if latest is not None and not latest.is_finished else ""
            operation = operation or platform.start_deployment(service, self.plan.definition.image)
            if operation:
                self._wait_for(operation, service, release, tools)
            else:
                tools.clock.sleep(waiting.POLL_INTERVAL_SECONDS)
        return release

    def _create_if_needed(self, release: Release, tools: Tools) -> None:
        service, target = waiting.find_service(self.environment, tools), tools.at(self.environment).migration_target
        if service is not None and service.status is not ServiceStatus.UNAVAILABLE:
            if not self._has_never_run(service, tools):
                return
            if not self._is_created_here(service, tools):
                message = f"the first deployment of {service.name} has failed, and this task has not created it"
                raise self._failure(message, release, remedy="delete it where it was created")
            target.delete_service(service)
        waiting.wait_for_service(
            self.environment, lambda found: found is None, "deleted", tools, command_line=self.command_line
        )
        target.create_service(self.plan.definition)

    def _wait_until_listed(self, tools: Tools) -> tuple[Service, Operation | None]:
        """Return the service and its newest deployment; both are listed only some time after the creation."""
        for _ in waiting.polls(tools):
            service = waiting.find_service(self.environment, tools)
            latest = waiting.latest_deployment(service, self.environment, tools) if service else None
            if service is not None and latest is not None:
                return service, latest
        timeout = f"{self.environment.service} was created, and no deployment of it appeared"
        raise DeployFailed(timeout, state="it may still begin", hint=f"look again: {self.command_line}")

    def _wait_for(self, operation: str, service: Service, release: Release, tools: Tools) -> None:
        waiter = DeploymentWaiter(
            platform=tools.at(self.environment).platform,
            service=service,
            release_name=release.name,
            label=self.label,
            tools=tools,
            deadline=tools.clock.monotonic() + tools.settings.deploy.timeout,
            typical_seconds=0.0,
        )
        outcome = wait_for_operation(operation, waiter)
        if outcome.event is not Event.DEPLOYED:
            latest = waiting.latest_deployment(service, self.environment, tools)
            last_words = waiting.show_logs(self.environment, service, latest, self.label, tools)
            ending = f"; the app's log ends with: {last_words}" if last_words else ""
            raise self._failure(f"{outcome.message}{ending}", release, remedy="correct what is wrong")

    def _has_never_run(self, service: Service, tools: Tools) -> bool:
        """Return whether deployments of a service have ended, and none of them with success."""
        operations = tools.at(self.environment).platform.list_operations(service)
        deployments = [operation for operation in operations if operation.deploys]
        return bool(deployments) and all(deployment.has_failed for deployment in deployments)

    def _failure(self, message: str, release: Release, *, remedy: str) -> DeployFailed:
        state = f"{self.plan.environment.kind.title} serves {release.name} as before"
        return DeployFailed(message, state=state, hint=f"{remedy}, then: {self.command_line}")


def _runs(release: Release, service: Service, latest: Operation | None) -> bool:
    """Return whether a service was deployed with a release, by the platform's word."""
    is_deployed = latest is None or latest.succeeded
    return is_deployed and (service.running_digest or service.image_reference) == release.digest


def _repository(service: Service) -> str:
    """Return the repository of a service's image; empty without an image."""
    return service.image.partition("/")[2].partition("@")[0].partition(":")[0]


@frozen(kw_only=True)
class ProveVersion(Verify):
    """Ask the new service at its own address until it proves the release, each time anew.

    Attributes:
        environment: the environment with its new service.
        plan: the migration.
        command_line: what to type to go on.
    """

    step_name: ClassVar[str] = "prove"
    plan: EnvironmentPlan
    command_line: str

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Check whether this run has the proof."""
        title, name = self.environment.kind.title, self.environment.name
        if self.label in release.verified_steps:
            return Done(f"the app answers {release.name} in {name} on {title}", release)
        return Act(f"ask {tools.settings.verify.path} on {title} until it proves {release.name}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Ask the new service.

        Raises:
            VerifyFailed: it does not prove the release; the old service serves as before.
        """
        with waiting.old_service_serves(self.plan.environment.kind.title, release.name, self.command_line):
            return super().act(release, tools)


@frozen(kw_only=True)
class ProveSmoke(Smoke):
    """Run the smoke checks against the new service, each time anew: the old one's results say nothing of this one.

    Attributes:
        environment: the environment with its new service.
        plan: the migration.
        command_line: what to type to go on.
    """

    step_name: ClassVar[str] = "smoke"
    plan: EnvironmentPlan
    command_line: str

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Check whether this run has passed the checks."""
        checks = counted(len(tools.settings.smoke), "check")
        if not tools.settings.smoke:
            return Done("no checks are configured", release)
        if self.label in release.verified_steps:
            return Done(f"{checks} passed on {self.environment.kind.title}", release)
        return Act(f"{checks} on {self.environment.kind.title}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Run the checks.

        Raises:
            VerifyFailed: checks failed; the old service serves as before.
        """
        with waiting.old_service_serves(self.plan.environment.kind.title, release.name, self.command_line):
            return super().act(release, tools)
