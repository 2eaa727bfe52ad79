"""Ends requests that take too long: a server that sends a byte a minute never exceeds the timeout of a socket."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from threading import Condition, Thread

CHECK_INTERVAL_SECONDS = 0.5


class Watchdog:
    """Shuts connections down whose time is up, in one thread for all of them. Safe to use from several threads."""

    def __init__(self) -> None:
        self._deadlines: dict[socket.socket, float] = {}
        self._expired: set[socket.socket] = set()
        self._changed = Condition()
        self._is_running = False

    def watch(self, sock: socket.socket, seconds: float) -> None:
        """Shut a connection down unless it is released within some seconds; another call replaces the time."""
        with self._changed:
            self._deadlines[sock] = time.monotonic() + seconds
            if not self._is_running:
                self._is_running = True
                Thread(target=self._run, name="registry watchdog", daemon=True).start()

    def is_expired(self, sock: socket.socket) -> bool:
        """Return whether the connection was shut down."""
        return sock in self._expired

    def release(self, sock: socket.socket) -> None:
        """Watch a connection no longer."""
        with self._changed:
            self._deadlines.pop(sock, None)
            self._expired.discard(sock)

    def _run(self) -> None:
        with self._changed:
            while self._deadlines:
                self._changed.wait(CHECK_INTERVAL_SECONDS)
                now = time.monotonic()
                for sock in [sock for sock, deadline in self._deadlines.items() if deadline <= now]:
                    self._shut_down(sock)
            self._is_running = False

    def _shut_down(self, sock: socket.socket) -> None:
        del self._deadlines[sock]
        self._expired.add(sock)
        with suppress(OSError):  # it has been closed
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # the method of TLS sockets disturbs the reading thread
