"""CloudWatch Logs' API for the log groups of App Runner; moto has all other groups."""

from __future__ import annotations

import json
import re
import shlex
import zlib
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from kaizen_tasks.localcloud.logs.files import LOG_GROUP_PREFIX
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaizen_tasks.localcloud.logs.files import LogEvent, LogStore, LogStream
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_Item = TypeVar("_Item")

_PAGE_SIZE = 50  # maximum and default of DescribeLogGroups and DescribeLogStreams
_MAX_EVENTS = 10_000
_MOTO_PAGE_TOKEN = "elsewhere"  # noqa: S105 - the page token after App Runner's last group
_PAGE_TOKEN = re.compile(r"([fbn])/(\d{1,18})")
_GROUP_MEMBERS = ("logGroupName", "logGroupIdentifier", "resourceArn")
_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
_NO_GROUP = "The specified log group does not exist."
_NO_STREAM = "The specified log stream does not exist."


def moto_request(operation: str, content: bytes) -> bytes | None:
    """Return the request's content for moto; None if the request is about App Runner's log groups."""
    try:
        request = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return content
    if not isinstance(request, dict):
        return content
    if operation != "DescribeLogGroups":
        return None if _group_name(request).startswith(LOG_GROUP_PREFIX) else content
    token, prefix = request.get("nextToken") or "", request.get("logGroupNamePrefix") or ""
    if not isinstance(token, str) or not isinstance(prefix, str):
        return content
    if token == _MOTO_PAGE_TOKEN:
        return json.dumps({name: value for name, value in request.items() if name != "nextToken"}).encode()
    is_local = _PAGE_TOKEN.fullmatch(token) or (
        not token and (prefix.startswith(LOG_GROUP_PREFIX) or LOG_GROUP_PREFIX.startswith(prefix))
    )
    return None if is_local else content


