"""Connections to registries and their storage, kept for the next request, and the replies that come over them.

docs/decisions/0019-registry-requests-use-http-client.md
"""

from __future__ import annotations

import select
import string
import weakref
from collections import deque
from contextlib import suppress
from functools import cached_property
from http.client import (
    HTTP_PORT,
    HTTPS_PORT,
    HTTPConnection,
    HTTPException,
    HTTPSConnection,
    IncompleteRead,
    InvalidURL,
)
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Generator, Iterator, Mapping
    from email.message import Message
    from http.client import HTTPResponse

CHUNK_BYTES = 1 << 20
CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 60.0
MAX_IDLE_CONNECTIONS = 64
"""Idle connections to one host; those beyond are closed."""

IdleConnections = dict[tuple[str, str], deque[HTTPConnection]]


class ConnectionPool:
    """Connections to whoever is asked, each for one request at a time. Safe to use from several threads."""

    def __init__(self) -> None:
        self._idle: IdleConnections = {}
        weakref.finalize(self, _close_all, self._idle)

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | Iterator[bytes]
    ) -> PooledResponse:
        """Send one request, and return the reply once its head is there.

        Args:
            method: of HTTP.
            url: a whole one, http or https.
            headers: of the request; `Content-Length` among them where the body is a stream.
            body: of the request.

        Raises:
            HTTPException: the address or the reply is none.
            OSError: the connection is not made, or breaks.
        """
        parts = urlsplit(url)
        connection = self._acquire(parts)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # who refuses a body may say why before it hangs up
                connection.request(method, _request_target(parts), body=body or None, headers=dict(headers))
            response = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        return PooledResponse(response, lambda is_drained: self._release(parts, connection, is_drained=is_drained))

    def _acquire(self, parts: SplitResult) -> HTTPConnection:
        """Take a connection that still stands, or make one."""
        idle = self._idle.get(parts[:2])
        while idle:
            with suppress(IndexError):  # another thread was faster
                connection = idle.pop()
                if not _is_closed_by_peer(connection):
                    return connection
                connection.close()
        return self._connect(parts)

    def _connect(self, parts: SplitResult) -> HTTPConnection:
        try:
            connection = self._new_connection(parts)
            connection.connect()
        except OSError:  # some of which are ValueErrors, too
            raise
        except ValueError as error:  # a port that is no number, a name that cannot be looked up
            raise InvalidURL(f"{parts.geturl()!r}: {error}") from error
        connection.sock.settimeout(READ_TIMEOUT_SECONDS)
        return connection

    def _new_connection(self, parts: SplitResult) -> HTTPConnection:
        if not parts.hostname:
            raise InvalidURL(f"{parts.geturl()!r} names no host")
        if parts.scheme == "https":
            port = parts.port or HTTPS_PORT  # without one, the end of an IPv6 address is taken for it
            return HTTPSConnection(parts.hostname, port, timeout=CONNECT_TIMEOUT_SECONDS, context=self._tls_context)
        if parts.scheme == "http":
            return HTTPConnection(parts.hostname, parts.port or HTTP_PORT, timeout=CONNECT_TIMEOUT_SECONDS)
        raise InvalidURL(f"{parts.geturl()!r} begins with neither http:// nor https://")

    @cached_property
    def _tls_context(self) -> ssl.SSLContext:
        """What the system trusts, read once."""
        import ssl

        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _release(self, parts: SplitResult, connection: HTTPConnection, *, is_drained: bool) -> None:
        """Keep a connection, unless its reply was not read to the end or one of both sides wants no more."""
        idle = self._idle.setdefault(parts[:2], deque())
        if is_drained and connection.sock is not None and len(idle) < MAX_IDLE_CONNECTIONS:
            idle.append(connection)
        else:
            connection.close()


class PooledResponse:
    """What came back: status and headers at once, the body when it is asked for.

    Args:
        response: whose head has been read.
        on_close: is called once, and told whether the whole body was read.

    Attributes:
        status: of HTTP.
        headers: whatever the case of their names.
    """

    def __init__(self, response: HTTPResponse, on_close: Callable[[bool], None]) -> None:
        self.status = response.status
        self.headers: Message = response.headers
        self._response = response
        self._on_close: Callable[[bool], None] | None = on_close

    def chunks(self) -> Generator[bytes, None, None]:
        """Read what is left of the body piece by piece.

        Raises:
            HTTPException: there is less than was announced.
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
        """Read what is left of the body at once; raises what `chunks` raises."""
        return b"".join(self.chunks())

    def drain(self) -> None:
        """Read what is left and forget it, so that the connection serves again."""
        with suppress(HTTPException, OSError):
            self.body()

    def close(self) -> None:
        """Let go of the connection; one on which something is left to be read is of no more use."""
        on_close, self._on_close = self._on_close, None
        if on_close:
            is_drained = self._response.isclosed()
            self._response.close()
            on_close(is_drained)


def _request_target(parts: SplitResult) -> str:
    """Return what a request line asks for; what cannot stand there is quoted."""
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return quote(target, safe=string.punctuation)


def _is_closed_by_peer(connection: HTTPConnection) -> bool:
    """Return whether the other side has closed a connection: nothing else can be read of an idle one."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _close_all(idle: IdleConnections) -> None:
    for connections in idle.values():
        for connection in connections:
            connection.close()
