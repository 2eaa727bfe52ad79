"""Services, their revisions and their deployments as immutable values, each service stored as one JSON file."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.ecs.circuit_breaker import failure_threshold
from kaizen_tasks.localcloud.ecs.ecs_errors import now
from kaizen_tasks.localcloud.server.http_message import JsonObject
from kaizen_tasks.localcloud.state.values import ValueStore

if TYPE_CHECKING:
    from pathlib import Path

ACTIVE, DRAINING, INACTIVE = "ACTIVE", "DRAINING", "INACTIVE"
FINAL_STATUSES = frozenset({"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"})

_MAX_EVENTS = 100  # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
_TICK = 0.001  # the resolution of times
_MAX_DEPLOYMENTS = 100  # a service's file is rewritten at every change


@attrs.frozen(kw_only=True)
class ServiceRevision:
    """What the tasks of a service are started from.

    Args:
        arn: its ARN, which ends with a number.
        created: seconds since the epoch.
        task_definition: the ARN of the task definition.
        digests: the digests of the images by the names of their containers.
        settings: the members of CreateService that a revision has, such as `networkConfiguration`.
        express: the members of an Express configuration, such as `primaryContainer`; None for another service.
    """

    arn: str
    created: float
    task_definition: str
    digests: dict[str, str]
    settings: JsonObject
    express: JsonObject | None = None

    @property
    def number(self) -> str:
        """Return what its ARN ends with."""
        return self.arn.rpartition("/")[2]


@attrs.frozen(kw_only=True)
class ServiceDeployment:
    """A deployment of a revision; times are seconds since the epoch, None for what has not happened.

    Args:
        arn: its ARN.
        target: the ARN of the revision that is deployed.
        source: the ARN of the revision that it replaces, and that a rollback returns to; empty if there is none.
        superseded: the ARN of a revision whose deployment it has ended; empty if there is none.
        configuration: the `deploymentConfiguration` of the service when it was created.
        desired_count: the tasks that it starts.
        status: its status, such as `IN_PROGRESS`.
        reason: why it has that status; empty if there is nothing to say.
        stage: its lifecycle stage.
        weight: the share of the traffic that the target gets, in percent.
        failed_tasks: tasks of the target that did not become healthy.
        is_tripped: whether the circuit breaker has ended it.
        triggered_alarms: the names of the alarms that have ended it.
        rollback: the members of the API's `Rollback`; None if it is not rolled back.
    """

    arn: str
    target: str
    source: str
    superseded: str
    configuration: JsonObject
    desired_count: int
    created: float
    updated: float
    started: float | None = None
    finished: float | None = None
    stopped: float | None = None
    status: str = "PENDING"
    reason: str = ""
    stage: str = ""
    weight: float = 0.0
    failed_tasks: int = 0
    is_tripped: bool = False
    triggered_alarms: tuple[str, ...] = ()
    rollback: JsonObject | None = None

    @property
    def is_finished(self) -> bool:
        """Return whether its status is final."""
        return self.status in FINAL_STATUSES

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the ARNs of all revisions that it replaces."""
        return tuple(arn for arn in (self.source, self.superseded) if arn)

    @property
    def has_breaker(self) -> bool:
        """Return whether its circuit breaker is enabled."""
        return bool(self.configuration.get("deploymentCircuitBreaker", {}).get("enable"))

    @property
    def failure_threshold(self) -> int:
        """Return how many failed tasks trip the circuit breaker."""
        return failure_threshold(self.configuration, self.desired_count)

    def with_status(self, status: str, reason: str = "", *, after: float = 0.0) -> ServiceDeployment:
        """Return the deployment with another status, and the reason of it if there is one.

        Args:
            status: the status.
            reason: why it has that status.
            after: a time that is before the change, in seconds since the epoch.
        """
        time = max(now(), round(after + _TICK, 3))
        changed = attrs.evolve(self, status=status, reason=reason or self.reason, updated=time)
        if status == "STOPPED":
            changed = attrs.evolve(changed, stopped=time)
        return attrs.evolve(changed, finished=time) if status in FINAL_STATUSES else changed

    def with_failed_task(self) -> ServiceDeployment:
        """Return the deployment with one more failed task, unless its circuit breaker has counted enough of them."""
        if self.is_tripped:
            return self
        failed_tasks = self.failed_tasks + 1
        is_tripped = self.has_breaker and failed_tasks >= self.failure_threshold
        return attrs.evolve(self, failed_tasks=failed_tasks, is_tripped=is_tripped, updated=now())


@attrs.frozen(kw_only=True)
class ServiceEvent:
    """A line of a service's events; `created` is in seconds since the epoch."""

    id: str
    created: float
    message: str


