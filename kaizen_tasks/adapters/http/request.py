"""One question over HTTP and its answer, or in plain words why there is none.

Only `http.py` imports this module, when it asks: urllib3 takes its time to load.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from contextlib import suppress
from http.client import HTTPException, IncompleteRead
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

from urllib3 import HTTPHeaderDict, PoolManager, ProxyManager, exceptions
from urllib3.util import parse_url

from kaizen_tasks.domain.health import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from urllib3.response import BaseHTTPResponse

    from kaizen_tasks.domain.health import Question

_HEADERS = {"User-Agent": "kaizen-tasks", "Accept": "*/*", "Cache-Control": "no-cache", "Connection": "close"}


class Exchange:
    """One question, and its answer once `run` has returned.

    Args:
        url: what to ask.
        question: how.
        timeout: seconds, for each operation on the socket.
        limit: bytes of the body, at most.
    """

    def __init__(self, url: str, question: Question, *, timeout: float, limit: int) -> None:
        self.answer = Answer(fault="cannot be asked")
        self.silence = f"does not answer within {timeout:g}s"
        self.url = url
        self._question = question
        self._timeout = timeout
        self._limit = limit
        self._handles: list[socket.socket] = []
        self._abandoned = threading.Event()

    def run(self) -> None:
        """Ask, and keep the answer or why there is none."""
        try:
            with _manager(self.url) as manager:
                self.answer = self._ask(manager)
        except exceptions.NewConnectionError as error:  # before timeouts, of which urllib3 takes it for one
            self.answer = Answer(fault=explain(error))
        except (exceptions.TimeoutError, TimeoutError):
            self.answer = Answer(fault=self.silence)
        except (exceptions.HTTPError, OSError, ValueError) as error:
            self.answer = Answer(fault=explain(error))
        finally:
            for each in self._handles:
                each.close()

    def abandon(self) -> None:
        """Cut the connection, so that the thread ends soon."""
        self._abandoned.set()
        for each in tuple(self._handles):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def note(self, connected: socket.socket) -> None:
        """Keep a handle on a socket of this question, or cut it at once when nobody waits any more.

        It is a duplicate, because TLS takes the socket itself away.
        """
        self._handles.append(connected.dup())
        if self._abandoned.is_set():
            self.abandon()

    def _ask(self, manager: PoolManager) -> Answer:
        _watch(manager, self)
        headers = HTTPHeaderDict(_HEADERS)
        headers.update(self._question.headers)  # whatever their case
        response = manager.request(
            self._question.method,
            self.url,
            body=self._question.body or None,
            headers=headers,
            timeout=self._timeout,
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            return self._read(response)
        finally:
            response.close()

    def _read(self, response: BaseHTTPResponse) -> Answer:
        body = response.read(self._limit + 1, decode_content=True)
        fault = f"answers more than {self._limit} bytes" if len(body) > self._limit else ""
        headers = {name.lower(): response.headers[name] for name in response.headers}
        return Answer(status=response.status, body=body[: self._limit], fault=fault, headers=headers)


def explain(error: BaseException) -> str:
    """Return in a few words, for people, why there is no answer."""
    if isinstance(error, exceptions.ProxyError):
        return f"cannot be asked through the proxy, which {explain(error.original_error)}"
    if isinstance(error, exceptions.NameResolutionError):
        return f"has no address: {error.conn.host}"
    cause = _cause(error)
    if isinstance(error, (exceptions.NewConnectionError, exceptions.ProtocolError)) and cause:
        return explain(cause)
    return next((say(error) for kind, say in _WORDS if isinstance(error, kind)), f"cannot be asked: {error}")


def _cause(error: BaseException) -> BaseException | None:
    """Return what urllib3 has wrapped: sometimes it is chained, sometimes an argument."""
    return error.__cause__ or next((each for each in error.args if isinstance(each, BaseException)), None)


def _watch(manager: PoolManager, exchange: Exchange) -> None:
    """Have every socket noted as soon as it is there: urllib3 hands out none before the answer has begun."""
    pool = manager.connection_from_url(exchange.url)

    class Watched(pool.ConnectionCls):  # type: ignore[name-defined,misc]  # http or https: known at run time
        def _new_conn(self) -> socket.socket:
            connected: socket.socket = super()._new_conn()
            exchange.note(connected)
            return connected

    pool.ConnectionCls = Watched


def _manager(url: str) -> PoolManager:
    address = parse_url(url)
    if address.scheme not in {"http", "https"}:
        raise exceptions.LocationValueError(f"{url!r} begins with neither http:// nor https://")
    host = (address.host or "").strip("[]")
    proxy = "" if _is_loopback(host) or proxy_bypass(host) else getproxies().get(address.scheme or "", "")
    return ProxyManager(proxy) if proxy else PoolManager()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _tls(error: BaseException) -> str:
    """Return what OpenSSL said, without its file and line."""
    cause = error.args[0] if error.args else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"TLS: certificate verify failed: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError) and cause.reason:
        return f"TLS: {cause.reason.replace('_', ' ').lower()}"
    return f"TLS: {cause}"


# The first that fits speaks, so the narrower kinds stand before the wider ones.
_WORDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Callable[[BaseException], str]], ...] = (
    (exceptions.SSLError, _tls),
    (exceptions.LocationValueError, "is no address: {}".format),
    (exceptions.DecodeError, lambda _: "answers with a compression that does not decode"),
    ((exceptions.IncompleteRead, IncompleteRead), lambda _: "breaks off its answer"),
    (ConnectionRefusedError, lambda _: "refuses the connection"),
    (ConnectionError, lambda _: "resets the connection"),
    ((exceptions.ProtocolError, HTTPException), lambda _: "does not answer in HTTP"),
    (OSError, lambda error: f"cannot be reached: {getattr(error, 'strerror', '') or error}"),
)
