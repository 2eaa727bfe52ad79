"""Task definitions, each revision stored as one JSON file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.ecs.ecs_errors import now
from kaizen_tasks.localcloud.server.http_message import JsonObject
from kaizen_tasks.localcloud.state.values import ValueStore

if TYPE_CHECKING:
    from pathlib import Path

ACTIVE, INACTIVE, DELETE_IN_PROGRESS = "ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"


@attrs.frozen(kw_only=True)
class TaskDefinition:
    """A revision of a task definition; times are seconds since the epoch.

    Args:
        family: its family.
        revision: its number in the family, from 1.
        arn: its ARN.
        status: `ACTIVE`, `INACTIVE` or `DELETE_IN_PROGRESS`.
        document: the members of RegisterTaskDefinition, with the defaults that ECS adds, but the tags.
        tags: its tags.
        registered: when it was registered.
        registered_by: the ARN of whoever registered it.
        deregistered: when it was deregistered; None if it is active.
        delete_requested: when it was deleted; None if it is not.
    """

    family: str
    revision: int
    arn: str
    status: str = ACTIVE
    document: JsonObject
    tags: dict[str, str]
    registered: float
    registered_by: str
    deregistered: float | None = None
    delete_requested: float | None = None

    @property
    def containers(self) -> list[JsonObject]:
        """Return its container definitions."""
        containers: list[JsonObject] = self.document["containerDefinitions"]
        return containers

    @property
    def network_mode(self) -> str:
        """Return its network mode, such as `awsvpc`."""
        return str(self.document.get("networkMode", "bridge"))

    @property
    def compatibilities(self) -> list[str]:
        """Return the launch types that can run it."""
        compatibilities: list[str] = self.document["compatibilities"]
        return compatibilities

    def deregister(self) -> TaskDefinition:
        """Return it without the right to start tasks."""
        return attrs.evolve(self, status=INACTIVE, deregistered=now()) if self.status == ACTIVE else self

    def request_deletion(self) -> TaskDefinition:
        """Return it deleted; ECS shows it as long as tasks and services use it."""
        return attrs.evolve(self, status=DELETE_IN_PROGRESS, delete_requested=self.delete_requested or now())


class TaskDefinitionStore:
    """The task definitions of an account and region.

    Args:
        folder: the folder of their files.
        prefix: what the ARNs of ECS begin with, such as `arn:aws:ecs:eu-west-1:123456789012`.
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        self._prefix = prefix
        self._revisions = ValueStore(
            folder, lambda document: TaskDefinition(**document), key=lambda definition: definition.arn
        )
        self.lock = self._revisions.lock

    def all(self) -> tuple[TaskDefinition, ...]:
        """Return all revisions, by family and revision."""
        return tuple(sorted(self._revisions.all(), key=lambda definition: (definition.family, definition.revision)))

    def arn_of(self, reference: str) -> str:
        """Return the ARN of a `family:revision`; an ARN stays as it is."""
        return reference if reference.startswith("arn:") else f"{self._prefix}:task-definition/{reference}"

    def find(self, reference: str) -> TaskDefinition | None:
        """Return a task definition by its ARN, its `family:revision` or its family; None if there is none.

        Of a family it is the latest active revision.
        """
        arn = self.arn_of(reference)
        if ":" in arn.rpartition("/")[2]:
            try:
                return self._revisions.get(arn)
            except KeyError:
                return None
        family = arn.removeprefix(f"{self._prefix}:task-definition/")
        active = (known for known in self._revisions_of(family) if known.status == ACTIVE)
        return max(active, key=lambda definition: definition.revision, default=None)

    def register(
        self, family: str, document: JsonObject, *, tags: dict[str, str], registered_by: str
    ) -> TaskDefinition:
        """Add the next revision of a family; numbers of deleted revisions are not used again."""
        with self.lock:
            revision = max((known.revision for known in self._revisions_of(family)), default=0) + 1
            return self.put(
                TaskDefinition(
                    family=family,
                    revision=revision,
                    arn=self.arn_of(f"{family}:{revision}"),
                    document=document,
                    tags=tags,
                    registered=now(),
                    registered_by=registered_by,
                )
            )

    def put(self, definition: TaskDefinition) -> TaskDefinition:
        """Save a revision and return it; hold `lock` from reading the old value to saving the new one."""
        return self._revisions.put(definition)

    def _revisions_of(self, family: str) -> list[TaskDefinition]:
        return [definition for definition in self._revisions.all() if definition.family == family]
