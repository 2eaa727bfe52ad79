"""App Runner's logs as files: the events of services and the output of their instances."""

from __future__ import annotations

import contextlib
import functools
import json
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.atomic_write import write_atomically
from kaizen_tasks.localcloud.logs.streams import LogStream, OutputFiles, modification_time, read_events
from kaizen_tasks.localcloud.state.damaged import load_state
from kaizen_tasks.localcloud.state.line_files import append_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOG_GROUP_PREFIX = "/aws/apprunner/"
_CREATION_MARKERS = ".born"
_RETENTION_FILE = "retention.json"


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
        self._output = OutputFiles()

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
        return min(map(modification_time, markers), default=modification_time(folder))

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
            events = read_events(path)
            created = events[0].timestamp if events else modification_time(path)
            return LogStream(name=name, created=created, read=lambda: events)
        marker = folder / _CREATION_MARKERS / path.name
        created = modification_time(marker if marker.exists() else path)
        return LogStream(name=name, created=created, read=functools.partial(self._output.read, path))


def _parse_retention(content: bytes) -> dict[str, int]:
    return {str(group): int(days) for group, days in json.loads(content).items()}
