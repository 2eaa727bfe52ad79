"""The port of time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol


class Clock(Protocol):
    """The time and waits, as a port so that waiting can be tested."""

    def now(self) -> datetime:
        """Return the time, in UTC."""

    def release_date(self) -> date:
        """Return the day on which something is released now, by the releaser's calendar.

        Raises:
            UsageError: `SOURCE_DATE_EPOCH`, which replaces the time, is not one.
        """

    def monotonic(self) -> float:
        """Return the seconds of a clock that never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds.

        Raises:
            Cancelled: `cancel_waits` was called before or during the wait.
        """

    def cancel_waits(self) -> None:
        """End the waits of all threads, and make every later one raise `Cancelled`."""
