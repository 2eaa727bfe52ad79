"""Starts and stops the tasks of a revision, and records them among the tasks of the account."""

from __future__ import annotations

import uuid

import attrs

from kaizen_tasks.errors import DeployFailed, KaizenError
from kaizen_tasks.localcloud.ecs.containers import RunningTask, TaskLauncher, TaskSpec, start_failure
from kaizen_tasks.localcloud.ecs.deploy.task_set import FAILED_TO_START
from kaizen_tasks.localcloud.ecs.ecs_errors import now
from kaizen_tasks.localcloud.ecs.services import EcsService, ServiceRevision
from kaizen_tasks.localcloud.ecs.task_definitions import TaskDefinition
from kaizen_tasks.localcloud.ecs.tasks import PENDING, RUNNING, STOPPED, Task, TaskContainer, TaskStore


@attrs.frozen(kw_only=True)
class ServiceTaskRunner:
    """Starts and stops the tasks of a revision of a service.

    Args:
        service: the service.
        revision: the revision.
        definition: the task definition of the revision.
        document: the members of the API's `TaskDefinition`.
        launcher: starts the containers.
        store: receives the records of the tasks.
    """

    service: EcsService
    revision: ServiceRevision
    definition: TaskDefinition
    document: dict[str, object]
    launcher: TaskLauncher
    store: TaskStore

    def start(self) -> RunningTask:
        """Start a task.

        Raises:
            KaizenError: it cannot be started.
        """
        task = self.store.put(self._new_task())
        spec = TaskSpec(
            task_id=task.id,
            definition=self.document,
            digests=self.revision.digests,
            is_to_stop=lambda: self.store.get(task.arn).desired_status == STOPPED,
        )
        try:
            running = self.launcher.start(spec)
        except KaizenError as error:
            self._record_end(task.arn, FAILED_TO_START, start_failure(error), {})
            raise
        started = self.store.change(task.arn, _started)
        if started.desired_status == STOPPED:  # by StopTask, while it was pending
            self.stop(running, started.stop_code, started.stopped_reason)
            raise DeployFailed(started.stopped_reason)
        return running

    def stop(self, task: RunningTask, code: str, reason: str) -> None:
        """Stop a task."""
        task.stop()
        self._record_end(self._arn(task.task_id), code, reason, task.exit_codes())

    def _new_task(self) -> Task:
        task_id = uuid.uuid4().hex
        containers = tuple(
            TaskContainer(
                id=uuid.uuid4().hex,
                name=container["name"],
                image=container["image"],
                image_digest=self.revision.digests[container["name"]],
                runtime_id=f"{task_id}-{uuid.uuid4().int % 10**10}",
                size={"cpu": str(container.get("cpu", 0))},
            )
            for container in self.definition.containers
            if container["name"] in self.revision.digests
        )
        return Task(
            id=task_id,
            arn=self._arn(task_id),
            cluster_arn=self.service.cluster_arn,
            definition_arn=self.definition.arn,
            group=f"service:{self.service.name}",
            started_by=f"ecs-svc/{self.revision.number}",
            cpu=self.definition.document.get("cpu", "256"),
            memory=self.definition.document.get("memory", "512"),
            network=self.revision.settings.get("networkConfiguration", {}).get("awsvpcConfiguration", {}),
            overrides={},
            tags={},
            containers=containers,
            last_status=PENDING,
            created=now(),
        )

    def _arn(self, task_id: str) -> str:
        return f"{self.service.cluster_arn.replace(':cluster/', ':task/')}/{task_id}"

    def _record_end(self, arn: str, code: str, reason: str, exit_codes: dict[str, int]) -> None:
        def end(task: Task) -> Task:
            containers = tuple(
                attrs.evolve(container, last_status=STOPPED, exit_code=exit_codes.get(container.name))
                for container in task.containers
            )
            stopped = attrs.evolve(task, containers=containers).to_be_stopped(code, reason)
            return stopped.with_status(STOPPED, "executionStoppedAt", "stoppedAt")

        self.store.change(arn, end)


def _started(task: Task) -> Task:
    containers = tuple(attrs.evolve(container, last_status=RUNNING) for container in task.containers)
    return attrs.evolve(task, containers=containers).with_status(
        RUNNING, "pullStartedAt", "pullStoppedAt", "startedAt", "connectivityAt"
    )
