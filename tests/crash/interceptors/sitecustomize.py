"""Loaded by Python at its start: records every file change, and kills the process before one of them.

A process that was stopped and goes on finds that two minutes have passed: nobody has to wait for the end of a lease.

The names of the events are those of https://docs.python.org/3/library/audit_events.html.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
STOPPED = 120.0
CHANGES = {
    "os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate", "os.utime",
}  # fmt: skip


class Watch:
    """Watches folders for changes.

    Args:
        roots: those folders.
        events: the file that every event is written down in, by the stand-in for git too.
        at: number of the event to die at; 0 for none.
    """

    def __init__(self, roots: tuple[str, ...], events: Path, at: int) -> None:
        self._roots = roots
        self._events = events
        self._at = at
        self._busy = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        """Receive an audit event."""
        if self._busy or (event != "open" and event not in CHANGES):
            return
        self._busy = True
        try:
            if self._counts(event, arguments):
                self._note(f"{event.removeprefix('os.')} {os.path.basename(str(arguments[0]))}")  # noqa: PTH119 - bytes and paths come here
        finally:
            self._busy = False

    def _counts(self, event: str, arguments: tuple[object, ...]) -> bool:
        if not isinstance(arguments[0], str | os.PathLike):
            return False
        flags = arguments[2] if event == "open" else WRITING
        if not isinstance(flags, int) or not flags & WRITING:
            return False
        if event == "open" and os.path.isdir(arguments[0]):  # noqa: PTH112 - bytes and paths come here
            return False  # an unnamed temporary file, invisible to others
        return os.path.abspath(arguments[0]).startswith(self._roots)  # noqa: PTH100 - must not follow links

    def _note(self, line: str) -> None:
        with self._events.open("a") as file:
            file.write(f"{line}\n")
        if len(self._events.read_text().splitlines()) == self._at:
            os.killpg(os.getpid(), signal.SIGKILL)


def _leap(_number: int, _frame: object, real: Callable[[], float] = time.monotonic) -> None:
    time.monotonic = lambda: real() + STOPPED


if "CRASH_EVENTS" in os.environ:
    signal.signal(signal.SIGCONT, _leap)
    sys.addaudithook(
        Watch(
            roots=tuple(os.environ["CRASH_ROOTS"].split(os.pathsep)),
            events=Path(os.environ["CRASH_EVENTS"]),
            at=int(os.environ["CRASH_AT"]),
        )
    )