@attrs.frozen(kw_only=True)
class EcsService:
    """A service of a cluster.

    Args:
        arn: its ARN.
        name: its name.
        cluster_arn: the ARN of its cluster.
        port: its public port on loopback.
        status: `ACTIVE`, `DRAINING` or `INACTIVE`.
        created: seconds since the epoch.
        updated: seconds since the epoch.
        desired_count: the tasks that it is to have.
        settings: the members of CreateService that DescribeServices answers, such as `launchType`.
        infrastructure_role: the ARN of the infrastructure role of Express Mode; empty for another service.
        tags: its tags.
        creation: the request that has created it, as JSON: an identical one is answered with the service.
        serving: the ARN of the revision that was deployed last; empty before the first deployment.
        revisions: the latest revisions, oldest first.
        deployments: the latest deployments, oldest first.
        events: the latest events, oldest first.
    """

    arn: str
    name: str
    cluster_arn: str
    port: int
    status: str = ACTIVE
    created: float
    updated: float
    desired_count: int
    settings: JsonObject
    infrastructure_role: str = ""
    tags: dict[str, str]
    creation: str
    serving: str = ""
    revisions: tuple[ServiceRevision, ...] = ()
    deployments: tuple[ServiceDeployment, ...] = ()
    events: tuple[ServiceEvent, ...] = ()

    @property
    def is_express(self) -> bool:
        """Return whether it is a service of Express Mode."""
        return bool(self.infrastructure_role)

    @property
    def cluster(self) -> str:
        """Return the name of its cluster."""
        return self.cluster_arn.rpartition("/")[2]

    @property
    def running_deployment(self) -> ServiceDeployment | None:
        """Return the deployment that is under way, or None."""
        unfinished = (deployment for deployment in self.deployments[::-1] if not deployment.is_finished)
        return next(unfinished, None)

    def revision(self, arn: str) -> ServiceRevision:
        """Return a revision; raise KeyError if there is none."""
        return {revision.arn: revision for revision in self.revisions}[arn]

    def deployment(self, arn: str) -> ServiceDeployment:
        """Return a deployment; raise KeyError if there is none."""
        return {deployment.arn: deployment for deployment in self.deployments}[arn]

    def with_revision(self, revision: ServiceRevision) -> EcsService:
        """Return the service with another revision; those that serve or that deployments name are kept."""
        named = {arn for known in self.deployments for arn in (known.target, *known.sources)} | {self.serving}
        kept = tuple(known for known in self.revisions if known.arn in named)
        return attrs.evolve(self, revisions=(*kept, revision))

    def with_deployment(self, deployment: ServiceDeployment) -> EcsService:
        """Return the service with a deployment, which replaces the one with the same ARN."""
        if any(known.arn == deployment.arn for known in self.deployments):
            changed = tuple(deployment if known.arn == deployment.arn else known for known in self.deployments)
        else:
            changed = (*self.deployments, deployment)[-_MAX_DEPLOYMENTS:]
        return attrs.evolve(self, deployments=changed, updated=deployment.updated)

    def with_event(self, message: str) -> EcsService:
        """Return the service with a line in its events."""
        event = ServiceEvent(id=str(uuid.uuid4()), created=now(), message=f"(service {self.name}) {message}")
        return attrs.evolve(self, events=(*self.events, event)[-_MAX_EVENTS:])


class ServiceStore:
    """The services of an account and region.

    Args:
        folder: the folder of their files.
        prefix: what the ARNs of ECS begin with, such as `arn:aws:ecs:eu-west-1:123456789012`.
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        self._prefix = prefix
        self._services = ValueStore(folder, _parse_service, key=lambda service: service.arn)
        self.lock = self._services.lock

    def all(self) -> tuple[EcsService, ...]:
        """Return all services, oldest first, also deleted ones."""
        return self._services.all()

    def find(self, reference: str, cluster: str) -> EcsService | None:
        """Return a service by its ARN, or by its name and the name of its cluster; None if there is none."""
        arn = reference if reference.startswith("arn:") else f"{self._prefix}:service/{cluster}/{reference}"
        try:
            return self._services.get(arn)
        except KeyError:
            return None

    def get(self, arn: str) -> EcsService:
        """Return a service; raise KeyError if there is none."""
        return self._services.get(arn)

    def put(self, service: EcsService) -> EcsService:
        """Save a service and return it; hold `lock` from reading the old value to saving the new one."""
        return self._services.put(service)


def _parse_service(document: JsonObject) -> EcsService:
    revisions = tuple(ServiceRevision(**revision) for revision in document.pop("revisions"))
    deployments = tuple(_parse_deployment(deployment) for deployment in document.pop("deployments"))
    events = tuple(ServiceEvent(**event) for event in document.pop("events"))
    return EcsService(**document, revisions=revisions, deployments=deployments, events=events)


def _parse_deployment(document: JsonObject) -> ServiceDeployment:
    return ServiceDeployment(**document | {"triggered_alarms": tuple(document["triggered_alarms"])})
