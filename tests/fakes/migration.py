"""The fakes of a migration: App Runner as it is left, and a cluster in which services are created."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from attrs import Factory, define, field

from kaizen_tasks.domain.migration.definition import CREATION_TAG, ServiceDefinition
from kaizen_tasks.domain.migration.source import SourceService
from kaizen_tasks.domain.service import Operation, OperationKind, OperationState, Service, ServiceStatus
from kaizen_tasks.errors import NotFound, Refused
from kaizen_tasks.ports.migration import MigrationSource, MigrationTarget
from tests.fakes.logs import FakeLogs
from tests.fakes.platform import FakePlatform


@define(kw_only=True)
class FakeMigrationSource(MigrationSource):
    """The services of a platform that are left.

    Attributes:
        platform: where they are.
        sources: what is known of a service, by name; of all others, what the console creates.
    """

    platform: FakePlatform
    sources: dict[str, SourceService] = field(factory=dict)

    def read_source(self, service: Service) -> SourceService:
        current = self.platform.get_service(service.name)
        arn = f"arn:aws:apprunner:eu-west-1:123456789012:service/{current.name}/0123456789abcdef"
        default = SourceService(name=current.name, id=arn, image=current.image, variables={"TENANT": "a value"})
        return self.sources.get(current.name, default)

    def pause(self, service: Service) -> None:
        self._move(service, ServiceStatus.RUNNING, ServiceStatus.PAUSED)

    def resume(self, service: Service) -> None:
        self._move(service, ServiceStatus.PAUSED, ServiceStatus.RUNNING)

    def delete_source(self, service: Service) -> None:
        if self.platform.get_service(service.name).status is not ServiceStatus.PAUSED:
            raise Refused(f"{service.name} is not paused")
        del self.platform.services[service.name]

    def _move(self, service: Service, before: ServiceStatus, after: ServiceStatus) -> None:
        current = self.platform.get_service(service.name)
        if current.status is not before:
            raise Refused(f"{service.name} is {current.status}")
        self.platform.set_status(service.name, after)


def _cluster() -> FakePlatform:
    """Return services that are told their image by its digest."""
    return FakePlatform(follows_tag=False)


def _now() -> datetime:
    return datetime.now(UTC)


@define(kw_only=True)
class FakeMigrationTarget(MigrationTarget):
    """A cluster in which services are created.

    Attributes:
        platform: where they are.
        trust: the services that may assume a role, by its name; None for roles that may not be asked about.
        tags: the creation tag of each service, by name.
        definitions: what was created, in order.
        logs: what the services of the cluster print.
        on_created: called with each definition, before its deployment begins.
    """

    platform: FakePlatform = Factory(_cluster)
    trust: dict[str, frozenset[str] | None] = field(factory=dict)
    tags: dict[str, str] = field(factory=dict)
    definitions: list[ServiceDefinition] = field(factory=list)
    logs: FakeLogs = field(factory=FakeLogs)
    on_created: Callable[[ServiceDefinition], None] = lambda _: None

    def trusted_services(self, role: str) -> frozenset[str] | None:
        name = role.rpartition("/")[2]
        if name in self.trust:
            return self.trust[name]
        raise NotFound(f"there is no role {name}")

    def creation_tag(self, service: Service) -> str:
        return self.tags.get(self.platform.get_service(service.name).name, "")

    def create_service(self, definition: ServiceDefinition) -> None:
        if definition.name in self.platform.services:
            raise Refused(f"there is a service {definition.name} already")
        self.definitions.append(definition)
        self.platform.add(definition.name, image=definition.image, url=f"https://{definition.name}.ecs.example")
        self.tags[definition.name] = definition.tags.get(CREATION_TAG, "")
        self.on_created(definition)
        self.platform.begin_operation(definition.name, kind=OperationKind.CREATION)

    def delete_service(self, service: Service) -> None:
        self.platform.get_service(service.name)
        del self.platform.services[service.name]
        self.tags.pop(service.name, None)


def failed_creation(started_at: datetime) -> Operation:
    """Return the first deployment of a service, which has failed."""
    return Operation(
        id="first",
        kind=OperationKind.CREATION,
        state=OperationState.FAILED,
        native_state="ROLLBACK_FAILED",
        started_at=started_at,
        finished_at=started_at,
    )
