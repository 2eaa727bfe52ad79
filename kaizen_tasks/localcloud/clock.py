"""The clock that deployments are measured with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threading import Event


class MonotonicClock:
    """The monotonic clock of this machine, in seconds."""

    def now(self) -> float:
        """Return the current reading."""
        return time.monotonic()

    def wait(self, event: Event, deadline: float) -> bool:
        """Wait for an event until the clock reads `deadline`; return whether it is set."""
        return event.wait(max(0.0, deadline - self.now()))
