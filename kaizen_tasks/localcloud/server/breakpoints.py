"""Calls that wait in the middle, so that whoever scripts the cloud can do something at exactly that moment."""

from __future__ import annotations

import threading

from kaizen_tasks.localcloud.server.http_message import DropConnectionError

BREAKPOINT_TIMEOUT_SECONDS = 120.0
"""Seconds after which a call that nobody lets go on is cut off."""


class Breakpoints:
    """Where calls wait."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting_operations: list[str] = []
        self._generation = 0
        self._should_drop = False

    def pause(self, operation: str) -> None:
        """Wait until somebody lets this call go on.

        Raises:
            DropConnectionError: it is to be cut off.
        """
        with self._condition:
            generation = self._generation
            self._waiting_operations.append(operation)
            self._condition.notify_all()
            is_resumed = self._condition.wait_for(lambda: self._generation != generation, BREAKPOINT_TIMEOUT_SECONDS)
            if not is_resumed or self._should_drop:
                raise DropConnectionError

    def wait_for_operations(self, timeout: float) -> list[str]:
        """Return the calls that wait, as soon as there is one; none when these seconds are over."""
        with self._condition:
            self._condition.wait_for(lambda: self._waiting_operations, timeout)
            return list(self._waiting_operations)

    def resume(self, *, drop: bool = False) -> None:
        """Let all of them go on, or cut them off."""
        with self._condition:
            self._waiting_operations.clear()
            self._generation += 1
            self._should_drop = drop
            self._condition.notify_all()
