"""The instances of services: started, routed to, and replaced when they stop or become unhealthy."""

from __future__ import annotations

import functools
import itertools
import threading
import uuid
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.errors import DeployFailed, Interrupted, KaizenError
from kaizen_tasks.localcloud.instances.health import wait_until_healthy, wait_until_unhealthy
from kaizen_tasks.localcloud.instances.rootfs import read_image
from kaizen_tasks.localcloud.instances.spec import Instance, InstanceSpec
from kaizen_tasks.localcloud.services.proxy import TcpProxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.localcloud.apprunner.services import AppRunnerService, ServiceOperation, ServiceStore
    from kaizen_tasks.localcloud.clock import MonotonicClock
    from kaizen_tasks.localcloud.instances.launcher import InstanceLauncher
    from kaizen_tasks.localcloud.logs.files import LogStore
    from kaizen_tasks.localcloud.registry.store import ImageStore
    from kaizen_tasks.localcloud.services.background import BackgroundThreads

_DRAIN_SECONDS = 1.0
_DRAIN_CHECK_SECONDS = 0.1
_STOP_SECONDS = 15.0
_MAX_PARALLEL_RESTARTS = 4  # so that a cloud with many services listens soon after its start
_MAX_RETRY_SECONDS = 60.0
_STABLE_SECONDS = 60.0  # an instance that lives longer is replaced at once


@attrs.define(kw_only=True)
class _ServiceRuntime:
    """The proxy and the instance of a service; hold `lock` to change them.

    Args:
        proxy: listens on the public port.
        instance: what the proxy forwards to.
        early_ends: instances in a row that had to be replaced soon after their start.
        lock: protects the others.
    """

    proxy: TcpProxy
    instance: Instance | None = None
    early_ends: int = 0
    lock: threading.Lock = attrs.field(factory=threading.Lock)


