"""What App Runner knows of its services: values, kept as one file each."""

from __future__ import annotations

import json
import shlex
import threading
import time
from typing import TYPE_CHECKING, Any

import attrs

from kaizen_tasks.localcloud.atomic_write import write_atomically
from kaizen_tasks.localcloud.instances.health import HealthCheck

if TYPE_CHECKING:
    from pathlib import Path

_UNFINISHED_STATUSES = frozenset({"PENDING", "IN_PROGRESS", "ROLLBACK_IN_PROGRESS"})
_MAX_OPERATIONS = 200  # a service's file is written anew at every change


@attrs.frozen(kw_only=True)
class ServiceOperation:
    """Something being done, or done, to a service; times are seconds since the epoch."""

    id: str
    type: str
    status: str
    started: float
    updated: float
    ended: float | None = None

    @property
    def is_finished(self) -> bool:
        """Tell whether its status is final."""
        return self.status not in _UNFINISHED_STATUSES

    def with_status(self, status: str) -> ServiceOperation:
        """Return it in another status."""
        now = time.time()
        return attrs.evolve(self, status=status, updated=now, ended=None if status in _UNFINISHED_STATUSES else now)


@attrs.frozen(kw_only=True)
class AppRunnerService:
    """One service.

    Args:
        name: what its owner calls it.
        id: 32 hexadecimal digits.
        arn: its ARN.
        port: its public port on loopback.
        created: seconds since the epoch.
        updated: seconds since the epoch.
        deleted: seconds since the epoch, None for a living one.
        resting: the status it has while no operation is in progress.
        configuration: the configuration members of CreateService, defaults filled in.
        fallback: the configuration to return to if the operation in progress fails.
        tags: its tags.
        digest: the image that serves; None before the first one does.
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
    configuration: dict[str, Any]
    tags: dict[str, str]
    fallback: dict[str, Any] | None = None
    digest: str | None = None
    operations: tuple[ServiceOperation, ...] = ()

    @property
    def is_busy(self) -> bool:
        """Tell whether an operation is in progress."""
        return bool(self.operations) and not self.operations[-1].is_finished

    @property
    def status(self) -> str:
        """Its status as App Runner names it."""
        return "OPERATION_IN_PROGRESS" if self.is_busy else self.resting

    @property
    def log_path(self) -> str:
        """Return what its log groups have in common: its name and its id."""
        return f"{self.name}/{self.id}"

    @property
    def repository(self) -> str:
        """The repository its image comes from."""
        return _split_image_identifier(self._image_repository["ImageIdentifier"])[0]

    @property
    def reference(self) -> str:
        """The tag or digest it follows."""
        return _split_image_identifier(self._image_repository["ImageIdentifier"])[1]

    @property
    def follows_tag(self) -> bool:
        """Tell whether it deploys by itself when its tag moves."""
        return bool(self.configuration["SourceConfiguration"]["AutoDeploymentsEnabled"])

    @property
    def application_port(self) -> int:
        """The port that its application listens on."""
        return int(self._image_configuration["Port"])

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables it gives its application."""
        return dict(self._image_configuration.get("RuntimeEnvironmentVariables", {}))

    @property
    def secrets(self) -> dict[str, str]:
        """The variables that it gives its application from secrets, by the reference to each."""
        return dict(self._image_configuration.get("RuntimeEnvironmentSecrets", {}))

    @property
    def arguments(self) -> tuple[str, ...]:
        """What it runs instead of the image's default command."""
        return tuple(shlex.split(self._image_configuration.get("StartCommand", "")))

    @property
    def health_check(self) -> HealthCheck:
        """How it finds out whether an instance is healthy."""
        check = self.configuration["HealthCheckConfiguration"]
        return HealthCheck(
            protocol=check["Protocol"],
            path=check["Path"],
            interval=check["Interval"],
            timeout=check["Timeout"],
            healthy_threshold=check["HealthyThreshold"],
            unhealthy_threshold=check["UnhealthyThreshold"],
        )

    @property
    def _image_repository(self) -> dict[str, Any]:
        repository: dict[str, Any] = self.configuration["SourceConfiguration"]["ImageRepository"]
        return repository

    @property
    def _image_configuration(self) -> dict[str, Any]:
        configuration: dict[str, Any] = self._image_repository["ImageConfiguration"]
        return configuration

    def find_operation(self, operation_id: str) -> ServiceOperation:
        """Find one of its operations."""
        return next(operation for operation in self.operations if operation.id == operation_id)

    def with_operation(self, operation: ServiceOperation) -> AppRunnerService:
        """Return it with an operation added, or with the one of the same id replaced."""
        other_operations = tuple(entry for entry in self.operations if entry.id != operation.id)
        return attrs.evolve(
            self, operations=(*other_operations, operation)[-_MAX_OPERATIONS:], updated=operation.updated
        )


class ServiceStore:
    """Every service, in memory and on disk.

    Args:
        folder: where their files are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        stored_services = (_load_service(path) for path in folder.glob("[!.]*.json"))
        self._services = {service.arn: service for service in sorted(stored_services, key=lambda entry: entry.created)}

    def all(self) -> tuple[AppRunnerService, ...]:
        """Return every service, deleted ones too, oldest first."""
        with self.lock:
            return tuple(self._services.values())

    def get(self, arn: str) -> AppRunnerService:
        """Return a service; KeyError where there is none."""
        with self.lock:
            return self._services[arn]

    def put(self, service: AppRunnerService) -> AppRunnerService:
        """Keep a service as it is now; whoever decided on an older value holds the lock."""
        with self.lock:
            self._services[service.arn] = service
            content = json.dumps(attrs.asdict(service)).encode()
            write_atomically(self._folder / f"{service.id}.json", content)
        return service


def _load_service(path: Path) -> AppRunnerService:
    document = json.loads(path.read_bytes())
    operations = tuple(ServiceOperation(**operation) for operation in document.pop("operations"))
    return AppRunnerService(**document, operations=operations)


def _split_image_identifier(identifier: str) -> tuple[str, str]:
    """Take `host/repository:tag` or `host/repository@digest` apart; no tag means `latest`, as in AWS."""
    path = identifier.partition("/")[2]
    if "@" in path:
        repository, _, digest = path.partition("@")
        return repository, digest
    repository, _, tag = path.partition(":")
    return repository, tag or "latest"
