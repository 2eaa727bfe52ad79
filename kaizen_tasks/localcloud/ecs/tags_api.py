"""ECS's operations on the tags of services, task definitions, clusters and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import attrs

from kaizen_tasks.localcloud.ecs.clusters import Cluster, ClusterStore
from kaizen_tasks.localcloud.ecs.ecs_errors import invalid_parameter, resource_not_found, tag_list, tags_by_key
from kaizen_tasks.localcloud.ecs.services import EcsService, ServiceStore
from kaizen_tasks.localcloud.ecs.task_definitions import TaskDefinition, TaskDefinitionStore
from kaizen_tasks.localcloud.ecs.tasks import Task, TaskStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.localcloud.server.http_message import JsonObject

_MAX_TAGS = 50

Tags = dict[str, str]

_Tagged = TypeVar("_Tagged", EcsService, TaskDefinition, Cluster, Task)


class TagsApi:
    """Tag, untag and list the tags of whatever has an ARN."""

    services: ServiceStore
    task_definitions: TaskDefinitionStore
    clusters: ClusterStore
    tasks: TaskStore

    def tag_resource(self, request: JsonObject) -> JsonObject:
        """Add tags to a resource."""
        added = tags_by_key(request["tags"])
        self._change_tags(request["resourceArn"], lambda tags: {**tags, **added})
        return {}

    def untag_resource(self, request: JsonObject) -> JsonObject:
        """Remove tags from a resource."""
        removed = request["tagKeys"]
        self._change_tags(
            request["resourceArn"], lambda tags: {key: value for key, value in tags.items() if key not in removed}
        )
        return {}

    def list_tags_for_resource(self, request: JsonObject) -> JsonObject:
        """List the tags of a resource."""
        return {"tags": tag_list(self._change_tags(request["resourceArn"], lambda tags: tags))}

    def _change_tags(self, arn: str, change: Callable[[Tags], Tags]) -> Tags:
        """Replace the tags of a resource by `change(tags)` and return the new ones.

        Raises:
            ServiceError: there is no such resource, or it would have too many tags.
        """
        if not arn.startswith("arn:"):
            raise invalid_parameter("Invalid identifier: it is not an ARN.")
        with self.services.lock, self.task_definitions.lock, self.clusters.lock, self.tasks.lock:
            for tags in (
                _replace_tags(self.services.find(arn, ""), self.services.put, change),
                _replace_tags(self.task_definitions.find(arn), self.task_definitions.put, change),
                _replace_tags(self.clusters.find(arn), self.clusters.put, change),
                _replace_tags(self.tasks.find(arn), self.tasks.put, change),
            ):
                if tags is not None:
                    return tags
        raise resource_not_found()


def _replace_tags(
    resource: _Tagged | None, put: Callable[[_Tagged], _Tagged], change: Callable[[Tags], Tags]
) -> Tags | None:
    """Save a resource with other tags and return them; None if there is no resource."""
    if resource is None:
        return None
    tags = change(resource.tags)
    if len(tags) > _MAX_TAGS:
        raise invalid_parameter(f"A resource can have at most {_MAX_TAGS} tags.")
    if tags != resource.tags:
        put(attrs.evolve(resource, tags=tags))
    return tags
