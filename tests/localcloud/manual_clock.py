"""A clock for App Runner that a test moves on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from kaizen_tasks.localcloud.clock import MonotonicClock

if TYPE_CHECKING:
    from threading import Event

_POLL_SECONDS = 0.005


@define
class ManualClock(MonotonicClock):
    """A clock that only a test moves on, so that no deadline passes because the machine is busy.

    Attributes:
        reading: what it shows, in seconds.
        tick: seconds by which every reading moves it on, for deadlines that are to pass.
        awaited: the deadline that was waited for last.
    """

    reading: float = 0.0
    tick: float = 0.0
    awaited: float = 0.0

    def now(self) -> float:
        """Move on by a tick and return the reading."""
        self.reading += self.tick
        return self.reading

    def wait(self, event: Event, deadline: float) -> bool:
        """Wait for an event until the clock reads `deadline`; return whether it is set."""
        self.awaited = deadline
        while self.now() < deadline and not event.wait(_POLL_SECONDS):
            pass
        return event.is_set()
