"""Runs operations on services in background threads, one at a time per service."""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.errors import DeployFailed, Interrupted, KaizenError
from kaizen_tasks.localcloud.apprunner.services import AppRunnerService, ServiceOperation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from kaizen_tasks.localcloud.apprunner.service_instances import ServiceInstances
    from kaizen_tasks.localcloud.apprunner.services import ServiceStore
    from kaizen_tasks.localcloud.clock import MonotonicClock
    from kaizen_tasks.localcloud.instances.spec import Instance
    from kaizen_tasks.localcloud.registry.store import ImageStore
    from kaizen_tasks.localcloud.services.background import BackgroundThreads

_DEPLOYMENT_TYPES = frozenset({"CREATE_SERVICE", "START_DEPLOYMENT", "UPDATE_SERVICE", "RESUME_SERVICE"})
_NOUNS = {"PAUSE_SERVICE": "Pause", "DELETE_SERVICE": "Deletion"}
_log = logging.getLogger(__name__)


class InvalidStateError(Exception):
    """The service has a status in which the operation is not allowed."""


class ServiceController:
    """Runs the operations of all services.

    Args:
        services: the services.
        instances: their instances.
        store: the registry's images.
        threads: run the operations.
        deploy_seconds: minimum duration of an operation.
        notice_seconds: delay of automatic deployments after a tag has moved.
        clock: the clock of all durations.
    """

    def __init__(
        self,
        *,
        services: ServiceStore,
        instances: ServiceInstances,
        store: ImageStore,
        threads: BackgroundThreads,
        deploy_seconds: float,
        notice_seconds: float,
        clock: MonotonicClock,
    ) -> None:
        self._services = services
        self._instances = instances
        self._store = store
        self._threads = threads
        self._deploy_seconds = deploy_seconds
        self._notice_seconds = notice_seconds
        self._clock = clock
        self._pending_digests: dict[str, str] = {}

    def restore(self) -> None:
        """End operations that were interrupted when the local cloud stopped, and restart running services."""
        for stored_service in self._services.all():
            if stored_service.deleted is None:
                port = self._instances.open_port(stored_service.arn, stored_service.port)
                service = self._services.put(attrs.evolve(_end_interrupted(stored_service), port=port))
                if service.resting == "RUNNING":
                    self._instances.restart(service)

    def start_operation(
        self,
        arn: str,
        operation_type: str,
        *,
        allowed_statuses: Collection[str],
        update: Callable[[AppRunnerService], AppRunnerService] = lambda service: service,
    ) -> tuple[AppRunnerService, ServiceOperation]:
        """Start an operation in the background; return the service and the operation.

        Args:
            arn: the service.
            operation_type: the type, such as `START_DEPLOYMENT`.
            allowed_statuses: statuses of the service in which the operation is allowed.
            update: changes the service's configuration; undone if the operation fails.

        Raises:
            InvalidStateError: the service has another status.
        """
        with self._services.lock:
            current_service = self._services.get(arn)
            if current_service.status not in allowed_statuses or self._threads.closing.is_set():
                raise InvalidStateError(current_service.status)
            now = time.time()
            operation = ServiceOperation(
                id=str(uuid.uuid4()), type=operation_type, status="PENDING", started=now, updated=now
            )
            updated_service = attrs.evolve(update(current_service), fallback=current_service.configuration)
            service = self._services.put(updated_service.with_operation(operation))
            digest = self._digest_to_deploy(service, operation_type)
            self._threads.start(lambda: self._run_operation(arn, operation, digest))
        return service, operation

    def handle_tag_moved(self, repository: str, tag: str, digest: str) -> None:
        """Deploy to the services that follow a tag: to busy ones later, to paused ones never."""
        for service in self._services.all():
            if service.follows_tag and (service.repository, service.reference) == (repository, tag):
                self._auto_deploy(service.arn, digest)

    def close(self) -> None:
        """Stop all services; `restore` ends the operations in progress at the next start."""
        with self._services.lock:
            self._threads.closing.set()
        self._threads.close()
        self._instances.close()

    def _digest_to_deploy(self, service: AppRunnerService, operation_type: str) -> str | None:
        """Return the image to deploy; a resumed service keeps the image that it had."""
        if operation_type == "RESUME_SERVICE":
            return service.digest
        return self._store.resolve(service.repository, service.reference)

    def _auto_deploy(self, arn: str, digest: str) -> None:
        """Deploy at once, before the request that moved the tag is answered, or after the configured delay."""
        if not self._notice_seconds:
            with contextlib.suppress(OSError):  # the disk is full: the tag has been moved, so deploy later
                self._auto_deploy_now(arn, digest)
                return
        self._threads.start(lambda: self._auto_deploy_later(arn, digest))

    def _auto_deploy_later(self, arn: str, digest: str) -> None:
        with contextlib.suppress(Interrupted):
            self._threads.wait_until(self._clock.now() + self._notice_seconds)
            self._threads.save(lambda: self._auto_deploy_now(arn, digest))

    def _auto_deploy_now(self, arn: str, digest: str) -> None:
        with self._services.lock:
            try:
                self.start_operation(arn, "START_DEPLOYMENT", allowed_statuses={"RUNNING"})
            except InvalidStateError as error:
                if error.args == ("OPERATION_IN_PROGRESS",):
                    self._pending_digests[arn] = digest

    def _run_operation(self, arn: str, operation: ServiceOperation, digest: str | None) -> None:
        with self._instances.lock(arn), contextlib.suppress(Interrupted):
            self._run_or_roll_back(arn, operation, digest)
        with contextlib.suppress(Interrupted):
            self._threads.save(lambda: self._deploy_moved_tag(arn, digest))

    def _run_or_roll_back(self, arn: str, operation: ServiceOperation, digest: str | None) -> None:
        earliest_end = self._clock.now() + self._deploy_seconds
        try:
            previous_instance = self._execute(arn, operation, digest, earliest_end)
        except Interrupted:
            raise
        except KaizenError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - every operation ends
            _log.exception("%s of %s", operation.type, arn)
            failure = DeployFailed(f"Internal error: {error!r}")
        else:
            if previous_instance is not None:
                previous_instance.stop()
            return
        self._threads.wait_until(earliest_end)
        self._roll_back(arn, operation, failure)

    def _deploy_moved_tag(self, arn: str, deployed_digest: str | None) -> None:
        """Deploy the image that the tag has been moved to during an operation."""
        with self._services.lock:
            if self._pending_digests.get(arn, deployed_digest) != deployed_digest:
                with contextlib.suppress(InvalidStateError):
                    self.start_operation(arn, "START_DEPLOYMENT", allowed_statuses={"RUNNING"})
            self._pending_digests.pop(arn, None)

    def _execute(
        self, arn: str, operation: ServiceOperation, digest: str | None, earliest_end: float
    ) -> Instance | None:
        """Run an operation. Return the replaced instance, which the caller stops after the operation, or None."""
        service = self._set_status(arn, operation, "IN_PROGRESS")
        self._instances.log_event(service, f"Service status is set to {service.status}.")
        self._instances.log_event(service, f"{_label(operation)} started.", operation)
        if operation.type in _DEPLOYMENT_TYPES:
            previous_instance = self._instances.switch(
                arn, self._instances.start(service, operation, digest, earliest_end)
            )
            apply_outcome = _mark_running(digest)
        else:
            self._threads.wait_until(earliest_end)
            previous_instance, apply_outcome = None, self._shut_down(arn, operation)
        self._instances.log_event(service, f"{_label(operation)} succeeded.", operation)
        self._finish(arn, operation, "SUCCEEDED", apply_outcome)
        return previous_instance

    def _shut_down(self, arn: str, operation: ServiceOperation) -> Callable[[AppRunnerService], AppRunnerService]:
        previous_instance = self._instances.switch(arn, None)
        if previous_instance is not None:
            previous_instance.stop()
        if operation.type == "PAUSE_SERVICE":
            return lambda service: attrs.evolve(service, resting="PAUSED")
        self._instances.remove(arn)
        return lambda service: attrs.evolve(service, resting="DELETED", deleted=time.time())

    def _roll_back(self, arn: str, operation: ServiceOperation, error: KaizenError) -> None:
        """End a failed operation; the previous instance, if any, has been serving all the time."""
        service = self._services.get(arn)
        if error.state:
            self._instances.log_event(service, error.state, operation)
        self._instances.log_event(service, f"{_label(operation)} failed. Failure reason : {error.message}", operation)
        if not self._instances.is_running(arn):
            self._finish(arn, operation, "FAILED", _restore_configuration)
            return
        self._set_status(arn, operation, "ROLLBACK_IN_PROGRESS")
        self._finish(arn, operation, "ROLLBACK_SUCCEEDED", _restore_configuration)

    def _set_status(self, arn: str, operation: ServiceOperation, status: str) -> AppRunnerService:
        return self._update(arn, lambda service: service.with_operation(operation.with_status(status)))

    def _finish(
        self,
        arn: str,
        operation: ServiceOperation,
        status: str,
        apply_outcome: Callable[[AppRunnerService], AppRunnerService],
    ) -> None:
        """Save the end of an operation and its outcome as one change."""

        def finish(service: AppRunnerService) -> AppRunnerService:
            final_service = attrs.evolve(apply_outcome(service), fallback=None)
            return final_service.with_operation(operation.with_status(status))

        service = self._update(arn, finish)
        self._instances.log_event(service, f"Service status is set to {service.status}.")

    def _update(self, arn: str, change: Callable[[AppRunnerService], AppRunnerService]) -> AppRunnerService:
        """Replace a service by `change(service)` and return the new one; wait while the disk is full."""

        def update() -> AppRunnerService:
            with self._services.lock:
                return self._services.put(change(self._services.get(arn)))

        return self._threads.save(update)


def _label(operation: ServiceOperation) -> str:
    return f"{_NOUNS.get(operation.type, 'Deployment')} with ID : {operation.id}"


def _mark_running(digest: str | None) -> Callable[[AppRunnerService], AppRunnerService]:
    return lambda service: attrs.evolve(service, resting="RUNNING", digest=digest)


def _restore_configuration(service: AppRunnerService) -> AppRunnerService:
    return attrs.evolve(service, configuration=service.fallback or service.configuration, fallback=None)


def _end_interrupted(service: AppRunnerService) -> AppRunnerService:
    """End an operation that was interrupted when the local cloud stopped; it has had no effect."""
    if not service.is_busy:
        return service
    operation = service.operations[-1]
    can_roll_back = service.resting == "RUNNING" and operation.type in _DEPLOYMENT_TYPES
    return _restore_configuration(service).with_operation(
        operation.with_status("ROLLBACK_SUCCEEDED" if can_roll_back else "FAILED")
    )
