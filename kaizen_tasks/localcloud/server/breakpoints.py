"""Calls that wait in the middle, so that whoever scripts the cloud can do something at exactly that moment."""

from __future__ import annotations

import threading

from kaizen_tasks.localcloud.server.http_message import DropConnectionError

FORGOTTEN = 120.0
"""Seconds after which a call that nobody lets go on is cut off."""


class Parking:
    """Where calls wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._parked: list[str] = []
        self._generation = 0
        self._dropped = False

    def wait(self, operation: str) -> None:
        """Wait until somebody lets this call go on.

        Raises:
            DropConnectionError: it is to be cut off.
        """
        with self._changed:
            generation = self._generation
            self._parked.append(operation)
            self._changed.notify_all()
            answered = self._changed.wait_for(lambda: self._generation != generation, FORGOTTEN)
            if not answered or self._dropped:
                raise DropConnectionError

    def seen(self, seconds: float) -> list[str]:
        """Return the calls that wait, as soon as there is one; none when these seconds are over."""
        with self._changed:
            self._changed.wait_for(lambda: self._parked, seconds)
            return list(self._parked)

    def free(self, *, drop: bool = False) -> None:
        """Let all of them go on, or cut them off."""
        with self._changed:
            self._parked.clear()
            self._generation += 1
            self._dropped = drop
            self._changed.notify_all()
