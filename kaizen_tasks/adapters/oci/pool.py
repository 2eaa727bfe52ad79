"""A connection pool on http.client, not urllib3: see docs/decisions/0019-registry-requests-use-http-client.md."""

from __future__ import annotations

import select
import socket
import string
import struct
import time
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead, InvalidURL
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from kaizen_tasks.adapters.network.connections import open_connection, raw_socket
from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.adapters.oci.watchdog import Watchdog
from kaizen_tasks.ports.attempts import attempt_seconds

if TYPE_CHECKING:
    from email.message import Message

CHUNK_BYTES = 1 << 20
CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 60.0
REQUEST_SECONDS = 60.0  # for the whole request, plus the time that its bytes take at the lowest rate
MIN_BYTES_PER_SECOND = 1 << 14
MAX_DRAINED_BYTES = 1 << 16  # to read more costs more than a new connection
MAX_IDLE_CONNECTIONS = 64  # limit per host; connections above it are closed
IdleConnections = dict[str, deque[HTTPConnection]]


class ConnectionPool:
    """Keep-alive connections by host, each for one request at a time. Safe to use from several threads.

    Args:
        network: proxies, and trusted certificates.
    """

    def __init__(self, network: NetworkSettings) -> None:
        self._network = network
        self._idle: IdleConnections = {}
        self._watchdog = Watchdog()
        weakref.finalize(self, _close_all, self._idle)

    def request(
        self, method: str, origin: str, target: str, *, headers: Mapping[str, str], body: bytes | Iterator[bytes]
    ) -> PooledResponse:
        """Send one request, and return the response once its headers have arrived.

        Args:
            method: the HTTP method.
            origin: `http://HOST:PORT` or `https://HOST`.
            target: path and query.
            headers: request headers, with `Content-Length` if the body is a stream.
            body: the request's body.

        Raises:
            HTTPException: the URL or the response is invalid.
            OSError: the connection fails, or the request takes too long.
            Locked: the change that the request is a part of must not go on; nothing more is sent.
        """
        connection = self._acquire(origin)
        transfer = _Transfer(self._watchdog, connection)
        try:
            transfer.begin(min(REQUEST_SECONDS, _limit_timeout(connection)))
            content = body or None if isinstance(body, bytes) else _limited_chunks(connection, body, transfer)
            with suppress(BrokenPipeError, ConnectionResetError):  # a server may reject the body, respond and close
                connection.request(method, quote(target, safe=string.punctuation), body=content, headers=dict(headers))
            if not isinstance(body, bytes):
                _limit_timeout(connection)
            response = connection.getresponse()
        except BaseException as error:
            _abort(connection)
            transfer.end(error)
            raise
        on_close = partial(self._release, origin, connection)
        return PooledResponse(response, transfer, on_close)

    def _acquire(self, origin: str) -> HTTPConnection:
        """Return an idle connection that is still open, or a new one."""
        idle = self._idle.get(origin)
        while idle:
            with suppress(IndexError):  # another thread took it
                connection = idle.pop()
                if not _is_closed_by_peer(connection):
                    return connection
                connection.close()
        return self._connect(origin)

    def _connect(self, origin: str) -> HTTPConnection:
        try:
            timeout = min(CONNECT_TIMEOUT_SECONDS, attempt_seconds())
            return open_connection(urlsplit(origin), self._network, timeout=timeout)
        except OSError:  # some are also ValueErrors
            raise
        except ValueError as error:  # an invalid port or host name
            raise InvalidURL(f"{origin!r}: {error}") from error

    def _release(self, origin: str, connection: HTTPConnection, is_drained: bool) -> None:  # noqa: FBT001
        """Keep a connection for reuse if it is open and its response was read completely; otherwise close it."""
        idle = self._idle.setdefault(origin, deque())
        if is_drained and connection.sock is not None and len(idle) < MAX_IDLE_CONNECTIONS:
            idle.append(connection)
        else:
            connection.close()


class BodyTooLargeError(HTTPException):
    """The body of a response is larger than what is read of it."""


