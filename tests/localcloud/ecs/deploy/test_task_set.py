"""Task sets, with tasks that are no programs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

import attrs
import pytest

from kaizen_tasks.errors import DeployFailed
from kaizen_tasks.localcloud.ecs.deploy.task_set import CONTAINER_EXITED, SCHEDULER, TaskSet
from kaizen_tasks.localcloud.instances.health import HealthCheck
from kaizen_tasks.localcloud.services.background import BackgroundThreads
from tests.localcloud.manual_clock import ManualClock
from tests.support.waiting import HANG_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.localcloud.ecs.containers import RunningTask

CHECK = HealthCheck(protocol="TCP", path="/", interval=1, timeout=1, healthy_threshold=1, unhealthy_threshold=2)


@attrs.define(eq=False)
class FakeTask:
    task_id: str
    listens: bool = True
    code: int | None = None
    port: int = 1
    may_fail: bool = True

    def accepts_connections(self, timeout: float) -> bool:
        return self.listens

    def exit_code(self) -> int | None:
        return self.code


@attrs.define
class FakeRunner:
    """Starts tasks, and records why they were stopped."""

    listens: bool = True
    error: str = ""
    started: list[FakeTask] = attrs.field(factory=list)
    stopped: list[tuple[str, str, str]] = attrs.field(factory=list)

    def start(self) -> RunningTask:
        if self.error:
            raise DeployFailed(self.error)
        task = FakeTask(str(len(self.started)), listens=self.listens)
        self.started.append(task)
        return cast("RunningTask", task)

    def stop(self, task: RunningTask, code: str, reason: str) -> None:
        self.stopped.append((task.task_id, code, reason))


@attrs.define
class FakeListener:
    changes: int = 0
    failures: list[tuple[str, str]] = attrs.field(factory=list)

    def tasks_changed(self) -> None:
        self.changes += 1

    def task_failed(self, task_id: str, reason: str) -> None:
        self.failures.append((task_id, reason))


@attrs.define
class Setup:
    runner: FakeRunner
    listener: FakeListener
    clock: ManualClock
    tasks: TaskSet

    def ids(self) -> list[str]:
        return [task.task_id for task in self.tasks.tasks]


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch) -> Iterator[Setup]:
    monkeypatch.setattr("kaizen_tasks.localcloud.ecs.deploy.task_set._FIRST_RETRY_SECONDS", 0.001)
    monkeypatch.setattr("kaizen_tasks.localcloud.instances.health._WATCH_SECONDS", 0.01)
    clock, runner, listener = ManualClock(), FakeRunner(), FakeListener()
    threads = BackgroundThreads(clock)
    tasks = TaskSet(
        runner=runner,
        check=CHECK,
        listener=listener,
        starts=threading.Semaphore(),
        threads=threads,
        clock=clock,
    )
    yield Setup(runner, listener, clock, tasks)
    tasks.close("the test has ended")
    assert tasks.wait_until_closed(HANG_SECONDS)
    threads.closing.set()
    threads.close()


def test_tasks_are_started_and_stopped_until_their_number_is_right(setup: Setup) -> None:
    setup.tasks.scale(3)
    wait_for(lambda: setup.ids() == ["0", "1", "2"])
    assert setup.tasks.pending_count == 0

    setup.tasks.scale(1)

    wait_for(lambda: setup.ids() == ["0"])
    wait_for(lambda: [entry[:2] for entry in setup.runner.stopped] == [("2", SCHEDULER), ("1", SCHEDULER)])
    assert setup.listener.failures == []


def test_task_that_exits_is_replaced(setup: Setup) -> None:
    setup.tasks.scale(1)
    wait_for(lambda: setup.ids() == ["0"])

    setup.runner.started[0].code = 137

    wait_for(lambda: setup.ids() == ["1"])
    assert [entry[:2] for entry in setup.runner.stopped] == [("0", CONTAINER_EXITED)]
    assert setup.listener.failures[0][0] == "0"
    assert "Container exit code: 137" in setup.listener.failures[0][1]


def test_task_that_becomes_unhealthy_is_replaced(setup: Setup) -> None:
    setup.tasks.scale(1)
    wait_for(lambda: setup.ids() == ["0"])

    setup.runner.started[0].listens = False
    setup.clock.tick = 1.0

    wait_for(lambda: setup.ids() == ["1"])
    assert setup.runner.stopped[0][1] == SCHEDULER


def test_task_that_never_listens_fails_and_is_started_again(setup: Setup) -> None:
    setup.runner.listens = False
    setup.clock.tick = 1.0
    setup.tasks.scale(1)

    wait_for(lambda: len(setup.listener.failures) >= 2)

    assert "no answer to TCP" in setup.listener.failures[0][1]
    assert (setup.ids(), setup.tasks.pending_count) == ([], 1)


def test_task_that_cannot_be_started_fails_without_an_id(setup: Setup) -> None:
    setup.runner.error = "CannotPullContainerError: gone"
    setup.tasks.scale(1)

    wait_for(lambda: len(setup.listener.failures) >= 2)
    assert setup.listener.failures[0] == ("", "CannotPullContainerError: gone")
    setup.runner.error = ""

    wait_for(lambda: setup.ids() == ["0"])


def test_task_is_replaced_by_request(setup: Setup) -> None:
    setup.tasks.scale(1)
    wait_for(lambda: setup.ids() == ["0"])

    assert setup.tasks.replace("0", "UserInitiated", "by hand")

    wait_for(lambda: setup.ids() == ["1"])
    assert setup.runner.stopped == [("0", "UserInitiated", "by hand")]
    assert not setup.tasks.replace("0", "UserInitiated", "again")


def test_tasks_end_with_their_set(setup: Setup) -> None:
    setup.tasks.scale(2)
    wait_for(lambda: len(setup.ids()) == 2)

    setup.tasks.close("deleted")

    assert setup.tasks.wait_until_closed(HANG_SECONDS)
    assert sorted(setup.runner.stopped) == [("0", SCHEDULER, "deleted"), ("1", SCHEDULER, "deleted")]
    assert setup.tasks.pending_count == 0


def test_set_can_be_closed_while_a_task_starts(setup: Setup) -> None:
    setup.runner.listens = False
    setup.tasks.scale(1)
    wait_for(lambda: len(setup.runner.started) == 1)

    setup.tasks.close("superseded")

    assert setup.tasks.wait_until_closed(HANG_SECONDS)
    assert setup.runner.stopped == [("0", SCHEDULER, "superseded")]
    assert setup.listener.failures == []
