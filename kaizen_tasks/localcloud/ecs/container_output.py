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
        folder: the folder for the output of containers without a log group.
    """

    groups: LogGroups
    folder: Path

    def open(self, container: JsonObject, task_id: str) -> Path:
        """Return the file for the output of a container of a task.

        Args:
            container: its definition.
            task_id: the id of its task.

        Raises:
            DeployFailed: its log group does not exist.
        """
        logs = container.get("logConfiguration", {})
        options = logs.get("options", {})
        if logs.get("logDriver") != "awslogs":
            self.folder.mkdir(exist_ok=True)
            return self.folder / f"{task_id}-{container['name']}"
        group = options["awslogs-group"]
        if options.get("awslogs-create-group") == "true" or group.startswith(_CREATED_GROUPS):
            self.groups.create(group, {})
        prefix = options.get("awslogs-stream-prefix", "")
        stream = f"{prefix}/{container['name']}/{task_id}" if prefix else task_id
        try:
            return self.groups.output_file(group, stream)
        except KeyError:
            raise DeployFailed(
                "ResourceInitializationError: failed to validate logger args: the specified log group does not exist: "
                f"{group}"
            ) from None
