"""Runs operations on services in background threads, one at a time per service."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
import time
import uuid
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.errors import DeployFailed, Interrupted, KaizenError
from kaizen_tasks.localcloud.apprunner.proxy import TcpProxy
from kaizen_tasks.localcloud.apprunner.services import AppRunnerService, ServiceOperation
from kaizen_tasks.localcloud.instances.health import wait_until_healthy
from kaizen_tasks.localcloud.instances.rootfs import read_image
from kaizen_tasks.localcloud.instances.spec import Instance, InstanceSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from kaizen_tasks.localcloud.apprunner.services import ServiceStore
    from kaizen_tasks.localcloud.clock import MonotonicClock
    from kaizen_tasks.localcloud.instances.launcher import InstanceLauncher
    from kaizen_tasks.localcloud.logs.files import LogStore
    from kaizen_tasks.localcloud.registry.store import ImageStore

_DEPLOYMENT_TYPES = frozenset({"CREATE_SERVICE", "START_DEPLOYMENT", "UPDATE_SERVICE", "RESUME_SERVICE"})
_NOUNS = {"PAUSE_SERVICE": "Pause", "DELETE_SERVICE": "Deletion"}
_DRAIN_SECONDS = 1.0
_DRAIN_CHECK_SECONDS = 0.1
_CLOSE_SECONDS = 15.0
_MAX_PARALLEL_RESTARTS = 4  # so that a cloud with many services listens soon after its start
_log = logging.getLogger(__name__)


class InvalidStateError(Exception):
    """The service has a status in which the operation is not allowed."""


@attrs.define(kw_only=True)
class _ServiceRuntime:
    """The proxy and the instance of a service; hold `lock` to change them."""

    proxy: TcpProxy
    instance: Instance | None = None
    lock: threading.Lock = attrs.field(factory=threading.Lock)


class ServiceController:
    """Runs the operations of all services.

    Args:
        services: the services.
        launcher: starts instances.
        store: the registry's images.
        logs: receives the services' events.
        deploy_seconds: minimum duration of an operation.
        notice_seconds: delay of automatic deployments after a tag has moved.
        resolve_secret: returns the value of a secret, by its reference.
        clock: the clock of all durations.
    """

    def __init__(  # noqa: PLR0913 - everything that deployments need
        self,
        *,
        services: ServiceStore,
        launcher: InstanceLauncher,
        store: ImageStore,
        logs: LogStore,
        deploy_seconds: float,
        notice_seconds: float,
        resolve_secret: Callable[[str], str],
        clock: MonotonicClock,
    ) -> None:
        self._services = services
        self._launcher = launcher
        self._store = store
        self._logs = logs
        self._deploy_seconds = deploy_seconds
        self._notice_seconds = notice_seconds
        self._resolve_secret = resolve_secret
        self._clock = clock
        self._runtimes: dict[str, _ServiceRuntime] = {}
        self._pending_digests: dict[str, str] = {}
        self._threads: set[threading.Thread] = set()
        self._closing = threading.Event()
        self._restart_slots = threading.BoundedSemaphore(_MAX_PARALLEL_RESTARTS)

    def restore(self) -> None:
        """End operations that were interrupted when the local cloud stopped, and restart running services."""
        self._launcher.remove_orphans()
        for stored_service in self._services.all():
            if stored_service.deleted is None:
                port = self.open_port(stored_service.arn, stored_service.port)
                service = self._services.put(attrs.evolve(_end_interrupted(stored_service), port=port))
                if service.resting == "RUNNING":
                    self._runtimes[service.arn].lock.acquire()  # the first operation waits for the restart
                    self._start_thread(functools.partial(self._restart, service))

    def open_port(self, arn: str, port: int = 0) -> int:
        """Open a service's public port, preferably the given one; return the port."""
        proxy = TcpProxy(port)
        self._runtimes[arn] = _ServiceRuntime(proxy=proxy)
        return proxy.port

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
            if current_service.status not in allowed_statuses or self._closing.is_set():
                raise InvalidStateError(current_service.status)
            now = time.time()
            operation = ServiceOperation(
                id=str(uuid.uuid4()), type=operation_type, status="PENDING", started=now, updated=now
            )
            updated_service = attrs.evolve(update(current_service), fallback=current_service.configuration)
            service = self._services.put(updated_service.with_operation(operation))
            digest = self._digest_to_deploy(service, operation_type)
            self._start_thread(lambda: self._run_operation(arn, operation, digest))
        return service, operation

    def handle_tag_moved(self, repository: str, tag: str, digest: str) -> None:
        """Deploy to the services that follow a tag: to busy ones later, to paused ones never."""
        for service in self._services.all():
            if service.follows_tag and (service.repository, service.reference) == (repository, tag):
                self._auto_deploy(service.arn, digest)

    def close(self) -> None:
        """Stop all services; `restore` ends the operations in progress at the next start."""
        with self._services.lock:
            self._closing.set()
        for thread in tuple(self._threads):
            thread.join(timeout=_CLOSE_SECONDS)
        stoppers = [threading.Thread(target=_stop_runtime, args=(runtime,)) for runtime in self._runtimes.values()]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join(timeout=_CLOSE_SECONDS)

    def _digest_to_deploy(self, service: AppRunnerService, operation_type: str) -> str | None:
        """Return the image to deploy; a resumed service keeps the image that it had."""
        if operation_type == "RESUME_SERVICE":
            return service.digest
        return self._store.resolve(service.repository, service.reference)

    def _auto_deploy(self, arn: str, digest: str) -> None:
        """Deploy at once, before the request that moved the tag is answered, or after the configured delay."""
        if self._notice_seconds:
            self._start_thread(lambda: self._auto_deploy_later(arn, digest))
        else:
            self._auto_deploy_now(arn, digest)

    def _auto_deploy_later(self, arn: str, digest: str) -> None:
        with contextlib.suppress(Interrupted):
            self._wait_until(self._clock.now() + self._notice_seconds)
            self._auto_deploy_now(arn, digest)

    def _auto_deploy_now(self, arn: str, digest: str) -> None:
        with self._services.lock:
            try:
                self.start_operation(arn, "START_DEPLOYMENT", allowed_statuses={"RUNNING"})
            except InvalidStateError as error:
                if error.args == ("OPERATION_IN_PROGRESS",):
                    self._pending_digests[arn] = digest

    def _run_operation(self, arn: str, operation: ServiceOperation, digest: str | None) -> None:
        with self._runtimes[arn].lock, contextlib.suppress(Interrupted):
            self._run_or_roll_back(arn, operation, digest)
        self._deploy_moved_tag(arn, digest)

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
        self._wait_until(earliest_end)
        self._roll_back(arn, operation, failure)

    def _deploy_moved_tag(self, arn: str, deployed_digest: str | None) -> None:
        """Deploy the image that the tag has been moved to during an operation."""
        with self._services.lock:
            pending_digest = self._pending_digests.pop(arn, None)
            if pending_digest not in (None, deployed_digest):
                with contextlib.suppress(InvalidStateError):
                    self.start_operation(arn, "START_DEPLOYMENT", allowed_statuses={"RUNNING"})

    def _execute(
        self, arn: str, operation: ServiceOperation, digest: str | None, earliest_end: float
    ) -> Instance | None:
        """Run an operation. Return the replaced instance, which the caller stops after the operation, or None."""
        service = self._set_status(arn, operation, "IN_PROGRESS")
        self._log_event(service, f"Service status is set to {service.status}.")
        self._log_event(service, f"{_label(operation)} started.", operation)
        if operation.type in _DEPLOYMENT_TYPES:
            previous_instance = self._switch_instance(
                arn, self._start_instance(service, operation, digest, earliest_end)
            )
            apply_outcome = _mark_running(digest)
        else:
            self._wait_until(earliest_end)
            previous_instance, apply_outcome = None, self._shut_down(arn, operation)
        self._log_event(service, f"{_label(operation)} succeeded.", operation)
        self._finish(arn, operation, "SUCCEEDED", apply_outcome)
        return previous_instance

    def _start_instance(
        self, service: AppRunnerService, operation: ServiceOperation | None, digest: str | None, earliest_end: float
    ) -> Instance:
        """Start an instance and return it when it is healthy, but not before `earliest_end`."""
        spec = self._instance_spec(service, digest)
        self._log_event(service, f"Starting instance {spec.instance_id} from {digest}.", operation)
        instance = self._launcher.start(spec)
        try:
            wait_until_healthy(instance, service.health_check, self._closing, self._clock)
            self._wait_until(earliest_end)
        except BaseException as error:
            instance.stop()
            for line in spec.tail() if isinstance(error, DeployFailed) else ():
                self._log_event(service, f"Last output : {line}", operation)
            raise
        self._log_event(service, "Health check is successful. Routing traffic to application.", operation)
        return instance

    def _instance_spec(self, service: AppRunnerService, digest: str | None) -> InstanceSpec:
        if digest is None:
            raise DeployFailed(f"Image {service.repository}:{service.reference} does not exist.")
        instance_id = uuid.uuid4().hex
        return InstanceSpec(
            instance_id=instance_id,
            repository=service.repository,
            image=read_image(self._store, service.repository, digest),
            variables=service.variables
            | {name: self._resolve_secret(reference) for name, reference in service.secrets.items()},
            arguments=service.arguments,
            port=service.application_port,
            output=self._logs.register_output(service.log_path, instance_id),
        )

    def _switch_instance(self, arn: str, instance: Instance | None) -> Instance | None:
        """Route traffic to another instance, or to none; return the previous one when its connections are drained."""
        runtime = self._runtimes[arn]
        previous_instance, runtime.instance = runtime.instance, instance
        runtime.proxy.switch(instance.port if instance else None)
        if previous_instance is not None:
            deadline = self._clock.now() + _DRAIN_SECONDS
            while not runtime.proxy.drain(previous_instance.port, _DRAIN_CHECK_SECONDS):
                if self._clock.now() >= deadline:
                    break
        return previous_instance

    def _shut_down(self, arn: str, operation: ServiceOperation) -> Callable[[AppRunnerService], AppRunnerService]:
        previous_instance = self._switch_instance(arn, None)
        if previous_instance is not None:
            previous_instance.stop()
        if operation.type == "PAUSE_SERVICE":
            return lambda service: attrs.evolve(service, resting="PAUSED")
        self._runtimes.pop(arn).proxy.close()
        return lambda service: attrs.evolve(service, resting="DELETED", deleted=time.time())

    def _restart(self, service: AppRunnerService) -> None:
        """Start the image that a service ran before the local cloud stopped."""
        runtime = self._runtimes[service.arn]
        try:
            with self._restart_slots:
                self._wait_until(0)
                instance = self._start_instance(service, None, service.digest, 0)
            self._switch_instance(service.arn, instance)
        except Interrupted:
            return
        except KaizenError as error:
            self._log_event(service, f"The service could not be started again. Failure reason : {error.message}")
        finally:
            runtime.lock.release()

    def _roll_back(self, arn: str, operation: ServiceOperation, error: KaizenError) -> None:
        """End a failed operation; the previous instance, if any, has been serving all the time."""
        service = self._services.get(arn)
        if error.state:
            self._log_event(service, error.state, operation)
        self._log_event(service, f"{_label(operation)} failed. Failure reason : {error.message}", operation)
        if self._runtimes[arn].instance is None:
            self._finish(arn, operation, "FAILED", _restore_configuration)
            return
        self._set_status(arn, operation, "ROLLBACK_IN_PROGRESS")
        self._finish(arn, operation, "ROLLBACK_SUCCEEDED", _restore_configuration)

    def _log_event(self, service: AppRunnerService, message: str, operation: ServiceOperation | None = None) -> None:
        self._logs.append_event(service.log_path, message, operation.id if operation else "")

    def _set_status(self, arn: str, operation: ServiceOperation, status: str) -> AppRunnerService:
        with self._services.lock:
            service = self._services.get(arn)
            return self._services.put(service.with_operation(operation.with_status(status)))

    def _finish(
        self,
        arn: str,
        operation: ServiceOperation,
        status: str,
        apply_outcome: Callable[[AppRunnerService], AppRunnerService],
    ) -> None:
        """Save the end of an operation and its outcome as one change."""
        with self._services.lock:
            final_service = attrs.evolve(apply_outcome(self._services.get(arn)), fallback=None)
            service = self._services.put(final_service.with_operation(operation.with_status(status)))
        self._log_event(service, f"Service status is set to {service.status}.")

    def _wait_until(self, deadline: float) -> None:
        if self._clock.wait(self._closing, deadline):
            raise Interrupted("the local cloud is stopping")

    def _start_thread(self, work: Callable[[], None]) -> None:
        """Run a function in a thread that `close` waits for."""
        thread = threading.Thread(target=self._run_thread, args=(work,), daemon=True)
        self._threads.add(thread)
        thread.start()

    def _run_thread(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            self._threads.discard(threading.current_thread())


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


def _stop_runtime(runtime: _ServiceRuntime) -> None:
    runtime.proxy.close()
    if runtime.instance is not None:
        runtime.instance.stop()
