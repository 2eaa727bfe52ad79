"""App Runner's logs as files: the events of services and the output of their instances."""

from __future__ import annotations

import bisect
import contextlib
import json
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.atomic_write import write_atomically
from kaizen_tasks.localcloud.state.damaged import load_state
from kaizen_tasks.localcloud.state.line_files import append_line, read_lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOG_GROUP_PREFIX = "/aws/apprunner/"
_CREATION_MARKERS = ".born"
_RETENTION_FILE = "retention.json"
_MAX_SIZE_HISTORY = 1000
_QUIET_SECONDS = 1.0  # idle time after which an incomplete line counts as complete


@attrs.frozen
class LogEvent:
    """A line, and its time in milliseconds since the epoch."""

    timestamp: int
    message: str


@attrs.frozen(kw_only=True)
class LogStream:
    """A stream of a log group; `created` is in milliseconds since the epoch."""

    name: str
    created: int
    events: tuple[LogEvent, ...]


class LogStore:
    """The log groups below `/aws/apprunner`: a folder per group, a file per stream.

    Streams of the group `service` are JSON lines, `{"timestamp": milliseconds, "message": ...}`. A stream of the group
    `application` is the unchanged output of one instance.

    Args:
        folder: the folder of the log groups.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._size_history: dict[Path, list[tuple[int, int]]] = {}

    @cached_property
    def retention_days(self) -> Mapping[str, int]:
        """Return how long the events of groups are to be kept, by group; groups that keep them for ever are missing."""
        path = self._folder / _RETENTION_FILE
        return load_state(path, _parse_retention) if path.exists() else {}

    def set_retention(self, group: str, days: int | None) -> None:
        """Change how long a group's events are to be kept; None for ever. No event is ever deleted."""
        with self._lock:
            others = {name: kept for name, kept in self.retention_days.items() if name != group}
            changed = others | ({group: days} if days else {})
            write_atomically(self._folder / _RETENTION_FILE, json.dumps(changed).encode())
            self.retention_days = changed

    def append_event(self, service: str, message: str, operation_id: str = "") -> None:
        """Add a line to a service's events, and to the stream of an operation.

        Args:
            service: the service's name and id, `NAME/ID`.
            message: the line.
            operation_id: the operation that the line is about; empty when it is about none.
        """
        line = json.dumps({"timestamp": int(time.time() * 1000), "message": f"[AppRunner] {message}"})
        group = self._folder / service / "service"
        stream_files = [group / "events"]
        if operation_id:
            stream_files.append(group / "deployment" / operation_id.replace("-", ""))
        with self._lock:
            for stream_file in stream_files:
                with contextlib.suppress(OSError):  # an operation does not depend on its log
                    self._make_folder(stream_file.parent)
                    append_line(stream_file, line)

    def register_output(self, service: str, instance_id: str) -> Path:
        """Return the file for an instance's output, and record the current time as the stream's creation."""
        group = self._folder / service / "application"
        marker = group / _CREATION_MARKERS / instance_id
        self._make_folder(marker.parent)
        marker.touch()
        return group / "instance" / instance_id

    def _make_folder(self, folder: Path) -> None:
        """Create a folder below the folder of the log groups, but not that one: it may have been deleted."""
        self._folder.stat()
        folder.mkdir(parents=True, exist_ok=True)

    def group_names(self) -> tuple[str, ...]:
        """Return the sorted names of the log groups."""
        return tuple(
            sorted(f"{LOG_GROUP_PREFIX}{path.relative_to(self._folder)}" for path in self._folder.glob("*/*/*"))
        )

    def group_created(self, group: str) -> int:
        """Return when a log group was created, in milliseconds since the epoch."""
        folder = self._folder / group.removeprefix(LOG_GROUP_PREFIX)
        markers = (folder / _CREATION_MARKERS).glob("*")
        return min(map(_mtime_milliseconds, markers), default=_mtime_milliseconds(folder))

    def streams(self, group: str) -> tuple[LogStream, ...] | None:
        """Return the streams of a log group, sorted by name; None if the group does not exist."""
        if group not in self.group_names():
            return None
        folder = self._folder / group.removeprefix(LOG_GROUP_PREFIX)
        files = (path for path in folder.rglob("*") if path.is_file() and path.parent.name != _CREATION_MARKERS)
        return tuple(self._read_stream(folder, path) for path in sorted(files))

    def _read_stream(self, folder: Path, path: Path) -> LogStream:
        name = str(path.relative_to(folder))
        if folder.name == "service":
            events = _read_json_lines(path)
            return LogStream(
                name=name, created=events[0].timestamp if events else _mtime_milliseconds(path), events=events
            )
        marker = folder / _CREATION_MARKERS / path.name
        return LogStream(
            name=name, created=_mtime_milliseconds(marker if marker.exists() else path), events=self._read_output(path)
        )

    def _read_output(self, path: Path) -> tuple[LogEvent, ...]:
        """Return an instance's output; the time of a line is the first modification time seen with it in the file."""
        content = _read_complete_lines(path)
        with self._lock:
            size_history = self._size_history.setdefault(path, [])
            if not size_history or size_history[-1][0] < len(content):
                size_history.append((len(content), _mtime_milliseconds(path)))
            if len(size_history) > _MAX_SIZE_HISTORY:
                del size_history[:-1:2]  # lines in between get the time of the next one
            checkpoints = list(size_history)
        events, end = [], 0
        for line in content.splitlines(keepends=True):
            end += len(line)
            timestamp = checkpoints[bisect.bisect_left(checkpoints, (end, 0))][1]
            events.append(LogEvent(timestamp, line.decode(errors="replace").rstrip("\r\n")))
        return tuple(events)


def _parse_retention(content: bytes) -> dict[str, int]:
    return {str(group): int(days) for group, days in json.loads(content).items()}


def _read_json_lines(path: Path) -> tuple[LogEvent, ...]:
    return tuple(LogEvent(**json.loads(line)) for line in read_lines(path))


def _read_complete_lines(path: Path) -> bytes:
    """Read complete lines only, unless the file has been idle long enough for the last one to count as complete."""
    content, modified_at = path.read_bytes(), path.stat().st_mtime
    return content if modified_at < time.time() - _QUIET_SECONDS else content[: content.rfind(b"\n") + 1]


def _mtime_milliseconds(path: Path) -> int:
    return int(path.stat().st_mtime * 1000)
