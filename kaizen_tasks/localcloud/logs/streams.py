"""Streams of log events, and the files that they are read from."""

from __future__ import annotations

import bisect
import contextlib
import functools
import json
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.state.line_files import read_lines

if TYPE_CHECKING:
    from pathlib import Path

_MAX_SIZE_HISTORY = 250
_FOLLOW_SECONDS = 3600.0
_QUIET_SECONDS = 1.0  # idle time after which an incomplete line counts as complete


@attrs.frozen
class LogEvent:
    """A line, and its time in milliseconds since the epoch."""

    timestamp: int
    message: str


@attrs.frozen(kw_only=True)
class LogStream:
    """A stream of a log group.

    Args:
        name: its name.
        created: milliseconds since the epoch.
        read: reads its events.
    """

    name: str
    created: int
    read: Callable[[], tuple[LogEvent, ...]]

    @functools.cached_property
    def events(self) -> tuple[LogEvent, ...]:
        """Return its events, oldest first, which are read when they are first asked for."""
        return self.read()


class OutputFiles:
    """The unchanged output of instances, whose lines have no times."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._size_history: dict[Path, list[tuple[int, int]]] = {}
        self._followed: dict[Path, float] = {}

    def read(self, path: Path) -> tuple[LogEvent, ...]:
        """Return the lines of a file; the time of a line is the first modification time seen with it in the file."""
        content = _read_complete_lines(path)
        checkpoints = self._note_size(path, len(content), modification_time(path))
        events, end = [], 0
        for line in content.splitlines(keepends=True):
            end += len(line)
            timestamp = checkpoints[bisect.bisect_left(checkpoints, (end, 0))][1]
            events.append(LogEvent(timestamp, line.decode(errors="replace").rstrip("\r\n")))
        return tuple(events)

    def follow(self, path: Path) -> None:
        """Have `note_times` look at a file until it has not changed for an hour."""
        with self._lock:
            self._followed[path] = time.time()

    def note_times(self) -> None:
        """Note when each followed file has grown to its present size: its lines get that time when they are read."""
        with self._lock:
            followed = tuple(self._followed.items())
        for path, followed_at in followed:
            with contextlib.suppress(OSError):  # it does not exist yet, or no more
                self._note_size(path, path.stat().st_size, modification_time(path))
            if self._last_change(path, followed_at) < time.time() - _FOLLOW_SECONDS:
                with self._lock:
                    self._followed.pop(path, None)

    def forget(self, path: Path) -> None:
        """Forget the times of a file that is deleted."""
        with self._lock:
            self._size_history.pop(path, None)
            self._followed.pop(path, None)

    def _last_change(self, path: Path, followed_at: float) -> float:
        """Return when a followed file has changed or was begun to be followed, in seconds since the epoch."""
        return max(followed_at, *(time / 1000 for _, time in self._size_history.get(path, ())[-1:]), 0.0)

    def _note_size(self, path: Path, size: int, milliseconds: int) -> list[tuple[int, int]]:
        """Return the sizes that a file has had, with their times."""
        with self._lock:
            size_history = self._size_history.setdefault(path, [])
            if not size_history or size_history[-1][0] < size:
                size_history.append((size, milliseconds))
            if len(size_history) > _MAX_SIZE_HISTORY:
                # Old lines in between get the time of the next one; `aws logs tail` compares that of new ones.
                del size_history[: _MAX_SIZE_HISTORY // 2 : 2]
            return list(size_history)


def read_events(path: Path) -> tuple[LogEvent, ...]:
    """Return the events of a file of JSON lines, `{"timestamp": milliseconds, "message": ...}`."""
    return tuple(LogEvent(**json.loads(line)) for line in read_lines(path))


def event_line(event: LogEvent) -> str:
    """Return the line of an event for such a file."""
    return json.dumps(attrs.asdict(event))


def modification_time(path: Path) -> int:
    """Return when a file was modified, in milliseconds since the epoch."""
    return int(path.stat().st_mtime * 1000)


def _read_complete_lines(path: Path) -> bytes:
    """Read complete lines only, unless the file has been idle long enough for the last one to count as complete."""
    content, modified_at = path.read_bytes(), path.stat().st_mtime
    return content if modified_at < time.time() - _QUIET_SECONDS else content[: content.rfind(b"\n") + 1]
