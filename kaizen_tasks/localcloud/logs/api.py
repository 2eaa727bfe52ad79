"""CloudWatch Logs for the log groups of App Runner, which can be read; every other group is moto's."""

from __future__ import annotations

import json
import re
import shlex
import zlib
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from kaizen_tasks.localcloud.logs.files import PREFIX
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaizen_tasks.localcloud.logs.files import Event, Logs, Stream

Json = dict[str, Any]
_Item = TypeVar("_Item")

_PAGE = 50  # the most groups or streams that are described at once, and as many as when nothing is said
_EVENTS = 10_000
_ELSEWHERE = "elsewhere"  # the token behind our last group: what follows is not ours
_TOKEN = re.compile(r"([fbn])/(\d{1,18})")
_NO_GROUP = "The specified log group does not exist."
_NO_STREAM = "The specified log stream does not exist."


def passed_on(operation: str, content: bytes) -> bytes | None:
    """Return the request to send elsewhere; None when it is about App Runner's log groups."""
    try:
        request = json.loads(content or b"{}")
    except ValueError:
        return content
    if operation != "DescribeLogGroups":
        return None if _group(request).startswith(PREFIX) else content
    token, prefix = request.get("nextToken", ""), request.get("logGroupNamePrefix", "")
    if token == _ELSEWHERE:
        return json.dumps({name: value for name, value in request.items() if name != "nextToken"}).encode()
    ours = _TOKEN.fullmatch(token) or (not token and (prefix.startswith(PREFIX) or PREFIX.startswith(prefix)))
    return None if ours else content


class CloudWatch:
    """The operations that read logs.

    Args:
        logs: what App Runner has written.
        account: the account's number.
        region: the region's name.
    """

    name = "logs"

    def __init__(self, *, logs: Logs, account: str, region: str) -> None:
        self._logs = logs
        self._prefix = f"arn:aws:logs:{region}:{account}:log-group"

    def describe_log_groups(self, request: Json) -> Json:
        """Describe log groups, a page at a time; behind the last of ours come those of others."""
        prefix, pattern = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
        names = [name for name in self._logs.groups() if name.startswith(prefix) and pattern in name]
        page, following = _page(names, request)
        if not following and not prefix.startswith(PREFIX):
            following = {"nextToken": _ELSEWHERE}
        return {"logGroups": [self._group(name) for name in page], **following}

    def describe_log_streams(self, request: Json) -> Json:
        """Describe the streams of a log group by name, or by the time of the last event."""
        by_time, prefix = request.get("orderBy") == "LastEventTime", request.get("logStreamNamePrefix", "")
        if by_time and prefix:
            _refuse("Cannot order by LastEventTime with a logStreamNamePrefix.")
        group = _group(request)
        streams = [stream for stream in self._streams(group) if stream.name.startswith(prefix)]
        order: Callable[[Stream], Any] = _last if by_time else lambda stream: stream.name
        page, following = _page(sorted(streams, key=order, reverse=request.get("descending", False)), request)
        return {"logStreams": [self._stream(group, stream) for stream in page], **following}

    def get_log_events(self, request: Json) -> Json:
        """Return a page of one stream's events: the last one, unless a token or the head is asked for."""
        stream = next((each for each in self._streams(_group(request)) if each.name == request["logStreamName"]), None)
        if stream is None:
            raise ServiceError("ResourceNotFoundException", _NO_STREAM)
        events, limit = [event for event in stream.events if _within(event, request)], request.get("limit", _EVENTS)
        start, end = _span(request, limit, len(events))
        return {
            "events": [_event(event) for event in events[start:end]],
            "nextForwardToken": f"f/{end}",
            "nextBackwardToken": f"b/{start}",
        }

    def filter_log_events(self, request: Json) -> Json:
        """Return the events of several streams that match a pattern, in the order of their times."""
        wanted, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix", "")
        if wanted and prefix:
            _refuse("logStreamNames and logStreamNamePrefix exclude each other.")
        matches = _matcher(request.get("filterPattern", ""))
        found = [
            (event.timestamp, stream.name, number, event)
            for stream in self._streams(_group(request))
            if stream.name.startswith(prefix) and (not wanted or stream.name in wanted)
            for number, event in enumerate(stream.events)
            if _within(event, request) and matches(event.message)
        ]
        page, following = _page(sorted(found, key=lambda each: each[:3]), request, most=_EVENTS)
        events = [
            {**_event(event), "logStreamName": name, "eventId": f"{at:020}{zlib.crc32(name.encode()):010}{number:026}"}
            for at, name, number, event in page
        ]
        return {"events": events, "searchedLogStreams": [], **following}

    def _streams(self, group: str) -> tuple[Stream, ...]:
        streams = self._logs.streams(group)
        if streams is None:
            raise ServiceError("ResourceNotFoundException", _NO_GROUP)
        return streams

    def _group(self, name: str) -> Json:
        created = [stream.created for stream in self._streams(name)]
        return {
            "logGroupName": name,
            "creationTime": min(created, default=0),
            "metricFilterCount": 0,
            "arn": f"{self._prefix}:{name}:*",
            "logGroupArn": f"{self._prefix}:{name}",
            "logGroupClass": "STANDARD",
            "storedBytes": 0,
        }

    def _stream(self, group: str, stream: Stream) -> Json:
        return {
            "logStreamName": stream.name,
            "creationTime": stream.created,
            **_spoken(stream),
            "arn": f"{self._prefix}:{group}:log-stream:{stream.name}",
            "storedBytes": 0,
        }


