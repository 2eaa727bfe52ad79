"""ECS's operations on task definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.ecs.ecs_errors import (
    client_error,
    invalid_parameter,
    paginate,
    tag_list,
    tags_by_key,
)
from kaizen_tasks.localcloud.ecs.task_definition_rules import complete
from kaizen_tasks.localcloud.ecs.task_definitions import ACTIVE, DELETE_IN_PROGRESS, INACTIVE

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.ecs.task_definitions import TaskDefinition, TaskDefinitionStore
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_MAX_DELETED = 10
_PAGE_SIZE = 100
_UNKNOWN = "Unable to describe task definition."
_STILL_ACTIVE = "The specified task definition is still in ACTIVE status. Please deregister the target and try again."


class TaskDefinitionsApi:
    """Register, describe, list, deregister and delete task definitions."""

    task_definitions: TaskDefinitionStore
    account: str

    def register_task_definition(self, request: JsonObject) -> JsonObject:
        """Add a revision to a family."""
        document, tags = complete(request), tags_by_key(request.get("tags", []))
        definition = self.task_definitions.register(
            document.pop("family"), document, tags=tags, registered_by=f"arn:aws:iam::{self.account}:root"
        )
        return {"taskDefinition": describe_task_definition(definition), "tags": tag_list(tags)}

    def describe_task_definition(self, request: JsonObject) -> JsonObject:
        """Describe a revision, or the latest active one of a family."""
        definition = self._require(request["taskDefinition"])
        tags = tag_list(definition.tags) if "TAGS" in request.get("include", ()) else None
        return {"taskDefinition": describe_task_definition(definition), "tags": tags}

    def list_task_definitions(self, request: JsonObject) -> JsonObject:
        """Return one page of the ARNs of revisions."""
        family, status = request.get("familyPrefix"), request.get("status", ACTIVE)
        definitions = [
            definition
            for definition in self.task_definitions.all()
            if definition.status == status and family in (None, definition.family)
        ]
        in_order = definitions[::-1] if request.get("sort") == "DESC" else definitions
        page, next_page = paginate(in_order, request, page_size=_PAGE_SIZE)
        return {"taskDefinitionArns": [definition.arn for definition in page], **next_page}

    def list_task_definition_families(self, request: JsonObject) -> JsonObject:
        """Return one page of the names of families."""
        prefix, status = request.get("familyPrefix", ""), request.get("status", "ALL")
        revisions = [known for known in self.task_definitions.all() if known.status != DELETE_IN_PROGRESS]
        active = {definition.family for definition in revisions if definition.status == ACTIVE}
        newest = {definition.family: definition for definition in revisions}
        families = [
            definition
            for family, definition in newest.items()
            if family.startswith(prefix) and status in ("ALL", ACTIVE if family in active else INACTIVE)
        ]
        page, next_page = paginate(families, request, page_size=_PAGE_SIZE)
        return {"families": [definition.family for definition in page], **next_page}

    def deregister_task_definition(self, request: JsonObject) -> JsonObject:
        """Deregister a revision: it starts no further tasks, and stays visible."""
        if ":" not in self.task_definitions.arn_of(request["taskDefinition"]).rpartition("/")[2]:
            raise client_error("Invalid revision number. Number: null")
        with self.task_definitions.lock:
            definition = self.task_definitions.find(request["taskDefinition"])
            if definition is None:
                raise client_error("The specified task definition does not exist.")
            return {"taskDefinition": describe_task_definition(self.task_definitions.put(definition.deregister()))}

    def delete_task_definitions(self, request: JsonObject) -> JsonObject:
        """Delete revisions that are deregistered."""
        references = request["taskDefinitions"]
        if not 1 <= len(references) <= _MAX_DELETED:
            raise invalid_parameter(f"taskDefinitions must have 1 to {_MAX_DELETED} items.")
        deleted, failures = [], []
        with self.task_definitions.lock:
            for reference in references:
                definition = self.task_definitions.find(reference)
                if definition is None:
                    failures.append({"arn": reference, "reason": "The specified task definition does not exist."})
                elif definition.status == ACTIVE:
                    failures.append({"arn": definition.arn, "reason": _STILL_ACTIVE})
                else:
                    deleted.append(self.task_definitions.put(definition.request_deletion()))
        return {
            "taskDefinitions": [describe_task_definition(definition) for definition in deleted],
            "failures": failures,
        }

    def find_task_definition(self, reference: str) -> TaskDefinition:
        """Return the task definition that a service or a task is to be started from.

        Args:
            reference: its ARN, its `family:revision` or its family.

        Raises:
            ServiceError: there is none, or it is deregistered.
        """
        definition = self.task_definitions.find(reference)
        if definition is None:
            raise client_error("TaskDefinition not found.")
        if definition.status != ACTIVE:
            raise client_error("TaskDefinition is inactive")
        return definition

    def _require(self, reference: str) -> TaskDefinition:
        definition = self.task_definitions.find(reference)
        if definition is None:
            raise client_error(_UNKNOWN)
        return definition


def describe_task_definition(definition: TaskDefinition) -> JsonObject:
    """Return a task definition as ECS shows it."""
    return {
        "taskDefinitionArn": definition.arn,
        "family": definition.family,
        "revision": definition.revision,
        "status": definition.status,
        **definition.document,
        "registeredAt": definition.registered,
        "registeredBy": definition.registered_by,
        "deregisteredAt": definition.deregistered,
        "deleteRequestedAt": definition.delete_requested,
    }
