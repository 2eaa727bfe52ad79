"""CloudWatch Logs' operations that create, change and delete log groups and streams, and that put events there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

import attrs

from kaizen_tasks.localcloud.logs.streams import LogEvent
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.localcloud.logs.files import LogStore
    from kaizen_tasks.localcloud.logs.groups import LogGroups
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_GROUP_MEMBERS = ("logGroupName", "logGroupIdentifier", "resourceArn")
_GROUP_NAME = re.compile(r"[\w./#-]{1,512}", re.ASCII)
_STREAM_NAME = re.compile(r"[^:*]{1,512}")
_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
_NO_GROUP = "The specified log group does not exist."
_NO_STREAM = "The specified log stream does not exist."


class LogGroupsApi:
    """Log groups of any name, and those of App Runner, which cannot be deleted."""

    groups: LogGroups
    apprunner: LogStore

    def create_log_group(self, request: JsonObject) -> JsonObject:
        """Create a log group."""
        name = request["logGroupName"]
        if not _GROUP_NAME.fullmatch(name):
            reject("The log group's name has characters that are not allowed.")
        if name in self.apprunner.group_names() or not self.groups.create(name, request.get("tags", {})):
            raise ServiceError("ResourceAlreadyExistsException", "The specified log group already exists")
        return {}

    def delete_log_group(self, request: JsonObject) -> JsonObject:
        """Delete a log group with its streams."""
        self.groups.delete(self._require_changeable(request))
        return {}

    def create_log_stream(self, request: JsonObject) -> JsonObject:
        """Create a stream."""
        if not _STREAM_NAME.fullmatch(request["logStreamName"]):
            reject("The log stream's name has characters that are not allowed.")
        if not self.groups.create_stream(self._require_changeable(request), request["logStreamName"]):
            raise ServiceError("ResourceAlreadyExistsException", "The specified log stream already exists")
        return {}

    def delete_log_stream(self, request: JsonObject) -> JsonObject:
        """Delete a stream."""
        self.groups.delete_stream(*self._require_stream(request))
        return {}

    def put_log_events(self, request: JsonObject) -> JsonObject:
        """Add events to a stream."""
        events = [LogEvent(event["timestamp"], event["message"]) for event in request["logEvents"]]
        if events != sorted(events, key=lambda event: event.timestamp):
            reject("Log events in a single PutLogEvents request must be in chronological order.")
        self.groups.append(*self._require_stream(request), events)
        return {"nextSequenceToken": "0"}  # which AWS ignores since 2023

    def put_retention_policy(self, request: JsonObject) -> JsonObject:
        """Set for how many days the events of a log group are to be kept."""
        if request["retentionInDays"] not in _RETENTION_DAYS:
            reject(f"retentionInDays is not one of {', '.join(map(str, _RETENTION_DAYS))}.")
        return self._set_retention(request, request["retentionInDays"])

    def delete_retention_policy(self, request: JsonObject) -> JsonObject:
        """Let the events of a log group be kept for ever."""
        return self._set_retention(request, None)

    def list_tags_for_resource(self, request: JsonObject) -> JsonObject:
        """Return the tags of a log group; those of App Runner have none."""
        group = self.groups.find(self.require_group(request))
        return {"tags": group.tags if group else {}}

    def list_tags_log_group(self, request: JsonObject) -> JsonObject:
        """Return the tags of a log group."""
        return self.list_tags_for_resource(request)

    def tag_resource(self, request: JsonObject) -> JsonObject:
        """Add tags to a log group."""
        return self._change_tags(request, lambda tags: {**tags, **request["tags"]})

    def tag_log_group(self, request: JsonObject) -> JsonObject:
        """Add tags to a log group."""
        return self.tag_resource(request)

    def untag_resource(self, request: JsonObject) -> JsonObject:
        """Remove tags from a log group."""
        return self._remove_tags(request, request["tagKeys"])

    def untag_log_group(self, request: JsonObject) -> JsonObject:
        """Remove tags from a log group."""
        return self._remove_tags(request, request["tags"])

    def require_group(self, request: JsonObject) -> str:
        """Return the name of a request's log group.

        Raises:
            ServiceError: there is no such group.
        """
        name = group_name(request)
        if self.groups.find(name) is None and name not in self.apprunner.group_names():
            raise no_group()
        return name

    def _require_changeable(self, request: JsonObject) -> str:
        name = self.require_group(request)
        if self.groups.find(name) is None:
            reject("The local cloud writes the log groups of App Runner services itself.")
        return name

    def _require_stream(self, request: JsonObject) -> tuple[str, str]:
        name, stream = self._require_changeable(request), request["logStreamName"]
        group = self.groups.find(name)
        if group is None or stream not in group.streams:
            raise no_stream()
        return name, stream

    def _set_retention(self, request: JsonObject, days: int | None) -> JsonObject:
        name = self.require_group(request)
        if self.groups.find(name) is None:
            self.apprunner.set_retention(name, days)
        else:
            self.groups.change(name, lambda group: attrs.evolve(group, retention_days=days))
        return {}

    def _remove_tags(self, request: JsonObject, keys: list[str]) -> JsonObject:
        return self._change_tags(request, lambda tags: {key: value for key, value in tags.items() if key not in keys})

    def _change_tags(self, request: JsonObject, change: Callable[[dict[str, str]], dict[str, str]]) -> JsonObject:
        name = self._require_changeable(request)
        self.groups.change(name, lambda group: attrs.evolve(group, tags=change(group.tags)))
        return {}


def group_name(request: JsonObject) -> str:
    """Return the name of a request's log group, which may be identified by its ARN."""
    name = str(next((request[member] for member in _GROUP_MEMBERS if request.get(member)), ""))
    return name.rsplit(":log-group:", maxsplit=1)[-1].removesuffix(":*")


def no_group() -> ServiceError:
    """Return the error for an unknown log group."""
    return ServiceError("ResourceNotFoundException", _NO_GROUP)


def no_stream() -> ServiceError:
    """Return the error for an unknown stream."""
    return ServiceError("ResourceNotFoundException", _NO_STREAM)


def reject(message: str) -> NoReturn:
    """Raise the error for a parameter that is not valid."""
    raise ServiceError("InvalidParameterException", message)
