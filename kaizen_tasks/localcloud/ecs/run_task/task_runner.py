"""Runs tasks in background threads, from their request until they have stopped."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.errors import Interrupted, KaizenError
from kaizen_tasks.localcloud.ecs import tasks as states
from kaizen_tasks.localcloud.ecs.containers import TaskSpec, start_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kaizen_tasks.localcloud.clock import MonotonicClock
    from kaizen_tasks.localcloud.ecs.container_output import ContainerOutput
    from kaizen_tasks.localcloud.ecs.containers import RunningTask, TaskLauncher
    from kaizen_tasks.localcloud.ecs.task_definitions import TaskDefinition
    from kaizen_tasks.localcloud.ecs.tasks import Task, TaskContainer, TaskStore
    from kaizen_tasks.localcloud.services.background import BackgroundThreads

_POLL_SECONDS = 0.05
_EXITED = "Essential container in task exited"
_CLOUD_STOPPED = "The local cloud was stopped while this task was running."


class TaskRunner:
    """Runs the tasks of RunTask.

    Args:
        tasks: the tasks.
        launcher: starts their containers.
        output: where containers print to.
        threads: run the tasks.
        clock: measures `start_seconds`.
        start_seconds: for how long a task is `PROVISIONING`.
    """

    def __init__(
        self,
        *,
        tasks: TaskStore,
        launcher: TaskLauncher,
        output: ContainerOutput,
        threads: BackgroundThreads,
        clock: MonotonicClock,
        start_seconds: float,
    ) -> None:
        self._tasks = tasks
        self._launcher = launcher
        self._output = output
        self._threads = threads
        self._clock = clock
        self._start_seconds = start_seconds

    def restore(self) -> None:
        """End the tasks that were running when the local cloud stopped, and forget those of yesterday."""
        self._tasks.remove_expired()
        for task in self._tasks.all():
            if not task.is_stopped:
                self._change(task.arn, lambda known: known.to_be_stopped("TerminationNotice", _CLOUD_STOPPED))
                self._finish(task.arn, {})

    def start(self, task: Task, definition: TaskDefinition) -> None:
        """Run a task that was saved, in a thread of its own."""
        self._threads.start(functools.partial(self._run, task, definition))

    def stop(self, task: Task, reason: str) -> Task:
        """Ask a task to stop, and return it; its containers get SIGTERM, and later SIGKILL."""
        if task.is_stopped:
            return task
        return self._change(task.arn, lambda known: known.to_be_stopped(states.USER_INITIATED, reason))

    def _run(self, task: Task, definition: TaskDefinition) -> None:
        exit_codes: Mapping[str, int] = {}
        try:
            self._threads.wait_until(self._clock.now() + self._start_seconds)
            running = self._start(task, definition)
            if running is not None:
                exit_codes = self._run_to_end(task.arn, running)
        except Interrupted:
            self._to_be_stopped(task.arn, "TerminationNotice", _CLOUD_STOPPED)
        except (KaizenError, OSError) as error:
            self._fail(task.arn, error)
        except Exception as error:
            self._fail(task.arn, error)
            raise
        finally:
            self._finish(task.arn, exit_codes)
            self._output.remove(task.id)

    def _start(self, task: Task, definition: TaskDefinition) -> RunningTask | None:
        """Start the containers of a task; return None if it is to stop already."""
        pending = self._save(task.arn, lambda known: known.with_status(states.PENDING, "pullStartedAt"))
        if pending.desired_status == states.STOPPED:
            return None
        digests = self._launcher.resolve_images(definition.document)
        overrides = {entry["name"]: entry for entry in task.overrides.get("containerOverrides", ()) if "name" in entry}
        running = self._launcher.start(
            TaskSpec(
                task_id=task.id,
                definition=definition.document,
                digests=digests,
                overrides=overrides,
                runs_once=True,
                is_to_stop=lambda: self._tasks.get(task.arn).desired_status == states.STOPPED,
            )
        )
        try:
            self._save(task.arn, lambda known: _as_running(known, running, digests))
        except BaseException:
            running.stop()
            raise
        return running

    def _run_to_end(self, arn: str, running: RunningTask) -> Mapping[str, int]:
        """Wait until a task has ended or is to stop, stop its containers, and return their exit codes."""
        try:
            while self._is_to_run(arn, running):
                self._threads.wait_until(self._clock.now() + _POLL_SECONDS)
            self._to_be_stopped(arn, "EssentialContainerExited", _EXITED)
            self._save(arn, lambda known: known.with_status(states.STOPPING))
        except Interrupted:
            self._to_be_stopped(arn, "TerminationNotice", _CLOUD_STOPPED)
        finally:
            running.stop()
        return running.exit_codes()

    def _is_to_run(self, arn: str, running: RunningTask) -> bool:
        task = self._tasks.get(arn)
        exit_codes = running.exit_codes()
        if any(task.container(name).exit_code is None for name in exit_codes):
            task = self._save(arn, lambda known: _with_exit_codes(known, exit_codes))
        return task.desired_status == states.RUNNING and running.exit_code() is None

    def _fail(self, arn: str, error: Exception) -> None:
        """Note why the containers of a task could not be started."""
        message = start_failure(error)
        with contextlib.suppress(OSError):
            self._change(arn, lambda known: _as_failed(known, message))

    def _finish(self, arn: str, exit_codes: Mapping[str, int]) -> None:
        """Save that a task has stopped; if the disk is full, wait for room."""
        with contextlib.suppress(Interrupted, OSError):
            self._save(arn, lambda known: known.with_status(states.DEPROVISIONING, "executionStoppedAt"))
        with contextlib.suppress(Interrupted):
            self._save(arn, lambda known: _as_stopped(known, exit_codes))

    def _to_be_stopped(self, arn: str, code: str, reason: str) -> None:
        with contextlib.suppress(Interrupted):
            self._save(arn, lambda known: known.to_be_stopped(code, reason))

    def _save(self, arn: str, change: Callable[[Task], Task]) -> Task:
        """Change a task; wait while the disk is full."""
        return self._threads.save(functools.partial(self._change, arn, change))

    def _change(self, arn: str, change: Callable[[Task], Task]) -> Task:
        return self._tasks.change(arn, change)


def _as_running(task: Task, running: RunningTask, digests: Mapping[str, str]) -> Task:
    """Return a task with the containers that were started; others, whose images are elsewhere, are left out."""
    started = {container.name: container for container in running.containers}
    for container in task.containers:
        task = task.with_container(
            attrs.evolve(
                container,
                image_digest=digests[container.name],
                runtime_id=started[container.name].spec.instance_id,
                last_status=states.RUNNING,
            )
            if container.name in started
            else attrs.evolve(container, last_status=states.STOPPED, reason=_elsewhere(container))
        )
    return task.with_status(states.RUNNING, "pullStoppedAt", "startedAt", "connectivityAt")


def _elsewhere(container: TaskContainer) -> str:
    return f"CannotPullContainerError: the local cloud does not have {container.image}, and goes on without it"


def _as_failed(task: Task, message: str) -> Task:
    containers = tuple(attrs.evolve(container, reason=message) for container in task.containers)
    return attrs.evolve(task, containers=containers).to_be_stopped("TaskFailedToStart", message)


def _with_exit_codes(task: Task, exit_codes: Mapping[str, int]) -> Task:
    for name, code in exit_codes.items():
        task = task.with_container(attrs.evolve(task.container(name), last_status=states.STOPPED, exit_code=code))
    return task


def _as_stopped(task: Task, exit_codes: Mapping[str, int]) -> Task:
    ended = _with_exit_codes(task, exit_codes)
    containers = tuple(attrs.evolve(container, last_status=states.STOPPED) for container in ended.containers)
    return attrs.evolve(ended, containers=containers).with_status(states.STOPPED, "stoppedAt")
