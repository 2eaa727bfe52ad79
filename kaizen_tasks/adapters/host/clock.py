"""The computer's own clock."""

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
        """Return seconds that only ever grow, whatever happens to the wall clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        if self._cancel_event.wait(seconds):
            raise Interrupted("interrupted while waiting", hint="type the same command again to finish")

    def cancel_waits(self) -> None:
        """End every wait, in whatever thread, and let none begin any more."""
        self._cancel_event.set()
