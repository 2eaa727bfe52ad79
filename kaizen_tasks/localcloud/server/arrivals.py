"""Reads requests from a connection, and ends a connection whose requests arrive too slowly."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

IDLE_SECONDS = 300.0
"""Seconds after which a connection without a request is closed."""

GRACE_SECONDS = 30.0
"""Seconds of waiting for bytes that every request may take."""

MIN_BYTES_PER_SECOND = 1024
"""Bytes by which a request earns another second."""


class ArrivingBytes(io.RawIOBase):
    """The bytes that a client sends.

    Only waiting for the client counts: a request that is delayed by the application is not slow.

    Args:
        connection: the connection.
        clock: returns seconds.
    """

    def __init__(self, connection: socket.socket, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._connection = connection
        self._clock = clock
        self._seconds_left = IDLE_SECONDS

    def readable(self) -> bool:
        """Return True."""
        return True

    def await_request(self) -> None:
        """Allow the client to be idle."""
        self._seconds_left = IDLE_SECONDS

    def begin_request(self) -> None:
        """Measure the time that the client takes from now on."""
        self._seconds_left = GRACE_SECONDS

    def readinto(self, buffer: Any) -> int:  # Any: the writable buffer protocol has no name before 3.12
        """Fill the buffer with bytes that have arrived; return their number, or 0 at the end.

        Raises:
            TimeoutError: the client takes too long.
        """
        if self._seconds_left <= 0:
            raise TimeoutError("the request arrives too slowly")
        self._connection.settimeout(min(self._seconds_left, IDLE_SECONDS))
        started_at = self._clock()
        try:
            count = self._connection.recv_into(buffer)
        finally:
            self._seconds_left -= self._clock() - started_at
            self._connection.settimeout(IDLE_SECONDS)  # for the response
        self._seconds_left += count / MIN_BYTES_PER_SECOND
        return count