class _Transfer:
    """The time that one request and its response take: the watchdog ends a transfer that is too slow."""

    def __init__(self, watchdog: Watchdog, connection: HTTPConnection) -> None:
        self._watchdog = watchdog
        self._sock: socket.socket = raw_socket(connection)
        self._deadline = 0.0

    def begin(self, seconds: float) -> None:
        """Start the time of the request."""
        self._deadline = time.monotonic() + seconds
        self._watchdog.watch(self._sock, seconds)

    def extend(self, byte_count: int) -> None:
        """Allow more time, for bytes that were transferred."""
        self._deadline += byte_count / MIN_BYTES_PER_SECOND
        self._watchdog.watch(self._sock, self._deadline - time.monotonic())

    def end(self, error: BaseException | None) -> None:
        """Stop the time; raise TimeoutError if it was up, which is then the reason for the error."""
        is_expired = self._watchdog.is_expired(self._sock)
        self.release()
        if is_expired:
            raise TimeoutError("the request takes too long") from error

    def release(self) -> None:
        """Stop the time."""
        self._watchdog.release(self._sock)


class PooledResponse:
    """A response whose body is read on demand.

    Args:
        response: the response, its headers already read.
        transfer: the time that the request takes.
        on_close: called once; the argument is whether the whole body was read.

    Attributes:
        status: the HTTP status.
        headers: the response headers; names are case-insensitive.
    """

    def __init__(self, response: HTTPResponse, transfer: _Transfer, on_close: Callable[[bool], None]) -> None:
        self.status = response.status
        self.headers: Message = response.headers
        self._response = response
        self._transfer = transfer
        self._on_close: Callable[[bool], None] | None = on_close

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the rest of the body in chunks.

        Raises:
            HTTPException: the body is shorter than announced.
            OSError: the connection breaks, or the body takes too long.
        """
        try:
            while chunk := self._read():
                self._transfer.extend(len(chunk))
                yield chunk
            if self._response.length:
                raise IncompleteRead(b"", self._response.length)
        finally:
            self.close()

    def _read(self) -> bytes:
        try:
            chunk = self._response.read(CHUNK_BYTES)
        except (HTTPException, OSError) as error:
            self._transfer.end(error)
            raise
        if not chunk:
            self._transfer.end(None)  # a connection that was shut down looks like the end of the body
        return chunk

    def body(self, *, limit: int) -> bytes:
        """Return the rest of the body.

        Args:
            limit: maximum number of bytes.

        Raises:
            BodyTooLargeError: the body is larger.
            HTTPException: the body is shorter than announced.
            OSError: the connection breaks, or the body takes too long.
        """
        content = bytearray()
        with closing(self.chunks()) as chunks:
            for chunk in chunks:
                content += chunk
                if len(content) > limit:
                    raise BodyTooLargeError(f"it sends more than {limit:,} bytes")
        return bytes(content)

    def drain(self) -> None:
        """Read and discard the rest of the body, so that the connection can be reused; a large rest closes it."""
        if self._response.length == 0:  # as of most responses to a change
            self._response.read()
            self.close()
            return
        with suppress(HTTPException, OSError):
            self.body(limit=MAX_DRAINED_BYTES)

    def close(self) -> None:
        """Give the connection back to the pool, which reuses it only if the whole body was read."""
        on_close, self._on_close = self._on_close, None
        if on_close:
            is_drained = self._response.isclosed()
            self._response.close()
            self._transfer.release()
            on_close(is_drained)


def _limit_timeout(connection: HTTPConnection) -> float:
    """Limit what is done next on a connection to the time that is left, and return it; raise if nothing may go on."""
    seconds = min(READ_TIMEOUT_SECONDS, attempt_seconds())
    if connection.sock is not None:
        connection.sock.settimeout(seconds)
    return seconds


def _limited_chunks(connection: HTTPConnection, chunks: Iterator[bytes], transfer: _Transfer) -> Iterator[bytes]:
    """Yield the chunks of a body, each of which has to be sent within the time that is left then."""
    for chunk in chunks:
        _limit_timeout(connection)
        transfer.extend(len(chunk))
        yield chunk


def _abort(connection: HTTPConnection) -> None:
    """Close a connection and discard what was not delivered, which the kernel would go on sending for minutes."""
    with suppress(OSError):
        if connection.sock is not None:
            raw_socket(connection).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _is_closed_by_peer(connection: HTTPConnection) -> bool:
    """Return whether the peer has closed an idle connection: only then is the connection readable."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _close_all(idle: IdleConnections) -> None:
    for connections in idle.values():
        for connection in connections:
            connection.close()
