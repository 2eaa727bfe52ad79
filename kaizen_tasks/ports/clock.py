"""The port of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """Time, so that waiting can be tested."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only ever grow."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            Interrupted: somebody has interrupted this clock, before or meanwhile.
        """
        ...

    def cancel_waits(self) -> None:
        """End every wait, in whatever thread, and let none begin any more."""
        ...
