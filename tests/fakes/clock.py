"""A clock that advances when something waits."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

from kaizen_tasks.errors import Cancelled

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

RESOLUTION = 1e-6
"""Seconds that a sleep takes at least, so that a rest left by rounding does not take forever."""


class FakeClock:
    """A clock that moves only when it is slept on; safe to use from several threads."""

    def __init__(self, start: datetime = START) -> None:
        self.sleeps: list[float] = []
        self._start = start
        self._elapsed = 0.0
        self._interrupted = False
        self._guard = threading.Lock()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def release_date(self) -> date:
        return self.now().date()

    def monotonic(self) -> float:
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        if self._interrupted:
            raise Cancelled("interrupted while waiting")
        self.sleeps.append(seconds)
        self.advance(max(seconds, RESOLUTION) if seconds > 0 else 0.0)

    def cancel_waits(self) -> None:
        self._interrupted = True

    def advance(self, seconds: float) -> None:
        """Move time forward without a sleep."""
        with self._guard:
            self._elapsed += seconds
