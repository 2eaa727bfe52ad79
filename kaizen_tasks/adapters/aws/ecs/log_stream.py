"""Where the output of a container goes: its group and its streams in CloudWatch Logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.errors import Unsupported

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.clients import Document


@frozen(kw_only=True)
class LogLocation:
    """The log of a container in all its tasks.

    Attributes:
        group: name of the log group.
        prefix: how the names of its streams begin: `web/app/`.
    """

    group: str
    prefix: str

    def stream(self, task_id: str) -> str:
        """Return the name of the stream of one task."""
        return f"{self.prefix}{task_id}"


def log_location(container: Document) -> LogLocation:
    """Return where a container's output goes by its definition. The stream of a task is `prefix/container/task`.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html

    Raises:
        Unsupported: the container does not log to CloudWatch Logs.
    """
    log = container.get("logConfiguration", {})
    if log.get("logDriver") != "awslogs":
        driver = log.get("logDriver", "no log driver")
        message = f"the container {container['name']} logs with {driver}, not to CloudWatch Logs"
        raise Unsupported(message, hint="read its log where that driver sends it")
    options = log["options"]
    prefix = f"{options.get('awslogs-stream-prefix', '')}/{container['name']}/"
    return LogLocation(group=str(options["awslogs-group"]), prefix=prefix)