def _group(request: Json) -> str:
    """Return the name of the log group that a request is about; an identifier may be its ARN."""
    name = str(request.get("logGroupName") or request.get("logGroupIdentifier") or "")
    return name.rsplit(":log-group:", maxsplit=1)[-1].removesuffix(":*")


def _last(stream: Stream) -> int:
    return stream.events[-1].timestamp if stream.events else stream.created


def _spoken(stream: Stream) -> Json:
    """Return between which times there are events; a stream whose instance has said nothing has none."""
    if not stream.events:
        return {}
    first, last = stream.events[0].timestamp, stream.events[-1].timestamp
    return {"firstEventTimestamp": first, "lastEventTimestamp": last, "lastIngestionTime": last}


def _within(event: Event, request: Json) -> bool:
    """Tell whether an event lies in the time asked for: from the start, up to and without the end."""
    start, end = int(request.get("startTime", 0)), request.get("endTime")
    return start <= event.timestamp and (end is None or event.timestamp < int(end))


def _span(request: Json, limit: int, count: int) -> tuple[int, int]:
    """Return where a page of events begins and ends; a token stands between two events."""
    token = request.get("nextToken")
    direction, at = _read(token) if token else ("f", 0) if request.get("startFromHead") else ("b", count)
    at = min(at, count)
    return (at, min(at + limit, count)) if direction == "f" else (max(0, at - limit), at)


def _page(items: Sequence[_Item], request: Json, *, most: int = _PAGE) -> tuple[Sequence[_Item], Json]:
    token = request.get("nextToken")
    start = _read(token)[1] if token else 0
    end = start + request.get("limit", most)
    return items[start:end], {"nextToken": f"n/{end}"} if end < len(items) else {}


def _read(token: str) -> tuple[str, int]:
    match = _TOKEN.fullmatch(token)
    if match is None:
        _refuse("The specified nextToken is invalid.")
    return match[1], int(match[2])


def _event(event: Event) -> Json:
    return {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.timestamp}


def _matcher(pattern: str) -> Callable[[str], bool]:
    """Read a filter pattern of terms: all of them, one of those with `?`, none of those with `-`.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    if pattern.lstrip().startswith(("{", "[", "%")):
        _refuse("Only patterns of terms are offered here.")
    try:
        terms = shlex.split(pattern)
    except ValueError:
        _refuse("The filter pattern is invalid.")
    optional = [term[1:] for term in terms if term.startswith("?")]
    excluded = [term[1:] for term in terms if term.startswith("-")]
    demanded = [term for term in terms if not term.startswith(("?", "-"))]

    def matches(message: str) -> bool:
        has = message.__contains__
        return all(map(has, demanded)) and not any(map(has, excluded)) and (not optional or any(map(has, optional)))

    return matches


def _refuse(message: str) -> NoReturn:
    raise ServiceError("InvalidParameterException", message)
