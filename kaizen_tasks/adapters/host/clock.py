"""The computer's own clock."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from kaizen_tasks.errors import Interrupted


class SystemClock:
    """Real time. Safe to use from several threads."""

    def __init__(self) -> None:
        self._interrupted = threading.Event()

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)

    def elapsed(self) -> float:
        """Return seconds that only ever grow, whatever happens to the wall clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        if self._interrupted.wait(seconds):
            raise Interrupted("interrupted while waiting", hint="type the same command again to finish")

    def interrupt(self) -> None:
        """End every wait, in whatever thread, and let none begin any more."""
        self._interrupted.set()
