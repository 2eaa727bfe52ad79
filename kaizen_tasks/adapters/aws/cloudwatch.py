"""Amazon CloudWatch Logs: the logs of App Runner and of the app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.domain.log_line import LogLine
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

    def application_log(self, service: Service, *, since: datetime) -> Iterator[LogLine]:
        """Yield what all instances of the app have printed since a time, oldest first."""
        return filter_lines(self._aws, _log_group(service, "application"), since=since)

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


def read_page(aws: Aws, group: str, stream: str, *, cursor: str) -> tuple[tuple[str, ...], str]:
    """Return the next lines of a stream, oldest first, and the cursor of the page behind; none without a stream.

    Args:
        aws: connects to the account.
        group: the group's name.
        stream: the stream's name.
        cursor: that of the page before; empty for the first page.
    """
    request = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
    try:
        with aws_errors(f"read {group}"):
            response = aws.logs().get_log_events(**request, **({"nextToken": cursor} if cursor else {}))
    except NotFound:
        return (), cursor
    return tuple(str(event["message"]) for event in response["events"]), str(response["nextForwardToken"])


def filter_lines(aws: Aws, group: str, *, since: datetime, prefix: str = "") -> Iterator[LogLine]:
    """Yield the lines of a log group, oldest first, page by page; none if there is no such group.

    A page may be empty although others follow:
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html.

    Args:
        aws: connects to the account.
        group: the group's name.
        since: the time of the first line.
        prefix: how the names of the streams begin; empty for all streams.
    """
    request: dict[str, object] = {"logGroupName": group, "startTime": int(since.timestamp() * 1000)}
    request |= {"logStreamNamePrefix": prefix} if prefix else {}
    while True:
        try:
            with aws_errors(f"read {group}"):
                response = aws.logs().filter_log_events(**request)
        except NotFound:
            return
        yield from map(_log_line, response["events"])
        if not response.get("nextToken"):
            return
        request["nextToken"] = response["nextToken"]


def _log_line(event: Mapping[str, Any]) -> LogLine:
    return LogLine(
        at=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
        stream=str(event["logStreamName"]),
        text=str(event["message"]).removesuffix("\n"),
        id=str(event["eventId"]),
    )


def _log_group(service: Service, name: str) -> str:
    """Return the full name of a service's log group; it contains the last two parts of the service's ARN."""
    return f"/aws/apprunner/{'/'.join(service.id.split('/')[1:3])}/{name}"
