"""The system clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from kaizen_tasks.errors import Interrupted


class SystemClock:
    """Real time. Safe to use from several threads.

    Args:
        offset: returns what to add to this machine's time of day; it must not change while ages are measured.
    """

    def __init__(self, *, offset: Callable[[], timedelta] = timedelta) -> None:
        self._offset = offset
        self._cancel_event = threading.Event()

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC) + self._offset()

    def monotonic(self) -> float:
        """Return the seconds of a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; raise Interrupted if `cancel_waits` is or was called."""
        if self._cancel_event.wait(seconds):
            raise Interrupted("interrupted while waiting", hint="run the same command again to finish")

    def cancel_waits(self) -> None:
        """End the waits of all threads, and make every later wait raise Interrupted."""
        self._cancel_event.set()
