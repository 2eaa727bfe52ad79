"""Tasks of services: which ones there are, and why they stopped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.ecs.cluster import Cluster

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.clients import Document

MAX_TASKS = 100
"""How many tasks one request lists or describes."""

SCALING_REASON = "Scaling activity initiated by"
"""Begin of the reason of tasks that ECS stopped because others took their place."""


def service_tasks(cluster: Cluster, service: str, *, since: datetime) -> Sequence[Document]:
    """Return the tasks of a service that were created since a time, newest first; ECS forgets stopped ones in an hour.

    Raises:
        NotFound: there is no such service.
    """
    arns = [arn for status in ("RUNNING", "STOPPED") for arn in _list(cluster, service, status)]
    if not arns:
        return ()
    with cluster.errors(f"read the tasks of {service}"):
        response = cluster.client.describe_tasks(cluster=cluster.name, tasks=arns[:MAX_TASKS])
    tasks = [task for task in response["tasks"] if task["createdAt"] >= since]
    return sorted(tasks, key=lambda task: task["createdAt"], reverse=True)


def _list(cluster: Cluster, service: str, status: str) -> Sequence[str]:
    with cluster.errors(f"list the tasks of {service}"):
        response = cluster.client.list_tasks(
            cluster=cluster.name, serviceName=service, desiredStatus=status, maxResults=MAX_TASKS
        )
    arns: Sequence[str] = response["taskArns"]
    return arns


def task_id(task: Document) -> str:
    """Return the last part of a task's ARN, by which its log streams are named."""
    return str(task["taskArn"].rpartition("/")[2])


def has_failed(task: Document) -> bool:
    """Return whether a task ended other than by making room for another one."""
    is_stopped = task.get("lastStatus") == "STOPPED" or task.get("stoppedAt") is not None
    return is_stopped and not str(task.get("stoppedReason", "")).startswith(SCALING_REASON)


def describe_end(task: Document) -> str:
    """Return why a task stopped: `task 1a2b3c4d stopped: Essential container in task exited; web exited with 1`."""
    code, reason = str(task.get("stopCode", "")), str(task.get("stoppedReason", ""))
    parts = (reason or code, *_container_ends(task))
    suffix = f" ({code})" if reason and code else ""
    return f"task {task_id(task)[:8]} stopped{suffix}: {'; '.join(part.rstrip('.') for part in parts if part)}"


def _container_ends(task: Document) -> Iterator[str]:
    for container in task.get("containers", ()):
        reason = f": {container['reason']}" if container.get("reason") else ""
        if "exitCode" in container:
            yield f"{container['name']} exited with {container['exitCode']}{reason}"
        elif reason:
            yield f"{container['name']}{reason}"
