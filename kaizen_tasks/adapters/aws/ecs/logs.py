"""The logs of ECS: what it says about a deployment, and what the containers of the app print to CloudWatch Logs."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.cloudwatch import filter_lines, read_tail
from kaizen_tasks.adapters.aws.ecs import tasks
from kaizen_tasks.adapters.aws.ecs.cluster import Cluster
from kaizen_tasks.adapters.aws.ecs.log_stream import LogLocation, log_location
from kaizen_tasks.adapters.aws.ecs.revisions import Revisions
from kaizen_tasks.adapters.aws.ecs.service_deployments import ServiceDeployments
from kaizen_tasks.errors import KaizenError, NotFound
from kaizen_tasks.ports.platform import Logs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaizen_tasks.adapters.aws.clients import Document
    from kaizen_tasks.domain.log_line import LogLine
    from kaizen_tasks.domain.service import Service

MAX_STREAMS = 5
"""How many tasks are asked for their output until one has printed something."""

TIME_TOLERANCE = timedelta(seconds=1)
"""How much earlier than a deployment its first event or task may be, by ECS's own clock."""


class EcsLogs(Logs):
    """The logs of the services of one cluster.

    Args:
        cluster: the cluster.
        container: name of the container that runs the app; empty for the essential one.
    """

    def __init__(self, cluster: Cluster, *, container: str) -> None:
        self._cluster = cluster
        self._revisions = Revisions(cluster, container)
        self._deployments = ServiceDeployments(self._revisions)

    def deployment_tail(self, service: Service, operation: str, *, limit: int) -> tuple[str, ...]:
        """Return the events of the service since a deployment began, and why tasks stopped, oldest first."""
        try:
            summaries = self._deployments.summaries(service.name)
            began_at = next(each["createdAt"] for each in summaries if each["targetServiceRevisionArn"] == operation)
            events = self._events(service, began_at)
        except (NotFound, StopIteration):
            return ()
        try:
            task_ends = self._task_ends(service, began_at)
        except KaizenError as error:  # the events are still worth showing
            task_ends = [(datetime.now(UTC), f"why tasks stopped cannot be read: {error.message}")]
        return tuple(text for _, text in sorted([*events, *task_ends]))[-limit:]

    def application_tail(self, service: Service, *, since: datetime, limit: int) -> tuple[str, ...]:
        """Return the last lines of a task's app: of the newest one that failed, else of the newest one that printed."""
        try:
            candidates = tasks.service_tasks(self._cluster, service.name, since=since - TIME_TOLERANCE)
        except NotFound:
            return ()
        for task in sorted(candidates, key=tasks.has_failed, reverse=True)[:MAX_STREAMS]:
            if lines := self._output(task, limit):
                return lines
        return ()

    def application_log(self, service: Service, *, since: datetime) -> Iterator[LogLine]:
        """Yield what the app's containers of all tasks have printed since a time, commands by hand among them.

        During a deployment the old and the new tasks may log to different groups.
        """
        locations = self._log_locations(service)
        lines = (
            filter_lines(self._cluster.aws, location.group, since=since, prefix=location.prefix)
            for location in locations
        )
        return heapq.merge(*lines, key=lambda line: line.at)

    def _log_locations(self, service: Service) -> Sequence[LogLocation]:
        """Return where the tasks of a service log by the definitions of its revisions.

        Raises:
            NotFound: there is no such service.
            Unsupported: its container does not log to CloudWatch Logs.
        """
        with self._cluster.errors(f"read the service {service.name}"):
            response = self._cluster.client.describe_services(cluster=self._cluster.name, services=[service.name])
        description: Document = response["services"][0] if response["services"] else {}
        arns = [str(revision["arn"]) for revision in description.get("currentServiceRevisions", ())]
        revisions = self._revisions.read(arns).values()
        definitions = [str(revision["taskDefinition"]) for revision in revisions] or [
            str(description[name]) for name in ("taskDefinition",) if description.get(name)
        ]
        return tuple(dict.fromkeys(log_location(self._revisions.app_container(each)) for each in definitions))

    def _events(self, service: Service, began_at: datetime) -> list[tuple[datetime, str]]:
        with self._cluster.errors(f"read the events of {service.name}"):
            response = self._cluster.client.describe_services(cluster=self._cluster.name, services=[service.name])
        events: Sequence[Document] = response["services"][0].get("events", ()) if response["services"] else ()
        earliest = began_at - TIME_TOLERANCE
        return [(event["createdAt"], str(event["message"])) for event in events if event["createdAt"] >= earliest]

    def _task_ends(self, service: Service, began_at: datetime) -> list[tuple[datetime, str]]:
        candidates = tasks.service_tasks(self._cluster, service.name, since=began_at - TIME_TOLERANCE)
        failed_tasks = [task for task in candidates if tasks.has_failed(task)]
        return [(task.get("stoppedAt") or task["createdAt"], tasks.describe_end(task)) for task in failed_tasks]

    def _output(self, task: Document, limit: int) -> tuple[str, ...]:
        """Return the last lines that the app's container of a task has printed.

        Raises:
            Unsupported: the container does not log to CloudWatch Logs.
        """
        location = log_location(self._revisions.app_container(task["taskDefinitionArn"]))
        return read_tail(self._cluster.aws, location.group, location.stream(tasks.task_id(task)), limit)
