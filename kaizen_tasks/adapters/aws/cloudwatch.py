"""Amazon CloudWatch Logs: the logs of App Runner and of the app."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.domain.service import Service
from kaizen_tasks.errors import NotFound
from kaizen_tasks.ports.platform import Logs

MAX_STREAMS = 50  # CloudWatch's maximum for one request; the most recently written streams come first
CLOCK_TOLERANCE_SECONDS = 60.0  # allowed difference between the clocks of App Runner and CloudWatch


class CloudWatchLogs(Logs):
    """The log groups of the services of one account in one region.

    Names of log groups and streams:
    https://docs.aws.amazon.com/apprunner/latest/dg/monitor-cwl.html
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def deployment_tail(self, service: Service, operation: str, *, limit: int) -> tuple[str, ...]:
        """Return the last lines of a deployment's stream, whose name is the operation's identifier without dashes."""
        return read_tail(self._aws, _log_group(service, "service"), f"deployment/{operation.replace('-', '')}", limit)

    def application_tail(self, service: Service, *, since: datetime, limit: int) -> tuple[str, ...]:
        """Return the last lines of the newest instance's stream; an empty tuple when no container was started."""
        group, earliest = _log_group(service, "application"), (since.timestamp() - CLOCK_TOLERANCE_SECONDS) * 1000
        streams = [stream for stream in self._streams(group) if stream["creationTime"] >= earliest]
        if not streams:
            return ()
        newest = max(streams, key=lambda stream: stream["creationTime"])
        return read_tail(self._aws, group, str(newest["logStreamName"]), limit)

    def _streams(self, group: str) -> list[Mapping[str, Any]]:
        try:
            with aws_errors(f"list the streams of {group}"):
                newest_first = {"orderBy": "LastEventTime", "descending": True, "limit": MAX_STREAMS}
                response = self._aws.logs().describe_log_streams(logGroupName=group, **newest_first)
        except NotFound:
            return []
        return list(response["logStreams"])


def read_tail(aws: Aws, group: str, stream: str, limit: int) -> tuple[str, ...]:
    """Return the last lines of a stream, oldest first; none if there is no such stream."""
    try:
        with aws_errors(f"read {group}"):
            request = {"logGroupName": group, "logStreamName": stream, "limit": limit, "startFromHead": False}
            response = aws.logs().get_log_events(**request)
    except NotFound:
        return ()
    return tuple(str(event["message"]) for event in response["events"])


def _log_group(service: Service, name: str) -> str:
    """Return the full name of a service's log group; it contains the last two parts of the service's ARN."""
    return f"/aws/apprunner/{'/'.join(service.id.split('/')[1:3])}/{name}"
