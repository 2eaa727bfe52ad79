"""Connections to registries and their storage, kept for the next request, and the replies that come over them.

docs/decisions/0019-registries-are-spoken-to-plainly.md
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

CHUNK = 1 << 20
CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 60.0
KEPT = 64
"""Idle connections to one host; those beyond are closed."""

Idle = dict[tuple[str, str], deque[HTTPConnection]]


class Connections:
    """Connections to whoever is asked, each for one request at a time. Safe to use from several threads."""

    def __init__(self) -> None:
        self._idle: Idle = {}
        weakref.finalize(self, _close_all, self._idle)

    def exchange(
        self, method: str, address: str, *, headers: Mapping[str, str], body: bytes | Iterator[bytes]
    ) -> Reply:
        """Send one request, and return the reply once its head is there.

        Args:
            method: of HTTP.
            address: a whole one, http or https.
            headers: of the request; `Content-Length` among them where the body is a stream.
            body: of the request.

        Raises:
            HTTPException: the address or the reply is none.
            OSError: the connection is not made, or breaks.
        """
        parts = urlsplit(address)
        connection = self._taken(parts)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # who refuses a body may say why before it hangs up
                connection.request(method, _target(parts), body=body or None, headers=dict(headers))
            response = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        return Reply(response, lambda whole: self._returned(parts, connection, whole=whole))

    def _taken(self, parts: SplitResult) -> HTTPConnection:
        """Take a connection that still stands, or make one."""
        idle = self._idle.get(parts[:2])
        while idle:
            with suppress(IndexError):  # another thread was faster
                connection = idle.pop()
                if not _hung_up(connection):
                    return connection
                connection.close()
        return self._made(parts)

    def _made(self, parts: SplitResult) -> HTTPConnection:
        try:
            connection = self._unconnected(parts)
            connection.connect()
        except OSError:  # some of which are ValueErrors, too
            raise
        except ValueError as error:  # a port that is no number, a name that cannot be looked up
            raise InvalidURL(f"{parts.geturl()!r}: {error}") from error
        connection.sock.settimeout(READ_TIMEOUT)
        return connection

    def _unconnected(self, parts: SplitResult) -> HTTPConnection:
        if not parts.hostname:
            raise InvalidURL(f"{parts.geturl()!r} names no host")
        if parts.scheme == "https":
            port = parts.port or HTTPS_PORT  # without one, the end of an IPv6 address is taken for it
            return HTTPSConnection(parts.hostname, port, timeout=CONNECT_TIMEOUT, context=self._tls)
        if parts.scheme == "http":
            return HTTPConnection(parts.hostname, parts.port or HTTP_PORT, timeout=CONNECT_TIMEOUT)
        raise InvalidURL(f"{parts.geturl()!r} begins with neither http:// nor https://")

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """What the system trusts, read once."""
        import ssl

        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _returned(self, parts: SplitResult, connection: HTTPConnection, *, whole: bool) -> None:
        """Keep a connection, unless its reply was not read to the end or one of both sides wants no more."""
        idle = self._idle.setdefault(parts[:2], deque())
        if whole and connection.sock is not None and len(idle) < KEPT:
            idle.append(connection)
        else:
            connection.close()


class Reply:
    """What came back: status and headers at once, the body when it is asked for.

    Args:
        response: whose head has been read.
        release: is called once, and told whether the whole body was read.

    Attributes:
        status: of HTTP.
        headers: whatever the case of their names.
    """

    def __init__(self, response: HTTPResponse, release: Callable[[bool], None]) -> None:
        self.status = response.status
        self.headers: Message = response.headers
        self._response = response
        self._release: Callable[[bool], None] | None = release

    def chunks(self) -> Generator[bytes, None, None]:
        """Read what is left of the body piece by piece.

        Raises:
            HTTPException: there is less than was announced.
            OSError: the connection breaks.
        """
        try:
            while chunk := self._response.read(CHUNK):
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
        release, self._release = self._release, None
        if release:
            whole = self._response.isclosed()
            self._response.close()
            release(whole)


def _target(parts: SplitResult) -> str:
    """Return what a request line asks for; what cannot stand there is quoted."""
    asked = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return quote(asked, safe=string.punctuation)


def _hung_up(connection: HTTPConnection) -> bool:
    """Return whether the other side has closed a connection: nothing else can be read of an idle one."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _close_all(idle: Idle) -> None:
    for connections in idle.values():
        for each in connections:
            each.close()
