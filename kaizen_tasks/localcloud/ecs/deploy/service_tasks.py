"""The public port of every service, and the tasks of its revisions among which the traffic is divided."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

import attrs

from kaizen_tasks.errors import Interrupted
from kaizen_tasks.localcloud.ecs.deploy.task_set import TaskSet
from kaizen_tasks.localcloud.services.proxy import TcpProxy
from kaizen_tasks.localcloud.services.traffic import ResponseCount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.localcloud.clock import MonotonicClock
    from kaizen_tasks.localcloud.ecs.deploy.task_set import TaskRunner
    from kaizen_tasks.localcloud.instances.health import HealthCheck
    from kaizen_tasks.localcloud.services.background import BackgroundThreads

_DRAIN_SECONDS = 1.0
_STOP_SECONDS = 15.0
_MAX_PARALLEL_STARTS = 4  # so that a cloud with many services listens soon after its start
_NOTHING = ResponseCount(total=0, errors=0)


class ServiceListener(Protocol):
    """Learns what happens to the tasks of services."""

    def task_failed(self, service_arn: str, revision_arn: str, task_id: str, reason: str) -> None:
        """Learn that a task did not become healthy, or has stopped by itself; the id is empty if it has none."""


@attrs.define(kw_only=True)
class _Runtime:
    """What a service has at run time: its public port, its task sets and the share of the traffic of each."""

    proxy: TcpProxy
    sets: dict[str, TaskSet] = attrs.field(factory=dict)
    weights: dict[str, float] = attrs.field(factory=dict)
    counted: dict[int, ResponseCount] = attrs.field(factory=dict)
    lock: threading.RLock = attrs.field(factory=threading.RLock)


class ServiceTasks:
    """The tasks of all services, by service and revision.

    Args:
        listener: learns of failed tasks.
        threads: run what happens in the background.
        clock: the clock of all durations.
    """

    def __init__(self, *, listener: ServiceListener, threads: BackgroundThreads, clock: MonotonicClock) -> None:
        self._listener = listener
        self._threads = threads
        self._clock = clock
        self._changed = threading.Condition()
        self._starts = threading.BoundedSemaphore(_MAX_PARALLEL_STARTS)
        self._runtimes: dict[str, _Runtime] = {}

    def open_port(self, service_arn: str, port: int = 0) -> int:
        """Open a service's public port, preferably the given one; return the port."""
        proxy = TcpProxy(port)
        self._runtimes[service_arn] = _Runtime(proxy=proxy)
        return proxy.port

    def close_port(self, service_arn: str) -> None:
        """Close the public port of a service that has no tasks any more."""
        self._runtimes.pop(service_arn).proxy.close()

    def add(self, service_arn: str, revision_arn: str, runner: TaskRunner, check: HealthCheck) -> None:
        """Add the task set of a revision, which has no tasks and no traffic yet, unless there is one.

        Raises:
            Interrupted: the local cloud is being closed.
        """
        runtime = self._runtimes[service_arn]
        with runtime.lock:
            if self._threads.closing.is_set():
                raise Interrupted("the local cloud is stopping")
            if revision_arn not in runtime.sets:
                runtime.sets[revision_arn] = TaskSet(
                    runner=runner,
                    check=check,
                    listener=_RevisionListener(self, service_arn, revision_arn),
                    starts=self._starts,
                    threads=self._threads,
                    clock=self._clock,
                )

    def scale(self, service_arn: str, revision_arn: str, count: int) -> None:
        """Change the number of a revision's tasks."""
        self._runtimes[service_arn].sets[revision_arn].scale(count)

    def revisions(self, service_arn: str) -> tuple[str, ...]:
        """Return the ARNs of the revisions that have tasks or start them."""
        runtime = self._runtimes.get(service_arn)
        return tuple(runtime.sets) if runtime else ()

    def running_count(self, service_arn: str, revision_arn: str) -> int:
        """Return how many healthy tasks a revision has."""
        task_set = self._find(service_arn, revision_arn)
        return len(task_set.tasks) if task_set else 0

    def pending_count(self, service_arn: str, revision_arn: str) -> int:
        """Return how many tasks of a revision are still to be started."""
        task_set = self._find(service_arn, revision_arn)
        return task_set.pending_count if task_set else 0

    def distribute(self, service_arn: str, weights: Mapping[str, float]) -> None:
        """Divide new connections among revisions in the proportion of weights."""
        runtime = self._runtimes[service_arn]
        with runtime.lock:
            runtime.weights = dict(weights)
            runtime.counted = {
                task.port: runtime.proxy.responses(task.port)
                for task_set in runtime.sets.values()
                for task in task_set.tasks
            }
            self._route(runtime)

    def responses(self, service_arn: str, revision_arn: str) -> ResponseCount:
        """Return what a revision's tasks have answered since the traffic was last divided."""
        runtime = self._runtimes[service_arn]
        with runtime.lock:
            ports = [task.port for task in runtime.sets[revision_arn].tasks]
            counts = [runtime.proxy.responses(port) - runtime.counted.get(port, _NOTHING) for port in ports]
        return sum(counts, start=_NOTHING)

    def remove(self, service_arn: str, revision_arn: str, reason: str) -> None:
        """Stop the tasks of a revision that gets no traffic, once its connections have ended or a second has passed."""
        runtime = self._runtimes[service_arn]
        with runtime.lock:
            task_set = runtime.sets.pop(revision_arn, None)
            runtime.weights.pop(revision_arn, None)
            self._route(runtime)
        if task_set is None:
            return
        for task in task_set.tasks:
            runtime.proxy.drain(task.port, _DRAIN_SECONDS)
        task_set.close(reason)
        task_set.wait_until_closed(_STOP_SECONDS)

    def replace(self, task_id: str, code: str, reason: str) -> bool:
        """Stop a task and start another one in its place; return False if it is no task of a service."""
        sets = [task_set for runtime in tuple(self._runtimes.values()) for task_set in tuple(runtime.sets.values())]
        return any(task_set.replace(task_id, code, reason) for task_set in sets)

    def wait_for_change(self, timeout: float) -> None:
        """Wait until tasks or requests have changed something, or for the timeout."""
        with self._changed:
            self._changed.wait(timeout)

    def notify(self) -> None:
        """Wake up those who wait for a change."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Stop all tasks and free all ports; no task set can be added any more, as the threads are closing."""
        sets: list[TaskSet] = []
        for runtime in tuple(self._runtimes.values()):
            runtime.proxy.close()
            with runtime.lock:
                sets += runtime.sets.values()
        for task_set in sets:
            task_set.close("The local cloud is stopping")
        for task_set in sets:
            task_set.wait_until_closed(_STOP_SECONDS)

    def route(self, service_arn: str) -> None:
        """Let the traffic reach the tasks that are healthy now."""
        runtime = self._runtimes.get(service_arn)
        if runtime is not None:
            with runtime.lock:
                self._route(runtime)
        self.notify()

    def fail(self, service_arn: str, revision_arn: str, task_id: str, reason: str) -> None:
        """Report a failed task."""
        self._listener.task_failed(service_arn, revision_arn, task_id, reason)
        self.notify()

    def _route(self, runtime: _Runtime) -> None:
        ports: dict[int, float] = {}
        for revision_arn, weight in runtime.weights.items():
            tasks = runtime.sets[revision_arn].tasks if revision_arn in runtime.sets else ()
            ports |= {task.port: weight / len(tasks) for task in tasks}
        runtime.proxy.distribute(ports)

    def _find(self, service_arn: str, revision_arn: str) -> TaskSet | None:
        runtime = self._runtimes.get(service_arn)
        return runtime.sets.get(revision_arn) if runtime else None


@attrs.frozen
class _RevisionListener:
    """Passes on what happens to the tasks of one revision."""

    _service_tasks: ServiceTasks
    _service_arn: str
    _revision_arn: str

    def tasks_changed(self) -> None:
        self._service_tasks.route(self._service_arn)

    def task_failed(self, task_id: str, reason: str) -> None:
        self._service_tasks.fail(self._service_arn, self._revision_arn, task_id, reason)
