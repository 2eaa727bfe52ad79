"""Services and their operations as immutable values, each service stored as one JSON file."""

from __future__ import annotations

import json
import shlex
import threading
import time
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.atomic_write import remove_temporary_files, write_atomically
from kaizen_tasks.localcloud.instances.health import HealthCheck
from kaizen_tasks.localcloud.server.http_message import JsonObject
from kaizen_tasks.localcloud.services.image_identifiers import ImageIdentifier
from kaizen_tasks.localcloud.state.damaged import load_state

if TYPE_CHECKING:
    from pathlib import Path

_UNFINISHED_STATUSES = frozenset({"PENDING", "IN_PROGRESS", "ROLLBACK_IN_PROGRESS"})
_MAX_OPERATIONS = 200  # a service's file is rewritten at every change


@attrs.frozen(kw_only=True)
class ServiceOperation:
    """An operation on a service; times are seconds since the epoch."""

    id: str
    type: str
    status: str
    started: float
    updated: float
    ended: float | None = None

    @property
    def is_finished(self) -> bool:
        """Return whether its status is final."""
        return self.status not in _UNFINISHED_STATUSES

    def with_status(self, status: str) -> ServiceOperation:
        """Return the operation with another status."""
        now = time.time()
        return attrs.evolve(self, status=status, updated=now, ended=None if status in _UNFINISHED_STATUSES else now)


@attrs.frozen(kw_only=True)
class AppRunnerService:
    """A service.

    Args:
        name: its name.
        id: 32 hexadecimal digits.
        arn: its ARN.
        port: its public port on loopback.
        created: seconds since the epoch.
        updated: seconds since the epoch.
        deleted: seconds since the epoch; None if it is not deleted.
        resting: its status while no operation is in progress.
        configuration: the configuration members of CreateService, with defaults.
        fallback: the configuration to restore if the operation in progress fails.
        tags: its tags.
        digest: the deployed image; None before the first deployment.
        operations: the latest operations, oldest first.
    """

    name: str
    id: str
    arn: str
    port: int
    created: float
    updated: float
    deleted: float | None = None
    resting: str
    configuration: JsonObject
    tags: dict[str, str]
    fallback: JsonObject | None = None
    digest: str | None = None
    operations: tuple[ServiceOperation, ...] = ()

    @property
    def is_busy(self) -> bool:
        """Return whether an operation is in progress."""
        return bool(self.operations) and not self.operations[-1].is_finished

    @property
    def status(self) -> str:
        """Return the service's status as App Runner names it, such as `RUNNING`."""
        return "OPERATION_IN_PROGRESS" if self.is_busy else self.resting

    @property
    def log_path(self) -> str:
        """Return what its log groups have in common: its name and its id."""
        return f"{self.name}/{self.id}"

    @property
    def repository(self) -> str:
        """Return the repository of its image."""
        return ImageIdentifier.parse(self._image["ImageIdentifier"]).repository

    @property
    def reference(self) -> str:
        """Return the tag or digest of its image."""
        return ImageIdentifier.parse(self._image["ImageIdentifier"]).reference

    @property
    def follows_tag(self) -> bool:
        """Return whether automatic deployments are enabled."""
        return bool(self.configuration["SourceConfiguration"]["AutoDeploymentsEnabled"])

    @property
    def shared_arns(self) -> frozenset[str]:
        """Return the ARNs of the shared resources that its configuration names."""
        egress = self.configuration["NetworkConfiguration"]["EgressConfiguration"]
        observability = self.configuration.get("ObservabilityConfiguration", {})
        arns = (
            self.configuration.get("AutoScalingConfigurationArn"),
            egress.get("VpcConnectorArn"),
            observability.get("ObservabilityConfigurationArn"),
        )
        return frozenset(arn for arn in arns if arn)

    @property
    def application_port(self) -> int:
        """Return the port that its application listens on."""
        return int(self._image["ImageConfiguration"]["Port"])

    @property
    def variables(self) -> dict[str, str]:
        """Return the environment variables of its application."""
        return dict(self._image["ImageConfiguration"].get("RuntimeEnvironmentVariables", {}))

    @property
    def secrets(self) -> dict[str, str]:
        """Return the references to secrets by environment variable."""
        return dict(self._image["ImageConfiguration"].get("RuntimeEnvironmentSecrets", {}))

    @property
    def arguments(self) -> tuple[str, ...]:
        """Return the command that replaces the image's default command."""
        return tuple(shlex.split(self._image["ImageConfiguration"].get("StartCommand", "")))

    @property
    def health_check(self) -> HealthCheck:
        """Return the health check of its instances."""
        check = self.configuration["HealthCheckConfiguration"]
        return HealthCheck(
            protocol=check["Protocol"],
            path=check["Path"],
            interval=check["Interval"],
            timeout=check["Timeout"],
            healthy_threshold=check["HealthyThreshold"],
            unhealthy_threshold=check["UnhealthyThreshold"],
            port=self.application_port,
        )

    @property
    def _image(self) -> JsonObject:
        image: JsonObject = self.configuration["SourceConfiguration"]["ImageRepository"]
        return image

    def with_operation(self, operation: ServiceOperation) -> AppRunnerService:
        """Return the service with an operation, which replaces the one with the same id."""
        other_operations = tuple(entry for entry in self.operations if entry.id != operation.id)
        return attrs.evolve(
            self, operations=(*other_operations, operation)[-_MAX_OPERATIONS:], updated=operation.updated
        )


class ServiceStore:
    """All services, in memory and on disk.

    Args:
        folder: the folder of their files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        remove_temporary_files(folder)
        stored_services = [load_state(path, _parse_service) for path in folder.glob("[!.]*.json")]
        self._services = {service.arn: service for service in sorted(stored_services, key=lambda entry: entry.created)}

    def all(self) -> tuple[AppRunnerService, ...]:
        """Return all services, including deleted ones, oldest first."""
        with self.lock:
            return tuple(self._services.values())

    def get(self, arn: str) -> AppRunnerService:
        """Return a service; raise KeyError if there is none."""
        with self.lock:
            return self._services[arn]

    def put(self, service: AppRunnerService) -> AppRunnerService:
        """Save a service and return it; hold `lock` from reading the old value to saving the new one."""
        with self.lock:
            content = json.dumps(attrs.asdict(service)).encode()
            write_atomically(self._folder / f"{service.id}.json", content)
            self._services[service.arn] = service
        return service


def _parse_service(content: bytes) -> AppRunnerService:
    document = json.loads(content)
    operations = tuple(ServiceOperation(**operation) for operation in document.pop("operations"))
    return AppRunnerService(**document, operations=operations)
