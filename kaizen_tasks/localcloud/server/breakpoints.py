"""Breakpoints: requests that wait until a test resumes them, so that it can act at exactly that moment."""

from __future__ import annotations

import threading

from kaizen_tasks.localcloud.server.http_message import DropConnectionError

BREAKPOINT_TIMEOUT_SECONDS = 120.0
"""Seconds after which a request that has not been resumed is dropped."""


class Breakpoints:
    """Requests that wait to be resumed."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting_operations: list[str] = []
        self._generation = 0
        self._should_drop = False

    def pause(self, operation: str) -> None:
        """Wait until the request is resumed.

        Raises:
            DropConnectionError: the connection is to be dropped.
        """
        with self._condition:
            generation = self._generation
            self._waiting_operations.append(operation)
            self._condition.notify_all()
            is_resumed = self._condition.wait_for(lambda: self._generation != generation, BREAKPOINT_TIMEOUT_SECONDS)
            if not is_resumed or self._should_drop:
                raise DropConnectionError

    def wait_for_operations(self, timeout: float) -> list[str]:
        """Return the operations of the waiting requests once there is one, or an empty list at the timeout."""
        with self._condition:
            self._condition.wait_for(lambda: self._waiting_operations, timeout)
            return list(self._waiting_operations)

    def resume(self, *, drop: bool = False) -> None:
        """Resume all waiting requests, or drop their connections."""
        with self._condition:
            self._waiting_operations.clear()
            self._generation += 1
            self._should_drop = drop
            self._condition.notify_all()
