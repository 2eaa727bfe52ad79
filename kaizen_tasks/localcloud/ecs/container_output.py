"""Where the output of containers goes: into the log stream that `awslogs` asks for, or into a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.errors import DeployFailed
from kaizen_tasks.localcloud.logs.groups import LogGroups

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_CREATED_GROUPS = "/aws/ecs/"
"""Beginning of the names of groups that Express Mode creates, and that tasks therefore need not find."""


@attrs.frozen(kw_only=True)
class ContainerOutput:
    """The files for the output of containers.

    Args:
        groups: the log groups of the account and region.
        folder: the folder for the output of containers without a log group, which nobody can read.
    """

    groups: LogGroups
    folder: Path

    def open(self, container: JsonObject, task_id: str) -> Path:
        """Return the file for the output of a container; its stream is `PREFIX/CONTAINER/TASK`.

        Args:
            container: its definition.
            task_id: the id of its task.

        Raises:
            DeployFailed: its log group does not exist, and is not to be created.
        """
        logs = container.get("logConfiguration", {})
        if logs.get("logDriver") != "awslogs":
            self.folder.mkdir(exist_ok=True)
            return self.folder / f"{task_id}-{container['name']}"
        options = logs["options"]
        group, prefix = options["awslogs-group"], options.get("awslogs-stream-prefix", "")
        if options.get("awslogs-create-group") == "true" or group.startswith(_CREATED_GROUPS):
            self.groups.create(group, {})
        try:
            return self.groups.output_file(group, f"{prefix}/{container['name']}/{task_id}" if prefix else task_id)
        except KeyError:
            raise DeployFailed(
                "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times:"
                " failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not"
                f" exist. : {group}"
            ) from None

    def remove(self, task_id: str) -> None:
        """Delete the output of a task that is in no stream."""
        for path in self.folder.glob(f"{task_id}-*"):
            path.unlink(missing_ok=True)
