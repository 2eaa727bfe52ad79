"""A service's public port: a TCP proxy to its current instances."""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.services.traffic import ResponseCount, ResponseObserver, WeightedTargets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_BACKLOG = 512
_CHUNK_BYTES = 1 << 16
_CONNECT_SECONDS = 5.0
_LINGER_SECONDS = 1.0
_ACCEPT_RETRY_SECONDS = 0.05
_UNAVAILABLE_RESPONSE = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 28\r\n"
    b"Connection: close\r\n\r\nThis service is not running\n"
)


class TcpProxy:
    """A listening port of this machine, and its connections.

    Args:
        port: the port; any free one if it is 0 or in use.
        host: the address to listen on.

    Raises:
        OSError: this machine has no such address.
    """

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self._host = host
        self._listener = _listen(host, port)
        self.port: int = self._listener.getsockname()[1]
        self._condition = threading.Condition()
        self._targets = WeightedTargets({})
        self._responses: Counter[tuple[int, bool]] = Counter()
        self._connections: Counter[int] = Counter()
        self._sockets: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._closed = threading.Event()
        self._acceptor = self._start_thread(self._accept_all)

    def switch(self, target_port: int | None) -> None:
        """Forward new connections to another local port, or answer them 503."""
        self.distribute({target_port: 1.0} if target_port is not None else {})

    def distribute(self, weights: Mapping[int, float]) -> None:
        """Forward new connections to local ports in the proportion of their weights; without any, answer them 503."""
        with self._condition:
            self._targets = WeightedTargets(weights)

    def responses(self, target_port: int) -> ResponseCount:
        """Return how many HTTP responses a target has sent since the first connection to it."""
        with self._condition:
            errors = self._responses[target_port, True]
            return ResponseCount(total=errors + self._responses[target_port, False], errors=errors)

    def drain(self, target_port: int, timeout: float) -> bool:
        """Wait until no connection to a port is left; return False at the timeout."""
        with self._condition:
            return self._condition.wait_for(lambda: not self._connections[target_port], timeout=timeout)

    def close(self) -> None:
        """Free the port, close all connections and wait for their threads."""
        self._closed.set()
        with contextlib.suppress(OSError):  # only a connection wakes the thread in accept()
            socket.create_connection((self._host, self.port), timeout=_CONNECT_SECONDS).close()
        self._acceptor.join(timeout=_CONNECT_SECONDS)
        with self._condition:
            threads = tuple(self._threads)
            for connection in self._sockets:
                _shut_down(connection)
        for thread in threads:
            thread.join(timeout=_CONNECT_SECONDS + _LINGER_SECONDS)

    def _accept_all(self) -> None:
        with self._listener:
            while not self._closed.is_set():
                try:
                    client, _ = self._listener.accept()
                except OSError:  # no file descriptors left, or the client has disconnected
                    self._closed.wait(_ACCEPT_RETRY_SECONDS)
                    continue
                try:
                    self._start_thread(functools.partial(self._serve, client))
                except RuntimeError:  # no thread could be started: refuse this client
                    client.close()

    def _serve(self, client: socket.socket) -> None:
        with self._track(client), self._count_connection() as target_port:
            try:
                server = socket.create_connection(("127.0.0.1", target_port or 0), timeout=_CONNECT_SECONDS)
            except OSError:
                _send_unavailable(client)
                return
            server.settimeout(None)
            with self._track(server):
                self._forward(client, server, functools.partial(self._count_response, target_port or 0))

    def _forward(self, client: socket.socket, server: socket.socket, count: Callable[[bool], None]) -> None:
        observer = ResponseObserver(count)
        try:
            response_thread = self._start_thread(lambda: _copy_stream(server, client, observer.see_response))
        except RuntimeError:  # no thread could be started: drop this client
            return
        _copy_stream(client, server, observer.see_request)
        response_thread.join()

    def _count_response(self, target_port: int, is_error: bool) -> None:  # noqa: FBT001 - called by an observer alone
        with self._condition:
            self._responses[target_port, is_error] += 1

    @contextlib.contextmanager
    def _count_connection(self) -> Iterator[int | None]:
        """Return the target and count the connection, under one lock so that `drain` misses none."""
        with self._condition:
            target_port = self._targets.next()
            self._connections[target_port or 0] += 1
        try:
            yield target_port
        finally:
            with self._condition:
                self._connections[target_port or 0] -= 1
                self._condition.notify_all()

    @contextlib.contextmanager
    def _track(self, connection: socket.socket) -> Iterator[None]:
        """Register a connection for `close` until it is closed."""
        with connection:
            with self._condition:
                self._sockets.add(connection)
                if self._closed.is_set():
                    _shut_down(connection)
            try:
                yield
            finally:
                with self._condition:
                    self._sockets.discard(connection)

    def _start_thread(self, work: Callable[[], None]) -> threading.Thread:
        """Run a function in a thread that `close` waits for."""
        thread = threading.Thread(target=self._run_thread, args=(work,), name=f"proxy-{self.port}", daemon=True)
        with self._condition:  # `close` joins registered threads, which must have been started
            thread.start()
            self._threads.add(thread)
        return thread

    def _run_thread(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self._condition:
                self._threads.discard(threading.current_thread())


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=_BACKLOG)
    except OSError:
        return socket.create_server((host, 0), backlog=_BACKLOG)


def _copy_stream(source: socket.socket, sink: socket.socket, see: Callable[[bytes], None]) -> None:
    """Copy bytes from source to sink until the source ends, then end the sink's sending side; show each chunk."""
    try:
        while chunk := source.recv(_CHUNK_BYTES):
            see(chunk)
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        _shut_down(source)
        _shut_down(sink)


def _shut_down(connection: socket.socket) -> None:
    """Shut a connection down in both directions, which wakes threads that wait on it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _send_unavailable(client: socket.socket) -> None:
    """Send a 503 response, and read the rest of the request: closing with unread bytes could destroy the response."""
    deadline = time.monotonic() + _LINGER_SECONDS
    client.settimeout(_LINGER_SECONDS)
    with contextlib.suppress(OSError):
        client.sendall(_UNAVAILABLE_RESPONSE)
        client.shutdown(socket.SHUT_WR)
        while client.recv(_CHUNK_BYTES) and time.monotonic() < deadline:
            pass
