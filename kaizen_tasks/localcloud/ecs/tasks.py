"""Tasks as immutable values, each stored as one JSON file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.ecs.ecs_errors import now
from kaizen_tasks.localcloud.server.http_message import JsonObject
from kaizen_tasks.localcloud.state.values import ValueStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROVISIONING, PENDING, RUNNING = "PROVISIONING", "PENDING", "RUNNING"
STOPPING, DEPROVISIONING, STOPPED = "STOPPING", "DEPROVISIONING", "STOPPED"
USER_INITIATED = "UserInitiated"
"""The code of tasks that StopTask has stopped."""

_VISIBLE_SECONDS = 3600.0
"""How long a stopped task is shown: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html."""

_STORED_SECONDS = 86_400.0
"""How long a client token is known: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html."""


@attrs.frozen(kw_only=True)
class TaskContainer:
    """A container of a task.

    Args:
        id: what its ARN ends with.
        name: its name in the task definition.
        image: the image as the task definition names it.
        image_digest: the digest that was pulled; empty before that.
        runtime_id: what identifies it to whatever runs it; empty before it is started.
        last_status: `PENDING`, `RUNNING` or `STOPPED`.
        exit_code: the exit code; None if it has not run to its end.
        reason: why it could not be started; empty if it was.
        size: its `cpu`, `memory` and `memoryReservation`, as text.
    """

    id: str
    name: str
    image: str
    image_digest: str = ""
    runtime_id: str = ""
    last_status: str = PENDING
    exit_code: int | None = None
    reason: str = ""
    size: dict[str, str]


@attrs.frozen(kw_only=True)
class Task:
    """A task; times are seconds since the epoch.

    Args:
        id: 32 hexadecimal digits.
        arn: its ARN.
        cluster_arn: its cluster.
        definition_arn: its task definition.
        group: `family:NAME`, `service:NAME`, or what RunTask was told.
        started_by: what RunTask was told, or the deployment of a service; empty for nothing.
        launch_type: `FARGATE`, or `EC2`.
        capacity_provider: the capacity provider; empty for a launch type.
        cpu: CPU units, as text.
        memory: MiB, as text.
        network: the `awsvpcConfiguration` that it was started with.
        overrides: the overrides that it was started with.
        tags: its tags.
        options: further members of RunTask that describe it, such as `enableExecuteCommand`.
        containers: its containers.
        last_status: how far it is.
        desired_status: `RUNNING`, or `STOPPED` once it is to end.
        stop_code: why it stopped, such as `EssentialContainerExited`.
        stopped_reason: the same in words.
        created: when it was requested.
        times: when its other states began, by the member of the API, such as `startedAt`.
        request_token: the client token that it was requested with, and the digest of that request; empty for none.
        version: how often it has changed.
    """

    id: str
    arn: str
    cluster_arn: str
    definition_arn: str
    group: str
    started_by: str = ""
    launch_type: str = "FARGATE"
    capacity_provider: str = ""
    cpu: str
    memory: str
    network: JsonObject
    overrides: JsonObject
    tags: dict[str, str]
    options: JsonObject = attrs.field(factory=dict)
    containers: tuple[TaskContainer, ...]
    last_status: str = PROVISIONING
    desired_status: str = RUNNING
    stop_code: str = ""
    stopped_reason: str = ""
    created: float
    times: dict[str, float] = attrs.field(factory=dict)
    request_token: tuple[str, str] = ("", "")
    version: int = 1

    @property
    def is_stopped(self) -> bool:
        """Return whether it has ended."""
        return self.last_status == STOPPED

    @property
    def family(self) -> str:
        """Return the family of its task definition."""
        return self.definition_arn.rpartition("/")[2].partition(":")[0]

    @property
    def service(self) -> str:
        """Return the name of its service; empty if it was started by itself."""
        return self.group.removeprefix("service:") if self.group.startswith("service:") else ""

    def container(self, name: str) -> TaskContainer:
        """Return a container by its name; raise KeyError if there is none."""
        return {container.name: container for container in self.containers}[name]

    def with_container(self, changed: TaskContainer) -> Task:
        """Return the task with a container, which replaces the one of the same name."""
        containers = tuple(changed if known.name == changed.name else known for known in self.containers)
        return attrs.evolve(self, containers=containers)

    def with_status(self, status: str, *time_members: str) -> Task:
        """Return the task with another status; `time_members` are the times of the API that are now."""
        return attrs.evolve(self, last_status=status, times=self.times | dict.fromkeys(time_members, now()))

    def to_be_stopped(self, code: str, reason: str) -> Task:
        """Return the task with the reason of its end; the first reason that it gets is kept."""
        if self.desired_status == STOPPED:
            return self
        return attrs.evolve(
            self,
            desired_status=STOPPED,
            stop_code=code,
            stopped_reason=reason,
            times=self.times | {"stoppingAt": now()},
        )


class TaskStore:
    """The tasks of an account and region.

    Args:
        folder: the folder of their files.
    """

    def __init__(self, folder: Path) -> None:
        self._tasks = ValueStore(folder, _parse_task, key=lambda task: task.arn)
        self.lock = self._tasks.lock

    def all(self) -> tuple[Task, ...]:
        """Return the tasks that are visible, oldest first: those that stopped an hour ago are not."""
        return tuple(task for task in self._tasks.all() if not _stopped_before(task, _VISIBLE_SECONDS))

    def get(self, arn: str) -> Task:
        """Return a task by its ARN, even if it is visible no longer; raise KeyError if there is none."""
        return self._tasks.get(arn)

    def find(self, arn: str) -> Task | None:
        """Return a visible task by its ARN; None if there is none."""
        try:
            task = self._tasks.get(arn)
        except KeyError:
            return None
        return None if _stopped_before(task, _VISIBLE_SECONDS) else task

    def requested_with(self, token: str) -> tuple[Task, ...]:
        """Return the tasks of a client token, also those that are visible no longer."""
        return tuple(task for task in self._tasks.all() if task.request_token[0] == token)

    def put(self, task: Task) -> Task:
        """Save a task and return it; hold `lock` from reading the old value to saving the new one."""
        return self._tasks.put(task)

    def change(self, arn: str, change: Callable[[Task], Task]) -> Task:
        """Replace a task by `change(task)` and return the new one."""
        with self.lock:
            current = self._tasks.get(arn)
            return self.put(attrs.evolve(change(current), version=current.version + 1))

    def remove_expired(self) -> None:
        """Delete the tasks whose client token is not known any more."""
        with self.lock:
            for task in self._tasks.all():
                if _stopped_before(task, _STORED_SECONDS):
                    self._tasks.remove(task.arn)


def _stopped_before(task: Task, seconds: float) -> bool:
    """Return whether a task stopped more than some seconds ago."""
    return now() - task.times.get("stoppedAt", now()) > seconds


def _parse_task(document: JsonObject) -> Task:
    containers = tuple(TaskContainer(**container) for container in document["containers"])
    token, digest = document["request_token"]
    return Task(**{**document, "containers": containers, "request_token": (token, digest)})
