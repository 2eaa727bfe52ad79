"""The tasks of one revision of a service: started, watched, and replaced when they stop or become unhealthy."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol

import attrs

from kaizen_tasks.errors import Interrupted, KaizenError
from kaizen_tasks.localcloud.ecs.containers import RunningTask
from kaizen_tasks.localcloud.instances.health import wait_until_healthy, wait_until_unhealthy

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.clock import MonotonicClock
    from kaizen_tasks.localcloud.instances.health import HealthCheck
    from kaizen_tasks.localcloud.services.background import BackgroundThreads

SCHEDULER, CONTAINER_EXITED, FAILED_TO_START = (
    "ServiceSchedulerInitiated",
    "EssentialContainerExited",
    "TaskFailedToStart",
)
_MAX_RETRY_SECONDS = 60.0
_FIRST_RETRY_SECONDS = 0.125
_STABLE_SECONDS = 60.0  # a task that lives longer is replaced at once
_log = logging.getLogger(__name__)


class TaskRunner(Protocol):
    """Starts and stops the tasks of a revision, and records them."""

    def start(self) -> RunningTask:
        """Start a task; raise KaizenError if it cannot be started."""

    def stop(self, task: RunningTask, code: str, reason: str) -> None:
        """Stop a task for a reason, with the code of it as the API names it."""


class TaskSetListener(Protocol):
    """Learns what happens to the tasks of a revision."""

    def tasks_changed(self) -> None:
        """Learn that tasks have become healthy, or have stopped."""

    def task_failed(self, task_id: str, reason: str) -> None:
        """Learn that a task did not become healthy, or has stopped by itself; the id is empty if it has none."""


@attrs.frozen
class _Lost:
    """A task that has to be replaced, and why."""

    task: RunningTask
    code: str
    reason: str


class TaskSet:
    """Keeps a number of tasks running, by one thread that starts and stops them one after another.

    Args:
        runner: starts and stops tasks.
        check: how their health is checked.
        listener: learns what happens.
        starts: lets only so many tasks be started at once.
        threads: run this one's and the ones that watch tasks.
        clock: the clock of all durations.
    """

    def __init__(
        self,
        *,
        runner: TaskRunner,
        check: HealthCheck,
        listener: TaskSetListener,
        starts: threading.Semaphore,
        threads: BackgroundThreads,
        clock: MonotonicClock,
    ) -> None:
        self._runner = runner
        self._check = check
        self._listener = listener
        self._starts = starts
        self._threads = threads
        self._clock = clock
        self._condition = threading.Condition()
        self._closing = threading.Event()
        self._closed = threading.Event()
        self._count = 0
        self._close_reason = ""
        self._tasks: list[RunningTask] = []
        self._starting: RunningTask | None = None
        self._lost: list[_Lost] = []
        self._early_ends = 0  # tasks in a row that had to be replaced soon after their start
        threads.start(self._run)

    @property
    def tasks(self) -> tuple[RunningTask, ...]:
        """Return the healthy tasks."""
        with self._condition:
            return tuple(self._tasks)

    @property
    def pending_count(self) -> int:
        """Return how many tasks are still to be started."""
        with self._condition:
            return 0 if self._closing.is_set() else max(0, self._count - len(self._tasks))

    def scale(self, count: int) -> None:
        """Change the number of tasks."""
        with self._condition:
            self._count = count
            self._condition.notify_all()

    def replace(self, task_id: str, code: str, reason: str) -> bool:
        """Stop a task and start another one in its place; return False if it is none of these."""
        with self._condition:
            task = next((known for known in self._tasks if known.task_id == task_id), None)
            starting = self._starting
        if task is None and starting is not None and starting.task_id == task_id:
            starting.stop()  # it does not become healthy then
            return True
        return task is not None and self._lose(_Lost(task, code, reason))

    def close(self, reason: str) -> None:
        """Stop all tasks, in the background."""
        with self._condition:
            self._close_reason = reason
            self._closing.set()
            self._condition.notify_all()

    def wait_until_closed(self, timeout: float) -> bool:
        """Wait until all tasks are stopped; return False at the timeout."""
        return self._closed.wait(timeout)

    def _run(self) -> None:
        try:
            while self._wait_for_work():
                self._work()
            for lost in self._lost:
                self._runner.stop(lost.task, lost.code, lost.reason)
            for task in self.tasks:
                self._runner.stop(task, SCHEDULER, self._close_reason)
        finally:
            self._closed.set()

    def _wait_for_work(self) -> bool:
        """Wait until there is something to do; return False once the tasks are to be stopped."""
        with self._condition:
            self._condition.wait_for(lambda: self._closing.is_set() or self._lost or len(self._tasks) != self._count)
            return not self._closing.is_set()

    def _work(self) -> None:
        with self._condition:
            lost, self._lost = self._lost, []
            extra = self._tasks.pop() if len(self._tasks) > self._count else None
            is_missing = len(self._tasks) < self._count
        for entry in lost:
            self._runner.stop(entry.task, entry.code, entry.reason)
        if extra is not None:
            self._listener.tasks_changed()
            self._runner.stop(extra, SCHEDULER, "Scaling activity initiated by service scheduler")
        elif is_missing:
            self._start_one()

    def _start_one(self) -> None:
        if self._closing.wait(self._retry_delay()):
            return
        task: RunningTask | None = None
        try:
            with self._starts:
                task = self._starting = self._runner.start()
            wait_until_healthy(task, self._check, self._closing, self._clock)
        except Interrupted:
            if task is not None:
                self._runner.stop(task, SCHEDULER, self._close_reason)
        except Exception as error:  # noqa: BLE001 - every task that is missing is started again
            if not isinstance(error, (KaizenError, OSError)):
                _log.exception("a task could not be started")
            self._early_ends += 1
            reason = _reason(task, error)
            if task is not None:
                self._runner.stop(task, _stop_code(task), reason)
            self._listener.task_failed(task.task_id if task else "", reason)
        else:
            self._add(task)
        finally:
            self._starting = None

    def _retry_delay(self) -> float:
        if not self._early_ends:
            return 0.0
        return min(_FIRST_RETRY_SECONDS * 2.0 ** min(self._early_ends, 10), _MAX_RETRY_SECONDS)

    def _add(self, task: RunningTask) -> None:
        with self._condition:
            self._tasks.append(task)
            self._starting = None
        if task.may_fail:
            self._threads.start(lambda: self._watch(task))
        self._listener.tasks_changed()

    def _watch(self, task: RunningTask) -> None:
        started_at = self._clock.now()
        reason = wait_until_unhealthy(
            task, self._check, is_current=lambda: task in self._tasks, stop_event=self._closing, clock=self._clock
        )
        if reason and self._lose(_Lost(task, _stop_code(task), reason)):
            self._early_ends = self._early_ends + 1 if self._clock.now() - started_at < _STABLE_SECONDS else 0
            self._listener.task_failed(task.task_id, reason)

    def _lose(self, lost: _Lost) -> bool:
        """Let no more traffic reach a task, and have it stopped and replaced; return False if that has been done."""
        with self._condition:
            if lost.task not in self._tasks:
                return False
            self._tasks.remove(lost.task)
            self._lost.append(lost)
            self._condition.notify_all()
        self._listener.tasks_changed()
        return True


def _stop_code(task: RunningTask) -> str:
    return CONTAINER_EXITED if task.exit_code() is not None else SCHEDULER


def _reason(task: RunningTask | None, error: Exception) -> str:
    code = task.exit_code() if task else None
    if code is not None:
        return f"Essential container in task exited (exit code {code})"
    return error.message if isinstance(error, KaizenError) else repr(error)