class CloudWatch:
    """The operations that read logs.

    Args:
        logs: the logs of App Runner.
        account: the account number.
        region: the region.
    """

    name = "logs"

    def __init__(self, *, logs: LogStore, account: str, region: str) -> None:
        self._logs = logs
        self._prefix = f"arn:aws:logs:{region}:{account}:log-group"

    def describe_log_groups(self, request: JsonObject) -> JsonObject:
        """Return one page of log groups; after App Runner's last one, moto's groups follow."""
        prefix, pattern = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
        names = [name for name in self._logs.group_names() if name.startswith(prefix) and pattern in name]
        page, next_page = _paginate(names, request)
        if not next_page and not prefix.startswith(LOG_GROUP_PREFIX):
            next_page = {"nextToken": _MOTO_PAGE_TOKEN}
        return {"logGroups": [self._describe_group(name) for name in page], **next_page}

    def put_retention_policy(self, request: JsonObject) -> JsonObject:
        """Set for how many days the events of a log group are to be kept."""
        days = request["retentionInDays"]
        if days not in _RETENTION_DAYS:
            _reject(f"retentionInDays is not one of {', '.join(map(str, _RETENTION_DAYS))}.")
        self._logs.set_retention(self._require_group(request), days)
        return {}

    def delete_retention_policy(self, request: JsonObject) -> JsonObject:
        """Let the events of a log group be kept for ever."""
        self._logs.set_retention(self._require_group(request), None)
        return {}

    def list_tags_for_resource(self, request: JsonObject) -> JsonObject:
        """Return that a log group has no tags, which the local cloud does not offer."""
        self._require_group(request)
        return {"tags": {}}

    def list_tags_log_group(self, request: JsonObject) -> JsonObject:
        """Return that a log group has no tags, which the local cloud does not offer."""
        return self.list_tags_for_resource(request)

    def describe_log_streams(self, request: JsonObject) -> JsonObject:
        """Return one page of a log group's streams, by name or by the time of the last event."""
        by_time, prefix = request.get("orderBy") == "LastEventTime", request.get("logStreamNamePrefix", "")
        if by_time and prefix:
            _reject("Cannot order by LastEventTime with a logStreamNamePrefix.")
        group = _group_name(request)
        streams = [stream for stream in self._get_streams(group) if stream.name.startswith(prefix)]
        order: Callable[[LogStream], Any] = _last_event_time if by_time else lambda stream: stream.name
        page, next_page = _paginate(sorted(streams, key=order, reverse=request.get("descending", False)), request)
        return {"logStreams": [self._describe_stream(group, stream) for stream in page], **next_page}

    def get_log_events(self, request: JsonObject) -> JsonObject:
        """Return one page of a stream's events, by default the last one."""
        streams = {stream.name: stream for stream in self._get_streams(_group_name(request))}
        stream = streams.get(request["logStreamName"])
        if stream is None:
            raise ServiceError("ResourceNotFoundException", _NO_STREAM)
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
            _reject("logStreamNames and logStreamNamePrefix exclude each other.")
        matches = _matcher(request.get("filterPattern", ""))
        rows = [
            (event.timestamp, stream.name, number, event)
            for stream in self._get_streams(_group_name(request))
            if stream.name.startswith(prefix) and (not stream_names or stream.name in stream_names)
            for number, event in enumerate(stream.events)
            if _is_in_time_range(event, request) and matches(event.message)
        ]
        page, next_page = _paginate(sorted(rows, key=lambda row: row[:3]), request, default_limit=_MAX_EVENTS)
        events = [
            {
                **_event_document(event),
                "logStreamName": name,
                "eventId": f"{timestamp:020}{zlib.crc32(name.encode()):010}{number:026}",
            }
            for timestamp, name, number, event in page
        ]
        return {"events": events, "searchedLogStreams": [], **next_page}

    def _get_streams(self, group: str) -> tuple[LogStream, ...]:
        streams = self._logs.streams(group)
        if streams is None:
            raise ServiceError("ResourceNotFoundException", _NO_GROUP)
        return streams

    def _require_group(self, request: JsonObject) -> str:
        name = _group_name(request)
        if name not in self._logs.group_names():
            raise ServiceError("ResourceNotFoundException", _NO_GROUP)
        return name

    def _describe_group(self, name: str) -> JsonObject:
        created = [stream.created for stream in self._get_streams(name)]
        return {
            "logGroupName": name,
            "creationTime": min([*created, self._logs.group_created(name)]),
            "retentionInDays": self._logs.retention_days.get(name),
            "metricFilterCount": 0,
            "arn": f"{self._prefix}:{name}:*",
            "logGroupArn": f"{self._prefix}:{name}",
            "logGroupClass": "STANDARD",
            "storedBytes": 0,
        }

    def _describe_stream(self, group: str, stream: LogStream) -> JsonObject:
        return {
            "logStreamName": stream.name,
            "creationTime": stream.created,
            **_event_times(stream),
            "arn": f"{self._prefix}:{group}:log-stream:{stream.name}",
            "storedBytes": 0,
        }


def _group_name(request: JsonObject) -> str:
    """Return the name of a request's log group, which may be identified by its ARN."""
    name = str(next((request[member] for member in _GROUP_MEMBERS if request.get(member)), ""))
    return name.rsplit(":log-group:", maxsplit=1)[-1].removesuffix(":*")


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
        _reject("The specified nextToken is invalid.")
    return match[1], int(match[2])


def _event_document(event: LogEvent) -> JsonObject:
    return {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.timestamp}


def _matcher(pattern: str) -> Callable[[str], bool]:
    """Return the predicate of a pattern: all plain terms, at least one term with `?`, no term with `-`.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    if pattern.lstrip().startswith(("{", "[", "%")):
        _reject("Only patterns of terms are supported here.")
    try:
        terms = shlex.split(pattern)
    except ValueError:
        _reject("The filter pattern is invalid.")
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


def _reject(message: str) -> NoReturn:
    raise ServiceError("InvalidParameterException", message)
