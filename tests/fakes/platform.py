"""The fake of the platform: services deploy as a test configures."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from attrs import define, evolve, field

from kaizen_tasks.domain.new_service import ServiceSettings
from kaizen_tasks.domain.service import Operation, OperationKind, OperationState, Service, ServiceStatus
from kaizen_tasks.errors import KaizenError, NotFound, Refused, Unsupported
from kaizen_tasks.ports.platform import Platform


def _now() -> datetime:
    return datetime.now(UTC)


def _do_nothing(_: Service) -> None:
    """Do nothing."""


@define(kw_only=True)
class FakePlatform(Platform):
    """Services without anything running; safe to use from several threads.

    An operation ends when it has been looked at `polls` times, as an outcome of the test's choice. On a platform that
    follows no tag, a service is configured with the image of its last successful deployment, and a deployment can be
    stopped.

    Attributes:
        follows_tag: whether services deploy what a tag names.
        polls: how many answers of `list_operations` say that it is still under way.
        outcomes: how deployments of a service end, by name; without one, successfully.
        on_deployed: called with the service when a deployment has succeeded.
        now: the time at which operations start.
        services: by name.
        history: operations by service name, newest first.
        started_services: names of the services that `start_deployment` started, in order.
        started_images: what they were started with, by name of the service.
        poll_times: when somebody asked for operations, in order.
        hidden_operations: identifiers of operations that are missing from the answers.
        settings: what another service can be created with, by name of the service.
        new_urls: the URLs of services that are created later, by name.
        creation_status: status of a service that was just created.
        operation_seconds: seconds after which an operation ends by itself; None counts `polls` instead.
        start_failures: raised instead of starting a deployment of a service, by its name, once.
    """

    follows_tag: bool = True
    polls: int = 0
    outcomes: dict[str, OperationState] = field(factory=dict)
    on_deployed: Callable[[Service], None] = _do_nothing
    now: Callable[[], datetime] = _now
    services: dict[str, Service] = field(factory=dict)
    history: dict[str, list[Operation]] = field(factory=dict)
    started_services: list[str] = field(factory=list)
    started_images: dict[str, str] = field(factory=dict)
    poll_times: list[datetime] = field(factory=list)
    hidden_operations: set[str] = field(factory=set)
    operation_seconds: float | None = None
    settings: dict[str, ServiceSettings] = field(factory=dict)
    new_urls: dict[str, str] = field(factory=dict)
    creation_status: ServiceStatus = ServiceStatus.RUNNING
    start_failures: dict[str, KaizenError] = field(factory=dict)
    _polls_left: dict[str, int] = field(factory=dict)
    _images: dict[str, str] = field(factory=dict)
    _guard: threading.RLock = field(factory=threading.RLock, repr=False)

    def add(self, name: str, *, image: str, url: str = "", auto_deploys: bool = False) -> Service:
        self.history[name] = []
        self.services[name] = Service(
            name=name,
            id=f"arn:{name}",
            status=ServiceStatus.RUNNING,
            native_status="RUNNING",
            url=url or f"https://{name}.example",
            image=image,
            auto_deploys=auto_deploys,
            running_digest=image.partition("@")[2],
        )
        return self.services[name]

    def get_service(self, name: str) -> Service:
        with self._guard:
            if name not in self.services:
                raise NotFound(f"there is no service {name}", hint="create it")
            return self.services[name]

    def service_url(self, name: str) -> str:
        return self.get_service(name).url

    def service_urls(self) -> dict[str, str]:
        with self._guard:
            return {name: service.url for name, service in self.services.items()}

    def start_deployment(self, service: Service, image: str) -> str:
        with self._guard:
            current = self.get_service(service.name)
            current.require_deployable()
            if service.name in self.start_failures:
                raise self.start_failures.pop(service.name)
            if current.status is ServiceStatus.BUSY:
                return ""
            self.started_services.append(service.name)
            self.started_images[service.name] = image
            return self.begin_operation(service.name, image=image)

    def stop_deployment(self, service: Service, operation: str) -> None:
        if self.follows_tag:
            raise Unsupported("a deployment cannot be stopped")
        with self._guard:
            current = self.history[service.name][0]
            if current.id != operation or current.is_finished:
                raise Refused(f"the deployment {operation} is not in progress")
            self._end(service.name, current, self.now(), OperationState.ROLLED_BACK)

    def read_settings(self, service: Service) -> ServiceSettings:
        return self.settings.get(self.get_service(service.name).name, ServiceSettings(variables={}, secrets={}))

    def create_service_like(self, neighbour: Service, name: str, *, image: str, settings: ServiceSettings) -> None:
        self.get_service(neighbour.name)
        if name in self.services:
            raise Refused(f"there is a service {name} already")
        self.add(name, image=image, url=self.new_urls.get(name, ""))
        self.settings[name] = settings
        self.set_status(name, self.creation_status)
        if self.creation_status is ServiceStatus.RUNNING:
            self.on_deployed(self.services[name])

    def delete_failed_service(self, service: Service) -> None:
        if self.get_service(service.name).status is not ServiceStatus.CREATION_FAILED:
            raise Refused(f"the service {service.name} was created")
        del self.services[service.name]

    def list_operations(self, service: Service) -> tuple[Operation, ...]:
        """Return the operations, newest first; each call brings a running one closer to its end."""
        with self._guard:
            self.poll_times.append(self.now())
            if service.name not in self.services:
                raise NotFound(f"there is no service {service.name}", hint="create it")
            self._advance(service.name)
            return tuple(
                operation for operation in self.history[service.name] if operation.id not in self.hidden_operations
            )

    def begin_operation(self, name: str, *, kind: OperationKind = OperationKind.DEPLOYMENT, image: str = "") -> str:
        """Start an operation from outside: the console, or a tag that moved. It supersedes one that is in progress."""
        with self._guard:
            identity = f"{name}-{len(self.history[name]) + 1}"
            operation = Operation(
                id=identity,
                kind=kind,
                state=OperationState.IN_PROGRESS,
                native_state="IN_PROGRESS",
                started_at=self.now(),
                digest="" if self.follows_tag else image.partition("@")[2],
            )
            for previous in self.history[name][:1]:
                if not previous.is_finished:
                    superseded = evolve(previous, state=OperationState.SUPERSEDED, native_state="STOPPED")
                    self.history[name][0] = evolve(superseded, finished_at=self.now())
            self.history[name].insert(0, operation)
            self._images[identity] = image
            self._polls_left[name] = self.polls
            self.set_status(name, ServiceStatus.BUSY)
            return identity

    def set_status(self, name: str, status: ServiceStatus) -> None:
        """Put a service into a state."""
        native_status = status.name
        self.services[name] = evolve(self.services[name], status=status, native_status=native_status, fix="resume it")

    def _advance(self, name: str) -> None:
        operation = next(iter(self.history[name]), None)
        if operation is None or operation.is_finished:
            return
        outcome = self.outcomes.get(name, OperationState.SUCCEEDED)
        if self.operation_seconds is not None:
            end_time = operation.started_at + timedelta(seconds=self.operation_seconds)
            if self.now() >= end_time:
                self._end(name, operation, end_time, outcome)
            return
        if self._polls_left[name] == 0:
            self._end(name, operation, self.now(), outcome)
        self._polls_left[name] -= 1

    def _end(self, name: str, operation: Operation, finish_time: datetime, outcome: OperationState) -> None:
        self.history[name][0] = evolve(operation, state=outcome, native_state=outcome.name, finished_at=finish_time)
        self.set_status(name, ServiceStatus.RUNNING)
        if outcome is OperationState.SUCCEEDED and operation.deploys:
            if not self.follows_tag and (image := self._images[operation.id]):
                digest = image.partition("@")[2]
                self.services[name] = evolve(self.services[name], image=image, running_digest=digest)
            self.on_deployed(self.services[name])
