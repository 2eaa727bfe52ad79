"""Amazon CloudWatch Logs: what App Runner and the app have written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaizen_tasks.adapters.aws.session import aws_errors
from kaizen_tasks.errors import NotFound
from kaizen_tasks.ports.platform import Logs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.domain.service import Service

MAX_STREAMS = 50
"""The most streams that CloudWatch gives at once; those written to last come first."""

CLOCK_TOLERANCE_SECONDS = 60.0
"""Seconds by which the clocks of the platform's parts may differ."""


class CloudWatchLogs(Logs):
    """The log groups of the services of one account in one region.

    Their names and those of their streams are as in
    https://docs.aws.amazon.com/apprunner/latest/dg/monitor-cwl.html

    Args:
        aws: whose logs.
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def deployment_tail(self, service: Service, operation: str, *, limit: int) -> tuple[str, ...]:
        """Return the last lines of a deployment's stream, which is named after it without dashes."""
        return self._tail(_log_group(service, "service"), f"deployment/{operation.replace('-', '')}", limit)

    def application_tail(self, service: Service, *, since: datetime, limit: int) -> tuple[str, ...]:
        """Return the last lines of the newest instance's stream; there is none when no container was started."""
        group, earliest = _log_group(service, "application"), (since.timestamp() - CLOCK_TOLERANCE_SECONDS) * 1000
        streams = [stream for stream in self._streams(group) if stream["creationTime"] >= earliest]
        if not streams:
            return ()
        newest = max(streams, key=lambda stream: stream["creationTime"])
        return self._tail(group, str(newest["logStreamName"]), limit)

    def _streams(self, group: str) -> list[Mapping[str, Any]]:
        try:
            with aws_errors(f"look for the streams of {group}"):
                response = self._aws.logs().describe_log_streams(
                    logGroupName=group, orderBy="LastEventTime", descending=True, limit=MAX_STREAMS
                )
        except NotFound:
            return []
        return list(response["logStreams"])

    def _tail(self, group: str, stream: str, limit: int) -> tuple[str, ...]:
        try:
            with aws_errors(f"read {group}"):
                response = self._aws.logs().get_log_events(
                    logGroupName=group, logStreamName=stream, limit=limit, startFromHead=False
                )
        except NotFound:
            return ()
        return tuple(str(event["message"]) for event in response["events"])


def _log_group(service: Service, name: str) -> str:
    """Return the name of a log group: it ends like the service's ARN, with its name and its identifier."""
    return f"/aws/apprunner/{'/'.join(service.id.split('/')[1:3])}/{name}"
