"""The stable public port of a service: TCP connections forwarded to whichever instance is current."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BACKLOG = 512
_CHUNK = 1 << 16
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 1.0
_EXHAUSTED_SECONDS = 0.05
_NOBODY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 28\r\n"
    b"Connection: close\r\n\r\nThis service is not running\n"
)


class Relay:
    """A listening port on loopback and the connections that came through it.

    Args:
        port: the port to take; 0, or one that is not free, lets the operating system choose.
    """

    def __init__(self, port: int = 0) -> None:
        self._listener = _listen(port)
        self.port: int = self._listener.getsockname()[1]
        self._changed = threading.Condition()
        self._target: int | None = None
        self._connections: Counter[int] = Counter()
        self._sockets: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._closed = threading.Event()
        self._acceptor = self._start(self._accept_all)

    def switch(self, target: int | None) -> int | None:
        """Send new connections to another local port, or answer them 503; return the port used until now."""
        with self._changed:
            before, self._target = self._target, target
        return before

    def drain(self, target: int, seconds: float) -> bool:
        """Wait until no connection to a port is left, but no longer than some seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._connections[target], timeout=seconds)

    def close(self) -> None:
        """Free the port, cut every connection and wait for the threads that served them."""
        self._closed.set()
        with contextlib.suppress(OSError):  # closing a socket does not wake a thread that waits in its accept()
            socket.create_connection(("127.0.0.1", self.port), timeout=_CONNECT_SECONDS).close()
        self._acceptor.join(timeout=_CONNECT_SECONDS)
        with self._changed:
            threads = tuple(self._threads)
            for connection in self._sockets:
                _cut(connection)
        for thread in threads:
            thread.join(timeout=_CONNECT_SECONDS + _ANSWER_SECONDS)

    def _accept_all(self) -> None:
        with self._listener:
            while not self._closed.is_set():
                try:
                    client, _ = self._listener.accept()
                except OSError:  # no descriptors left, or a client that is already gone
                    self._closed.wait(_EXHAUSTED_SECONDS)
                else:
                    self._accept(client)

    def _accept(self, client: socket.socket) -> None:
        try:
            self._start(lambda: self._serve(client))
        except RuntimeError:  # no thread can be started: refuse this client and keep listening
            client.close()

    def _serve(self, client: socket.socket) -> None:
        with self._tracked(client), self._counted_target() as target:
            try:
                server = socket.create_connection(("127.0.0.1", target or 0), timeout=_CONNECT_SECONDS)
            except OSError:
                _answer_nobody(client)
                return
            server.settimeout(None)
            with self._tracked(server):
                self._forward(client, server)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        try:
            back = self._start(lambda: _copy(server, client))
        except RuntimeError:  # no thread can be started: this client has to try again
            return
        _copy(client, server)
        back.join()

    @contextlib.contextmanager
    def _counted_target(self) -> Iterator[int | None]:
        """Read the target and count the connection in one step, so that `drain` misses none."""
        with self._changed:
            target = self._target
            self._connections[target or 0] += 1
        try:
            yield target
        finally:
            with self._changed:
                self._connections[target or 0] -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def _tracked(self, connection: socket.socket) -> Iterator[None]:
        """Let `close` cut a connection for as long as it is open."""
        with connection:
            with self._changed:
                self._sockets.add(connection)
                if self._closed.is_set():
                    _cut(connection)
            try:
                yield
            finally:
                with self._changed:
                    self._sockets.discard(connection)

    def _start(self, work: Callable[[], None]) -> threading.Thread:
        """Run a function in a thread that `close` waits for."""
        thread = threading.Thread(target=self._run, args=(work,), name=f"relay-{self.port}", daemon=True)
        with self._changed:  # `close` must not meet a thread that it cannot wait for yet
            thread.start()
            self._threads.add(thread)
        return thread

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self._changed:
                self._threads.discard(threading.current_thread())


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
    except OSError:
        return socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    """Pass on bytes until the source has no more, and then that it has no more."""
    try:
        while chunk := source.recv(_CHUNK):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        _cut(source)
        _cut(sink)


def _cut(connection: socket.socket) -> None:
    """End a connection in both directions; whoever waits on it wakes up."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _answer_nobody(client: socket.socket) -> None:
    """Say that nothing serves; read what still comes, as closing earlier could destroy the answer."""
    deadline = time.monotonic() + _ANSWER_SECONDS
    client.settimeout(_ANSWER_SECONDS)
    with contextlib.suppress(OSError):
        client.sendall(_NOBODY)
        client.shutdown(socket.SHUT_WR)
        while client.recv(_CHUNK) and time.monotonic() < deadline:
            pass