class ServiceInstances:
    """The instance and the public port of every service.

    Args:
        services: the services.
        launcher: starts instances.
        store: the registry's images.
        logs: receives the services' events.
        resolve_secret: returns the value of a secret, by its reference.
        threads: run restarts and watch instances.
        clock: the clock of all durations.
    """

    def __init__(
        self,
        *,
        services: ServiceStore,
        launcher: InstanceLauncher,
        store: ImageStore,
        logs: LogStore,
        resolve_secret: Callable[[str], str],
        threads: BackgroundThreads,
        clock: MonotonicClock,
    ) -> None:
        self._services = services
        self._launcher = launcher
        self._store = store
        self._logs = logs
        self._resolve_secret = resolve_secret
        self._threads = threads
        self._clock = clock
        self._runtimes: dict[str, _ServiceRuntime] = {}
        self._restart_slots = threading.BoundedSemaphore(_MAX_PARALLEL_RESTARTS)

    def open_port(self, arn: str, port: int = 0) -> int:
        """Open a service's public port, preferably the given one; return the port."""
        proxy = TcpProxy(port)
        self._runtimes[arn] = _ServiceRuntime(proxy=proxy)
        return proxy.port

    def lock(self, arn: str) -> threading.Lock:
        """Return the lock to hold while a service's instance is changed."""
        return self._runtimes[arn].lock

    def is_running(self, arn: str) -> bool:
        """Return whether a service has an instance."""
        return self._runtimes[arn].instance is not None

    def start(
        self, service: AppRunnerService, operation: ServiceOperation | None, digest: str | None, earliest_end: float
    ) -> Instance:
        """Start an instance and return it when it is healthy, but not before `earliest_end`."""
        spec = self._instance_spec(service, digest)
        self.log_event(service, f"Starting instance {spec.instance_id} from {digest}.", operation)
        instance = self._launcher.start(spec)
        try:
            wait_until_healthy(instance, service.health_check, self._threads.closing, self._clock)
            self._threads.wait_until(earliest_end)
        except BaseException as error:
            instance.stop()
            for line in spec.tail() if isinstance(error, DeployFailed) else ():
                self.log_event(service, f"Last output : {line}", operation)
            raise
        self.log_event(service, "Health check is successful. Routing traffic to application.", operation)
        return instance

    def switch(self, arn: str, instance: Instance | None) -> Instance | None:
        """Route traffic to another instance, or to none; return the previous one when its connections are drained."""
        runtime = self._runtimes[arn]
        previous_instance, runtime.instance = runtime.instance, instance
        runtime.proxy.switch(instance.port if instance else None)
        if instance is not None and instance.may_fail:
            self._threads.start(functools.partial(self._watch, arn, runtime, instance))
        if previous_instance is not None:
            deadline = self._clock.now() + _DRAIN_SECONDS
            while not runtime.proxy.drain(previous_instance.port, _DRAIN_CHECK_SECONDS):
                if self._clock.now() >= deadline or self._threads.closing.is_set():
                    break
        return previous_instance

    def restart(self, service: AppRunnerService) -> None:
        """Start, in the background, the image that a service ran before the local cloud stopped."""
        runtime = self._runtimes[service.arn]
        runtime.lock.acquire()  # the first operation waits for the restart
        self._threads.start(functools.partial(self._restart, service.arn, runtime))

    def remove(self, arn: str) -> None:
        """Close the public port of a service that has no instance any more."""
        self._runtimes.pop(arn).proxy.close()

    def close(self) -> None:
        """Stop all instances and free all ports."""
        stoppers = [threading.Thread(target=_stop_runtime, args=(runtime,)) for runtime in self._runtimes.values()]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join(timeout=_STOP_SECONDS)

    def log_event(self, service: AppRunnerService, message: str, operation: ServiceOperation | None = None) -> None:
        """Add a line to the events of a service, and to the log of an operation."""
        self._logs.append_event(service.log_path, message, operation.id if operation else "")

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

    def _restart(self, arn: str, runtime: _ServiceRuntime) -> None:
        try:
            with self._restart_slots:
                is_settled = self._try_start(arn, runtime)
        finally:
            runtime.lock.release()
        if not is_settled:
            self._start_until_running(arn, runtime)

    def _watch(self, arn: str, runtime: _ServiceRuntime, instance: Instance) -> None:
        """Replace an instance when it has stopped or become unhealthy, unless it is the current one no longer."""
        started_at = self._clock.now()
        reason = wait_until_unhealthy(
            instance,
            self._services.get(arn).health_check,
            is_current=lambda: runtime.instance is instance,
            stop_event=self._threads.closing,
            clock=self._clock,
        )
        if not reason:
            return
        with runtime.lock:
            if runtime.instance is not instance or self._threads.closing.is_set():
                return
            self.log_event(self._services.get(arn), reason)
            self.switch(arn, None)
            instance.stop()
            is_early = self._clock.now() - started_at < _STABLE_SECONDS
            runtime.early_ends = runtime.early_ends + 1 if is_early else 0
        if runtime.early_ends > 1 and self._threads.closing.wait(_retry_delay(runtime.early_ends - 2)):
            return
        self._start_until_running(arn, runtime)

    def _start_until_running(self, arn: str, runtime: _ServiceRuntime) -> None:
        for attempt in itertools.count():
            with runtime.lock:
                if self._try_start(arn, runtime):
                    return
            if self._threads.closing.wait(_retry_delay(attempt)):
                return

    def _try_start(self, arn: str, runtime: _ServiceRuntime) -> bool:
        """Start the deployed image; return False if it failed and is to be tried again."""
        service = self._services.get(arn)
        if runtime.instance is not None or service.resting != "RUNNING":  # an operation has come first
            return True
        try:
            self._threads.wait_until(0)
            self.switch(arn, self.start(service, None, service.digest, 0))
        except Interrupted:
            return True
        except (KaizenError, OSError) as error:
            reason = error.message if isinstance(error, KaizenError) else str(error)
            self.log_event(service, f"The instance could not be started. Failure reason : {reason}")
            return False
        return True


def _retry_delay(attempt: int) -> float:
    return min(2.0 ** min(attempt, 10), _MAX_RETRY_SECONDS)


def _stop_runtime(runtime: _ServiceRuntime) -> None:
    runtime.proxy.close()
    if runtime.instance is not None:
        runtime.instance.stop()
