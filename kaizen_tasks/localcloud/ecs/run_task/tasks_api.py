"""ECS's operations on tasks."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.ecs.ecs_errors import check_count, invalid_parameter, missing, now, paginate, tags_by_key
from kaizen_tasks.localcloud.ecs.run_task.run_task_rules import check_run_task
from kaizen_tasks.localcloud.ecs.run_task.task_documents import describe_task
from kaizen_tasks.localcloud.ecs.task_definitions_api import TaskDefinitionsApi
from kaizen_tasks.localcloud.ecs.tasks import RUNNING, USER_INITIATED, Task, TaskContainer
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.ecs.clusters import Cluster, ClusterStore
    from kaizen_tasks.localcloud.ecs.deploy.controller import DeploymentController
    from kaizen_tasks.localcloud.ecs.run_task.task_runner import TaskRunner
    from kaizen_tasks.localcloud.ecs.task_definitions import TaskDefinition
    from kaizen_tasks.localcloud.ecs.tasks import TaskStore
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_PAGE_SIZE = 100
_OPTIONS = ("enableExecuteCommand", "platformVersion", "ephemeralStorage")
_STOPPED_BY_USER = "Task stopped by user"
_SIZE_MEMBERS = ("cpu", "memory", "memoryReservation")


class TasksApi(TaskDefinitionsApi):
    """Run, describe, list and stop tasks of task definitions."""

    clusters: ClusterStore
    tasks: TaskStore
    task_runner: TaskRunner
    controller: DeploymentController
    region: str

    def run_task(self, request: JsonObject) -> JsonObject:
        """Start tasks; return those of the first request if it is repeated with the same client token."""
        cluster = self.clusters.require(request.get("cluster"))
        with self.tasks.lock:
            tasks = self._requested_before(request)
            if not tasks:
                definition = self.find_task_definition(request["taskDefinition"])
                check_run_task(request, cluster, definition)
                tasks = tuple(
                    self.tasks.put(_new_task(request, cluster, definition)) for _ in range(request.get("count", 1))
                )
                for task in tasks:
                    self.task_runner.start(task, definition)
        return {"tasks": [self._describe_task(task, with_tags=True) for task in tasks], "failures": []}

    def describe_tasks(self, request: JsonObject) -> JsonObject:
        """Describe tasks, also those that have stopped within the last hour."""
        cluster = self.clusters.require(request.get("cluster"))
        check_count("tasks", request["tasks"], _PAGE_SIZE)
        if not request["tasks"]:
            raise invalid_parameter("Tasks cannot be empty.")
        arns = [_task_arn(cluster, reference) for reference in request["tasks"]]
        found = {arn: self.tasks.find(arn) for arn in arns}
        with_tags = "TAGS" in request.get("include", ())
        return {
            "tasks": [self._describe_task(task, with_tags=with_tags) for task in found.values() if task],
            "failures": [missing(arn) for arn, task in found.items() if task is None],
        }

    def list_tasks(self, request: JsonObject) -> JsonObject:
        """Return one page of the ARNs of tasks; those that are to run, unless the request wants others."""
        cluster = self.clusters.require(request.get("cluster"))
        wanted = {
            "cluster_arn": cluster.arn,
            "desired_status": request.get("desiredStatus", RUNNING),
            "family": request.get("family"),
            "service": (request.get("serviceName") or "").rpartition("/")[2] or None,
            "started_by": request.get("startedBy"),
            "launch_type": request.get("launchType"),
        }
        tasks = [
            task
            for task in self.tasks.all()
            if all(value in (None, getattr(task, name)) for name, value in wanted.items())
        ]
        page, next_page = paginate(tasks, request, page_size=_PAGE_SIZE)
        return {"taskArns": [task.arn for task in page], **next_page}

    def stop_task(self, request: JsonObject) -> JsonObject:
        """Ask a task to stop."""
        cluster = self.clusters.require(request.get("cluster"))
        task = self.tasks.find(_task_arn(cluster, request["task"]))
        if task is None:
            raise invalid_parameter("The referenced task was not found.")
        reason = request.get("reason") or _STOPPED_BY_USER
        stopped = self.task_runner.stop(task, reason)
        if task.service:
            self.controller.tasks.replace(task.id, USER_INITIATED, reason)
        return {"task": self._describe_task(stopped, with_tags=True)}

    def _requested_before(self, request: JsonObject) -> tuple[Task, ...]:
        """Return the tasks of an earlier request with the same client token.

        Raises:
            ServiceError: that request was another one.
        """
        token, digest = _request_token(request)
        tasks = self.tasks.requested_with(token) if token else ()
        if any(task.request_token[1] != digest for task in tasks):
            message = "The provided clientToken is already in use with a different RunTask request."
            raise ServiceError("ConflictException", message, resourceIds=[task.arn for task in tasks])
        return tasks

    def _describe_task(self, task: Task, *, with_tags: bool) -> JsonObject:
        return describe_task(task, region=self.region, with_tags=with_tags)


def _task_arn(cluster: Cluster, reference: str) -> str:
    """Return the ARN of a task of a cluster, by its ARN or id."""
    prefix = cluster.arn.replace(":cluster/", ":task/")
    if reference.startswith("arn:") and not reference.startswith(f"{prefix}/"):
        raise invalid_parameter(f"Identifier is for {reference.rpartition('/')[0]}. Your cluster is {cluster.name}")
    return f"{prefix}/{reference.rpartition('/')[2]}"


def _request_token(request: JsonObject) -> tuple[str, str]:
    """Return the client token of a request, and a digest of its other members."""
    others = {name: value for name, value in request.items() if name != "clientToken"}
    content = json.dumps(others, sort_keys=True).encode()
    return request.get("clientToken", ""), hashlib.sha256(content).hexdigest()


def _new_task(request: JsonObject, cluster: Cluster, definition: TaskDefinition) -> Task:
    task_id = uuid.uuid4().hex
    overrides = request.get("overrides", {})
    strategy = request.get("capacityProviderStrategy", ())
    return Task(
        id=task_id,
        arn=_task_arn(cluster, task_id),
        cluster_arn=cluster.arn,
        definition_arn=definition.arn,
        group=request.get("group") or f"family:{definition.family}",
        started_by=request.get("startedBy", ""),
        capacity_provider=strategy[0]["capacityProvider"] if strategy else "",
        cpu=overrides.get("cpu") or definition.document.get("cpu", ""),
        memory=overrides.get("memory") or definition.document.get("memory", ""),
        network=request.get("networkConfiguration", {}).get("awsvpcConfiguration", {}),
        overrides=overrides,
        tags=_tags(request, cluster, definition),
        options={name: request[name] for name in _OPTIONS if name in request},
        containers=tuple(_new_container(container, overrides) for container in definition.containers),
        created=now(),
        request_token=_request_token(request),
    )


def _tags(request: JsonObject, cluster: Cluster, definition: TaskDefinition) -> dict[str, str]:
    propagated = definition.tags if request.get("propagateTags") == "TASK_DEFINITION" else {}
    managed = {"aws:ecs:clusterName": cluster.name} if request.get("enableECSManagedTags") else {}
    return {**managed, **propagated, **tags_by_key(request.get("tags", []))}


def _new_container(definition: JsonObject, overrides: JsonObject) -> TaskContainer:
    by_name = {override.get("name"): override for override in overrides.get("containerOverrides", ())}
    sizes = {**definition, **by_name.get(definition["name"], {})}
    return TaskContainer(
        id=str(uuid.uuid4()),
        name=definition["name"],
        image=definition["image"],
        size={member: str(sizes[member]) for member in _SIZE_MEMBERS if member in sizes},
    )
