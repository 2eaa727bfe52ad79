"""CloudWatch Logs' API: what is read, of the log groups of App Runner and of all others."""

from __future__ import annotations

import re
import shlex
import zlib
from typing import TYPE_CHECKING, Any, TypeVar

from kaizen_tasks.localcloud.logs.groups_api import LogGroupsApi, group_name, no_group, no_stream, reject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaizen_tasks.localcloud.logs.files import LogStore
    from kaizen_tasks.localcloud.logs.groups import LogGroups
    from kaizen_tasks.localcloud.logs.streams import LogEvent, LogStream
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_Item = TypeVar("_Item")

_PAGE_SIZE = 50  # maximum and default of DescribeLogGroups and DescribeLogStreams
_MAX_EVENTS = 10_000
_PAGE_TOKEN = re.compile(r"([fbn])/(\d{1,18})")


class CloudWatch(LogGroupsApi):
    """CloudWatch Logs of one account and region.

    Args:
        apprunner: the logs of App Runner.
        groups: all other log groups.
        account: the account number.
        region: the region.
    """

    name = "logs"

    def __init__(self, *, apprunner: LogStore, groups: LogGroups, account: str, region: str) -> None:
        self.apprunner = apprunner
        self.groups = groups
        self._prefix = f"arn:aws:logs:{region}:{account}:log-group"

    def describe_log_groups(self, request: JsonObject) -> JsonObject:
        """Return one page of log groups, by name."""
        prefix, pattern = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
        existing = sorted({*self.apprunner.group_names(), *self.groups.names()})
        names = [name for name in existing if name.startswith(prefix) and pattern in name]
        page, next_page = _paginate(names, request)
        return {"logGroups": [self._describe_group(name) for name in page], **next_page}

    def describe_log_streams(self, request: JsonObject) -> JsonObject:
        """Return one page of a log group's streams, by name or by the time of the last event."""
        by_time, prefix = request.get("orderBy") == "LastEventTime", request.get("logStreamNamePrefix", "")
        if by_time and prefix:
            reject("Cannot order by LastEventTime with a logStreamNamePrefix.")
        group = group_name(request)
        streams = [stream for stream in self._get_streams(group) if stream.name.startswith(prefix)]
        order: Callable[[LogStream], Any] = _last_event_time if by_time else lambda stream: stream.name
        page, next_page = _paginate(sorted(streams, key=order, reverse=request.get("descending", False)), request)
        return {"logStreams": [self._describe_stream(group, stream) for stream in page], **next_page}

    def get_log_events(self, request: JsonObject) -> JsonObject:
        """Return one page of a stream's events, by default the last one."""
        streams = {stream.name: stream for stream in self._get_streams(group_name(request))}
        stream = streams.get(request["logStreamName"])
        if stream is None:
            raise no_stream()
        events = [event for event in stream.events if _is_in_time_range(event, request)]
        start, end = _page_bounds(request, request.get("limit", _MAX_EVENTS), len(events))
        return {
            "events": [_event_document(event) for event in events[start:end]],
            "nextForwardToken": f"f/{end}",
            "nextBackwardToken": f"b/{start}",
        }

    def filter_log_events(self, request: JsonObject) -> JsonObject:
        """Return one page of the events of several streams that match a pattern, sorted by time."""
        stream_names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix", "")
        if stream_names and prefix:
            reject("logStreamNames and logStreamNamePrefix exclude each other.")
        matches = _matcher(request.get("filterPattern", ""))
        rows = [
            (event.timestamp, stream.name, number, event)
            for stream in self._get_streams(group_name(request))
            if stream.name.startswith(prefix) and (not stream_names or stream.name in stream_names)
            for number, event in enumerate(stream.events)
            if _is_in_time_range(event, request) and matches(event.message)
        ]
        page, next_page = _paginate(sorted(rows, key=lambda row: row[:3]), request, default_limit=_MAX_EVENTS)
        events = [
            {
                **_event_document(event),
                "logStreamName": name,
                "eventId": f"{zlib.crc32(name.encode()):010}{number:046}",  # not its time, which may be corrected
            }
            for _, name, number, event in page
        ]
        return {"events": events, "searchedLogStreams": [], **next_page}

    def _get_streams(self, name: str) -> tuple[LogStream, ...]:
        streams = self.groups.streams(name)
        if streams is None:
            streams = self.apprunner.streams(name)
        if streams is None:
            raise no_group()
        return streams

    def _describe_group(self, name: str) -> JsonObject:
        return {
            "logGroupName": name,
            **self._age_of_group(name),
            "metricFilterCount": 0,
            "arn": f"{self._prefix}:{name}:*",
            "logGroupArn": f"{self._prefix}:{name}",
            "logGroupClass": "STANDARD",
            "storedBytes": 0,
        }

    def _age_of_group(self, name: str) -> JsonObject:
        """Return when a group was created, and for how long its events are to be kept."""
        if group := self.groups.find(name):
            return {"creationTime": group.created, "retentionInDays": group.retention_days}
        created = [stream.created for stream in self._get_streams(name)]
        return {
            "creationTime": min([*created, self.apprunner.group_created(name)]),
            "retentionInDays": self.apprunner.retention_days.get(name),
        }

    def _describe_stream(self, group: str, stream: LogStream) -> JsonObject:
        return {
            "logStreamName": stream.name,
            "creationTime": stream.created,
            **_event_times(stream),
            "arn": f"{self._prefix}:{group}:log-stream:{stream.name}",
            "storedBytes": 0,
        }


