"""The logs of App Runner: what happens to services, and what their instances print, as files."""

from __future__ import annotations

import bisect
import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.localcloud.apprunner.services import Operation, Service

PREFIX = "/aws/apprunner/"
_BORN = ".born"
_QUIET_SECONDS = 1.0  # after which a line without an end counts as one


@attrs.frozen
class Event:
    """A line, and when it was written in milliseconds since the epoch."""

    timestamp: int
    message: str


@attrs.frozen(kw_only=True)
class Stream:
    """A stream of a log group; its creation is in milliseconds since the epoch."""

    name: str
    created: int
    events: tuple[Event, ...]


class Logs:
    """What CloudWatch would hold: a folder per log group, a file per stream.

    The group `service` has streams of JSON lines, `{"timestamp": milliseconds, "message": ...}`; a stream of
    the group `application` is what one instance printed, as it printed it.

    Args:
        folder: stands for the log group prefix `/aws/apprunner`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._marks: dict[Path, list[tuple[int, int]]] = {}

    def event(self, service: Service, message: str, operation: Operation | None = None) -> None:
        """Add a line to a service's events, and to the stream of the operation that it is about."""
        line = json.dumps({"timestamp": int(time.time() * 1000), "message": f"[AppRunner] {message}"})
        group = self._folder / service.name / service.id / "service"
        streams = [group / "events"]
        if operation is not None:
            streams.append(group / "deployment" / operation.id.replace("-", ""))
        with self._lock, contextlib.ExitStack() as files:
            for stream in streams:
                stream.parent.mkdir(parents=True, exist_ok=True)
                print(line, file=files.enter_context(stream.open("a", encoding="utf-8")))

    def output(self, service: Service, instance: str) -> Path:
        """Name the file that receives what an instance prints, and remember when that began."""
        group = self._folder / service.name / service.id / "application"
        born = group / _BORN / instance
        born.parent.mkdir(parents=True, exist_ok=True)
        born.touch()
        return group / "instance" / instance

    def groups(self) -> tuple[str, ...]:
        """Return the names of the log groups in order."""
        return tuple(sorted(f"{PREFIX}{path.relative_to(self._folder)}" for path in self._folder.glob("*/*/*")))

    def streams(self, group: str) -> tuple[Stream, ...] | None:
        """Return the streams of a log group in the order of their names; None when there is no such group."""
        if group not in self.groups():
            return None
        folder = self._folder / group.removeprefix(PREFIX)
        files = (path for path in folder.rglob("*") if path.is_file() and path.parent.name != _BORN)
        return tuple(self._stream(folder, path) for path in sorted(files))

    def _stream(self, folder: Path, path: Path) -> Stream:
        name = str(path.relative_to(folder))
        if folder.name == "service":
            events = _written(path)
            return Stream(name=name, created=events[0].timestamp if events else _milliseconds(path), events=events)
        born = folder / _BORN / path.name
        return Stream(name=name, created=_milliseconds(born if born.exists() else path), events=self._printed(path))

    def _printed(self, path: Path) -> tuple[Event, ...]:
        """Return what an instance has printed; a line was printed by the time the file had grown by it."""
        content = _whole_lines(path)
        with self._lock:
            marks = self._marks.setdefault(path, [])
            if not marks or marks[-1][0] < len(content):
                marks.append((len(content), _milliseconds(path)))
            known = list(marks)
        events, end = [], 0
        for line in content.splitlines(keepends=True):
            end += len(line)
            timestamp = known[bisect.bisect_left(known, (end, 0))][1]
            events.append(Event(timestamp, line.decode(errors="replace").rstrip("\r\n")))
        return tuple(events)


def _written(path: Path) -> tuple[Event, ...]:
    lines, _, _unfinished = path.read_text(encoding="utf-8").rpartition("\n")
    return tuple(Event(**json.loads(line)) for line in lines.splitlines())


def _whole_lines(path: Path) -> bytes:
    """Read a file up to its last line that has ended, or that nobody goes on with."""
    content, last = path.read_bytes(), path.stat().st_mtime
    return content if last < time.time() - _QUIET_SECONDS else content[: content.rfind(b"\n") + 1]


def _milliseconds(path: Path) -> int:
    return int(path.stat().st_mtime * 1000)
