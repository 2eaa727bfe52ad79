"""The system clock."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from kaizen_tasks.errors import Interrupted


class SystemClock:
    """Real time. Safe to use from several threads."""

    def __init__(self) -> None:
        self._cancel_event = threading.Event()

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)

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
