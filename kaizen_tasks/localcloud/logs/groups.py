"""Log groups of any name: what containers print by the log driver `awslogs`, and what clients put there."""

from __future__ import annotations

import functools
import hashlib
import threading
import time
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.logs.streams import LogEvent, LogStream, OutputFiles, event_line, read_events
from kaizen_tasks.localcloud.state.line_files import append_line
from kaizen_tasks.localcloud.state.values import ValueStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


@attrs.frozen(kw_only=True)
class LogGroup:
    """A log group; times are milliseconds since the epoch.

    Args:
        name: its name.
        created: when it was created.
        retention_days: for how long its events are to be kept; None for ever.
        tags: its tags.
        streams: when its streams were created, by name.
    """

    name: str
    created: int
    retention_days: int | None = None
    tags: dict[str, str]
    streams: dict[str, int] = attrs.field(factory=dict)


class LogGroups:
    """The log groups of an account and region. A stream has up to two files: output of a container, and JSON lines.

    Args:
        folder: the folder of their files.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._groups = ValueStore(
            folder / "groups", lambda document: LogGroup(**document), key=lambda group: group.name
        )
        self._folder = folder / "streams"
        self._folder.mkdir(exist_ok=True)
        self._output = OutputFiles()
        self._lock = threading.Lock()

    def names(self) -> tuple[str, ...]:
        """Return the names of the groups."""
        return tuple(group.name for group in self._groups.all())

    def find(self, name: str) -> LogGroup | None:
        """Return a group; None if there is none."""
        try:
            return self._groups.get(name)
        except KeyError:
            return None

    def create(self, name: str, tags: dict[str, str]) -> bool:
        """Create a group; return False if there is one already."""
        with self._groups.lock:
            if self.find(name) is not None:
                return False
            self._groups.put(LogGroup(name=name, created=_now(), tags=tags))
        return True

    def change(self, name: str, change: Callable[[LogGroup], LogGroup]) -> None:
        """Replace a group by `change(group)`; raise KeyError if there is none."""
        with self._groups.lock:
            self._groups.put(change(self._groups.get(name)))

    def delete(self, name: str) -> None:
        """Delete a group with its streams; raise KeyError if there is none."""
        with self._groups.lock:
            for stream in self._groups.get(name).streams:
                self._delete_files(name, stream)
            self._groups.remove(name)

    def create_stream(self, group: str, stream: str) -> bool:
        """Create a stream; return False if there is one already. Raise KeyError if there is no such group."""
        with self._groups.lock:
            current = self._groups.get(group)
            if stream in current.streams:
                return False
            self._groups.put(attrs.evolve(current, streams={**current.streams, stream: _now()}))
        return True

    def delete_stream(self, group: str, stream: str) -> None:
        """Delete a stream; raise KeyError if there is none."""
        with self._groups.lock:
            current = self._groups.get(group)
            remaining = {name: created for name, created in current.streams.items() if name != stream}
            if len(remaining) == len(current.streams):
                raise KeyError(stream)
            self._delete_files(group, stream)
            self._groups.put(attrs.evolve(current, streams=remaining))

    def output_file(self, group: str, stream: str) -> Path:
        """Return the file for the output of a container; its stream is created if there is none."""
        self.create_stream(group, stream)
        path = self._path(group, stream, "output")
        self._output.follow(path)
        return path

    def note_times(self) -> None:
        """Note how much containers have printed by now, so that lines have the times at which they were printed."""
        self._output.note_times()

    def append(self, group: str, stream: str, events: Iterable[LogEvent]) -> None:
        """Add events to a stream that exists."""
        path = self._path(group, stream, "events")
        with self._lock:
            for event in events:
                append_line(path, event_line(event))

    def streams(self, name: str) -> tuple[LogStream, ...] | None:
        """Return the streams of a group, sorted by name; None if there is no such group."""
        group = self.find(name)
        if group is None:
            return None
        return tuple(
            LogStream(name=stream, created=created, read=functools.partial(self._events, name, stream))
            for stream, created in sorted(group.streams.items())
        )

    def _events(self, group: str, stream: str) -> tuple[LogEvent, ...]:
        output = self._path(group, stream, "output")
        printed = self._output.read(output) if output.exists() else ()
        put = read_events(self._path(group, stream, "events"))
        return tuple(sorted((*printed, *put), key=lambda event: event.timestamp)) if put else printed

    def _delete_files(self, group: str, stream: str) -> None:
        for kind in ("output", "events"):
            path = self._path(group, stream, kind)
            path.unlink(missing_ok=True)
            self._output.forget(path)

    def _path(self, group: str, stream: str, kind: str) -> Path:
        """Return a file of a stream, whose name may have characters that names of files may not."""
        key = "\0".join((group, stream)).encode()
        return self._folder / f"{hashlib.sha256(key).hexdigest()[:32]}.{kind}"


def _now() -> int:
    return int(time.time() * 1000)