def _last_event_time(stream: LogStream) -> int:
    return stream.events[-1].timestamp if stream.events else stream.created


def _event_times(stream: LogStream) -> JsonObject:
    """Return the times of the first and last event; nothing for an empty stream."""
    if not stream.events:
        return {}
    first_timestamp, last_timestamp = stream.events[0].timestamp, stream.events[-1].timestamp
    return {
        "firstEventTimestamp": first_timestamp,
        "lastEventTimestamp": last_timestamp,
        "lastIngestionTime": last_timestamp,
    }


def _is_in_time_range(event: LogEvent, request: JsonObject) -> bool:
    """Return whether an event is in the requested range: the start is inclusive, the end exclusive."""
    start, end = int(request.get("startTime", 0)), request.get("endTime")
    return start <= event.timestamp and (end is None or event.timestamp < int(end))


def _page_bounds(request: JsonObject, limit: int, count: int) -> tuple[int, int]:
    """Return the start and end index of a page of events; a token contains a direction and an index."""
    token = request.get("nextToken")
    direction, position = _parse_token(token) if token else ("f", 0) if request.get("startFromHead") else ("b", count)
    position = min(position, count)
    return (position, min(position + limit, count)) if direction == "f" else (max(0, position - limit), position)


def _paginate(
    items: Sequence[_Item], request: JsonObject, *, default_limit: int = _PAGE_SIZE
) -> tuple[Sequence[_Item], JsonObject]:
    token = request.get("nextToken")
    start = _parse_token(token)[1] if token else 0
    end = start + request.get("limit", default_limit)
    return items[start:end], {"nextToken": f"n/{end}"} if end < len(items) else {}


def _parse_token(token: str) -> tuple[str, int]:
    match = _PAGE_TOKEN.fullmatch(token)
    if match is None:
        reject("The specified nextToken is invalid.")
    return match[1], int(match[2])


def _event_document(event: LogEvent) -> JsonObject:
    return {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.timestamp}


def _matcher(pattern: str) -> Callable[[str], bool]:
    """Return the predicate of a pattern: all plain terms, at least one term with `?`, no term with `-`.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    if pattern.lstrip().startswith(("{", "[", "%")):
        reject("Only patterns of terms are supported here.")
    try:
        terms = shlex.split(pattern)
    except ValueError:
        reject("The filter pattern is invalid.")
    optional_terms = [term[1:] for term in terms if term.startswith("?")]
    excluded_terms = [term[1:] for term in terms if term.startswith("-")]
    required_terms = [term for term in terms if not term.startswith(("?", "-"))]

    def matches(message: str) -> bool:
        contains = message.__contains__
        return (
            all(map(contains, required_terms))
            and not any(map(contains, excluded_terms))
            and (not optional_terms or any(map(contains, optional_terms)))
        )

    return matches
