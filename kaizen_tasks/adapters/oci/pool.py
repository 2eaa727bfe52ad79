"""A connection pool on http.client, not urllib3: see docs/decisions/0019-registry-requests-use-http-client.md."""

from __future__ import annotations

import select
import socket
import string
import struct
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead, InvalidURL
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urlsplit

from kaizen_tasks.adapters.network.connections import open_connection
from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.ports.attempts import attempt_seconds

if TYPE_CHECKING:
    from email.message import Message

CHUNK_BYTES = 1 << 20
CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 60.0
MAX_IDLE_CONNECTIONS = 64  # limit per host; connections above it are closed
IdleConnections = dict[tuple[str, str], deque[HTTPConnection]]


class ConnectionPool:
    """Keep-alive connections by host, each for one request at a time. Safe to use from several threads.

    Args:
        network: proxies, and trusted certificates.
    """

    def __init__(self, network: NetworkSettings) -> None:
        self._network = network
        self._idle: IdleConnections = {}
        weakref.finalize(self, _close_all, self._idle)

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | Iterator[bytes]
    ) -> PooledResponse:
        """Send one request, and return the response once its headers have arrived.

        Args:
            method: the HTTP method.
            url: an absolute http or https URL.
            headers: request headers, with `Content-Length` if the body is a stream.
            body: the request's body.

        Raises:
            HTTPException: the URL or the response is invalid.
            OSError: the connection fails.
            Locked: the change that the request is a part of must not go on; nothing more is sent.
        """
        parts = urlsplit(url)
        connection = self._acquire(parts)
        try:
            _limit_timeout(connection)
            content = body or None if isinstance(body, bytes) else _limited_chunks(connection, body)
            with suppress(BrokenPipeError, ConnectionResetError):  # a server may reject the body, respond and close
                connection.request(method, _request_target(parts), body=content, headers=dict(headers))
            _limit_timeout(connection)
            response = connection.getresponse()
        except BaseException:
            _abort(connection)
            raise
        return PooledResponse(response, lambda is_drained: self._release(parts, connection, is_drained=is_drained))

    def _acquire(self, parts: SplitResult) -> HTTPConnection:
        """Return an idle connection that is still open, or a new one."""
        idle = self._idle.get(parts[:2])
        while idle:
            with suppress(IndexError):  # another thread took it
                connection = idle.pop()
                if not _is_closed_by_peer(connection):
                    return connection
                connection.close()
        return self._connect(parts)

    def _connect(self, parts: SplitResult) -> HTTPConnection:
        try:
            timeout = min(CONNECT_TIMEOUT_SECONDS, attempt_seconds())
            return open_connection(parts, self._network, timeout=timeout)
        except OSError:  # some are also ValueErrors
            raise
        except ValueError as error:  # an invalid port or host name
            raise InvalidURL(f"{parts.geturl()!r}: {error}") from error

    def _release(self, parts: SplitResult, connection: HTTPConnection, *, is_drained: bool) -> None:
        """Keep a connection for reuse if it is open and its response was read completely; otherwise close it."""
        idle = self._idle.setdefault(parts[:2], deque())
        if is_drained and connection.sock is not None and len(idle) < MAX_IDLE_CONNECTIONS:
            idle.append(connection)
        else:
            connection.close()


class PooledResponse:
    """A response whose body is read on demand.

    Args:
        response: the response, its headers already read.
        on_close: called once; the argument is whether the whole body was read.

    Attributes:
        status: the HTTP status.
        headers: the response headers; names are case-insensitive.
    """

    def __init__(self, response: HTTPResponse, on_close: Callable[[bool], None]) -> None:
        self.status = response.status
        self.headers: Message = response.headers
        self._response = response
        self._on_close: Callable[[bool], None] | None = on_close

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the rest of the body in chunks.

        Raises:
            HTTPException: the body is shorter than announced.
            OSError: the connection breaks.
        """
        try:
            while chunk := self._response.read(CHUNK_BYTES):
                yield chunk
            if self._response.length:
                raise IncompleteRead(b"", self._response.length)
        finally:
            self.close()

    def body(self) -> bytes:
        """Return the rest of the body; raise what `chunks` raises."""
        return b"".join(self.chunks())

    def drain(self) -> None:
        """Read and discard the rest of the body, so that the connection can be reused."""
        with suppress(HTTPException, OSError):
            self.body()

    def close(self) -> None:
        """Give the connection back to the pool, which reuses it only if the whole body was read."""
        on_close, self._on_close = self._on_close, None
        if on_close:
            is_drained = self._response.isclosed()
            self._response.close()
            on_close(is_drained)


def _limit_timeout(connection: HTTPConnection) -> None:
    """Limit what is done next on a connection to the time that is left; raise if a change must not go on."""
    seconds = min(READ_TIMEOUT_SECONDS, attempt_seconds())
    if connection.sock is not None:
        connection.sock.settimeout(seconds)


def _limited_chunks(connection: HTTPConnection, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks of a body, each of which has to be sent within the time that is left then."""
    for chunk in chunks:
        _limit_timeout(connection)
        yield chunk


def _abort(connection: HTTPConnection) -> None:
    """Close a connection and discard what was not delivered, which the kernel would go on sending for minutes."""
    with suppress(OSError):
        if connection.sock is not None:
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _request_target(parts: SplitResult) -> str:
    """Return the target of a request line, path and query, with invalid characters quoted."""
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return quote(target, safe=string.punctuation)


def _is_closed_by_peer(connection: HTTPConnection) -> bool:
    """Return whether the peer has closed an idle connection: only then is the connection readable."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _close_all(idle: IdleConnections) -> None:
    for connections in idle.values():
        for connection in connections:
            connection.close()
