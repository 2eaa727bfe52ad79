"""Amazon CloudWatch Logs: what App Runner and the app have written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaizen_tasks.adapters.aws.session import translated
from kaizen_tasks.errors import NotFound
from kaizen_tasks.ports.platform import Logs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.domain.service import Service

STREAMS = 50
"""The most streams that CloudWatch gives at once; those written to last come first."""

WRITTEN_LATE = 60.0
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

    def deployment(self, service: Service, operation: str, *, most: int) -> tuple[str, ...]:
        """Return the last lines of a deployment's stream, which is named after it without dashes."""
        return self._tail(_group(service, "service"), f"deployment/{operation.replace('-', '')}", most)

    def application(self, service: Service, *, since: datetime, most: int) -> tuple[str, ...]:
        """Return the last lines of the newest instance's stream; there is none when no container was started."""
        group, earliest = _group(service, "application"), (since.timestamp() - WRITTEN_LATE) * 1000
        streams = [each for each in self._streams(group) if each["creationTime"] >= earliest]
        if not streams:
            return ()
        newest = max(streams, key=lambda each: each["creationTime"])
        return self._tail(group, str(newest["logStreamName"]), most)

    def _streams(self, group: str) -> list[Mapping[str, Any]]:
        try:
            with translated(f"look for the streams of {group}"):
                answer = self._aws.logs().describe_log_streams(
                    logGroupName=group, orderBy="LastEventTime", descending=True, limit=STREAMS
                )
        except NotFound:
            return []
        return list(answer["logStreams"])

    def _tail(self, group: str, stream: str, most: int) -> tuple[str, ...]:
        try:
            with translated(f"read {group}"):
                answer = self._aws.logs().get_log_events(
                    logGroupName=group, logStreamName=stream, limit=most, startFromHead=False
                )
        except NotFound:
            return ()
        return tuple(str(event["message"]) for event in answer["events"])


def _group(service: Service, name: str) -> str:
    """Return the name of a log group: it ends like the service's ARN, with its name and its identifier."""
    return f"/aws/apprunner/{'/'.join(service.identity.split('/')[1:3])}/{name}"
