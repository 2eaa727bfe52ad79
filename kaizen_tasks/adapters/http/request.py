"""One HTTP request with a size limit. Import this late: urllib3 loads slowly."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException, IncompleteRead
from typing import TYPE_CHECKING, Any

from attrs import evolve
from urllib3 import HTTPHeaderDict, PoolManager, ProxyManager, exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import parse_url

from kaizen_tasks.adapters.network.failures import has_no_route, network_error, proxy_refusal, unreachable_proxy
from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.domain.health import ProbeRequest, ProbeResponse
from kaizen_tasks.errors import KaizenError

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse


_HEADERS = {
    "User-Agent": "kaizen-tasks",
    "Accept": "*/*",
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",  # for caches that speak HTTP/1.0
    "Connection": "close",
}

AddressRule = Callable[[str], None]
"""Raises a KaizenError for an IP address to which no connection may be made."""

MIN_SECONDS_FOR_DIAGNOSIS = 2.0
"""The shortest timeout after which a proxy or name server that has not answered is what failed, and not the app."""

NO_ADDRESS_REMEDY = "check whether this machine can resolve names, and the name of the host"
NO_ROUTE_REMEDY = "connect this machine to a network that leads to the host"


class BoundedRequest:
    """One HTTP request; `response` is set once `run` has returned.

    Args:
        url: an http or https URL.
        request: method, headers and body.
        timeout: seconds for each operation on the socket.
        limit: maximum bytes of the body.
        network: proxies, and trusted certificates.
        require_address: see `HttpProber`.
    """

    def __init__(
        self,
        url: str,
        request: ProbeRequest,
        *,
        timeout: float,
        limit: int,
        network: NetworkSettings,
        require_address: AddressRule | None = None,
    ) -> None:
        self.response = ProbeResponse(error="cannot be reached")
        self._timeout_message = f"does not answer within {timeout:g}s"
        self.url = url
        self._request = request
        self._timeout = timeout
        self._limit = limit
        self._network = network
        self._require_address = require_address
        self._has_address = False
        self._received_status = 0
        self._sockets: list[socket.socket] = []
        self._cancel_event = threading.Event()

    def run(self) -> None:
        """Send the request, and store the app's response or the error in the attribute `response`."""
        try:
            with _pool_manager(self.url, self._network) as manager:
                self.response = self._send(manager)
        except KaizenError as error:  # of a proxy's variable, or of the rule for addresses
            self.response = _response_to_network_error(error)
        except exceptions.NewConnectionError as error:  # a subclass of TimeoutError in urllib3
            self.response = self._response_to(error)
        except (exceptions.TimeoutError, TimeoutError):
            self.response = self.timeout_response
        except (exceptions.HTTPError, OSError, ValueError) as error:
            self.response = self._response_to(error)
        finally:
            self.response = evolve(self.response, received_status=self._received_status)
            for handle in self._sockets:
                handle.close()

    @property
    def timeout_response(self) -> ProbeResponse:
        """What stands for a response after the timeout: who has not answered depends on how far the request got."""
        return evolve(self._explain_timeout(), received_status=self._received_status)

    def _explain_timeout(self) -> ProbeResponse:
        if self._sockets or self._timeout < MIN_SECONDS_FOR_DIAGNOSIS:
            return ProbeResponse(error=self._timeout_message)
        if proxy := self._network.proxy(self.url):
            return _response_to_network_error(unreachable_proxy(proxy, self._timeout_message))
        if self._has_address:
            return ProbeResponse(error=self._timeout_message)
        error = f"has no address within {self._timeout:g}s: {parse_url(self.url).host}"
        return ProbeResponse(error=error, network_remedy=NO_ADDRESS_REMEDY)

    def _response_to(self, error: Exception) -> ProbeResponse:
        if failure := network_error(error, self.url, self._network):
            return _response_to_network_error(failure)
        remedy = NO_ADDRESS_REMEDY if isinstance(error, exceptions.NameResolutionError) else ""
        if has_no_route(error, parse_url(self.url).host or ""):
            remedy = NO_ROUTE_REMEDY
        return ProbeResponse(error=explain(error), network_remedy=remedy)

    def cancel(self) -> None:
        """Shut the request's connections down, so that `run` returns soon in its thread."""
        self._cancel_event.set()
        for handle in tuple(self._sockets):
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

    def register_address(self) -> None:
        """Remember that the host to connect to, the app's or the proxy's, has an address."""
        self._has_address = True

    def require_addresses(self, addresses: Iterable[str]) -> None:
        """Check the addresses of the host, unless a proxy resolves its name, with the rule that the caller gave."""
        if self._require_address and not self._network.proxy(self.url):
            for address in addresses:
                self._require_address(address)

    def register_socket(self, sock: socket.socket) -> None:
        """Remember a socket for `cancel`; shut it down at once if the request has been cancelled.

        A duplicate of the socket is kept, because TLS detaches the original.
        """
        self._sockets.append(sock.dup())
        if self._cancel_event.is_set():
            self.cancel()

    def _send(self, manager: PoolManager) -> ProbeResponse:
        _check_connections(manager, self)
        headers = HTTPHeaderDict(_HEADERS)
        headers.update(self._request.headers)  # replaces defaults, ignoring case
        response = manager.request(
            self._request.method,
            self.url,
            body=self._request.body or None,
            headers=headers,
            timeout=self._timeout,
            retries=False,
            redirect=False,
            preload_content=False,
        )
        self._received_status = response.status
        try:
            return self._read(response)
        finally:
            response.close()

    def _read(self, response: BaseHTTPResponse) -> ProbeResponse:
        proxy = self._network.proxy(self.url) if self.url.startswith("http://") else None
        if proxy and response.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            return _response_to_network_error(proxy_refusal(response.status, proxy, self.url))
        body = response.read(self._limit + 1, decode_content=True)
        error = f"answers more than {self._limit} bytes" if len(body) > self._limit else ""
        headers = {name.lower(): response.headers[name] for name in response.headers}
        return ProbeResponse(status=response.status, body=body[: self._limit], error=error, headers=headers)


def _response_to_network_error(error: KaizenError) -> ProbeResponse:
    """Return what stands for a response to a request that this machine's network or its settings kept from the app."""
    reasons = "; ".join(filter(None, (error.message, error.state)))
    return ProbeResponse(error=f"cannot be reached: {reasons}", network_remedy=error.hint)


def explain(error: BaseException) -> str:
    """Return in a few words why there is no response, such as `refuses the connection`."""
    if isinstance(error, exceptions.NameResolutionError):
        return f"has no address: {error.conn.host}"
    cause = _cause(error)
    if isinstance(error, (exceptions.NewConnectionError, exceptions.ProtocolError)) and cause:
        return explain(cause)
    descriptions = (describe(error) for kind, describe in _MESSAGES if isinstance(error, kind))
    return next(descriptions, f"cannot be reached: {error}")


def _cause(error: BaseException) -> BaseException | None:
    """Return the error that urllib3 has wrapped, as the cause or an argument of its own error; None without one."""
    return error.__cause__ or next((argument for argument in error.args if isinstance(argument, BaseException)), None)


class _CheckedConnection(HTTPConnection):
    """A connection that registers each address and new socket with its request: urllib3 exposes them too late."""

    def __init__(self, *arguments: Any, bounded_request: BoundedRequest, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._bounded_request = bounded_request

    def _new_conn(self) -> socket.socket:
        """Return a socket that is connected to an address that was checked: the name is not resolved again."""
        name = self._dns_host
        try:
            found = socket.getaddrinfo(name, self.port, type=socket.SOCK_STREAM)
        except OSError:
            sock = super()._new_conn()  # urllib3 explains what fails
        else:
            self._bounded_request.register_address()
            addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
            self._bounded_request.require_addresses(addresses)
            sock = self._connect_first(addresses, name)
        self._bounded_request.register_socket(sock)
        return sock

    def _connect_first(self, addresses: list[str], name: str) -> socket.socket:
        """Return a socket that is connected to the first address that answers."""
        failure: exceptions.HTTPError | None = None
        try:
            for address in addresses:
                self._dns_host = address
                try:
                    return super()._new_conn()
                except (exceptions.ConnectTimeoutError, exceptions.NewConnectionError) as error:
                    failure = error
        finally:
            self._dns_host = name  # for TLS and the header Host
        assert failure is not None  # names without an address raise an error
        raise failure


class _CheckedTlsConnection(_CheckedConnection, HTTPSConnection):
    """The same with TLS."""


def _check_connections(manager: PoolManager, bounded_request: BoundedRequest) -> None:
    """Let a manager make connections that register with a request."""
    pool = manager.connection_from_url(bounded_request.url)
    pool.ConnectionCls = _CheckedTlsConnection if pool.scheme == "https" else _CheckedConnection
    pool.conn_kw["bounded_request"] = bounded_request


def _pool_manager(url: str, network: NetworkSettings) -> PoolManager:
    scheme = parse_url(url).scheme
    if scheme not in {"http", "https"}:
        raise exceptions.LocationValueError(f"{url!r} begins with neither http:// nor https://")
    proxy = network.proxy(url)
    needs_tls = scheme == "https" or (proxy and proxy.scheme == "https")
    context = network.tls_context if needs_tls else None
    if proxy is None:
        return PoolManager(ssl_context=context)
    return ProxyManager(
        f"{proxy.scheme}://{proxy.host}:{proxy.port}",
        proxy_headers=proxy.auth_headers,
        proxy_ssl_context=context,
        ssl_context=context,
    )


def _tls_message(error: BaseException) -> str:
    """Return OpenSSL's message without its file and line."""
    cause = error.args[0] if error.args else error
    if isinstance(cause, ssl.SSLError) and cause.reason:
        return f"TLS: {cause.reason.replace('_', ' ').lower()}"
    return f"TLS: {cause}"


# The first match is used, so subclasses come before their base classes.
_MESSAGES: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Callable[[BaseException], str]], ...] = (
    (exceptions.SSLError, _tls_message),
    (exceptions.LocationValueError, "is not a valid URL: {}".format),
    (exceptions.DecodeError, lambda _: "sends a response that cannot be decompressed"),
    ((exceptions.IncompleteRead, IncompleteRead), lambda _: "ends its response too early"),
    (ConnectionRefusedError, lambda _: "refuses the connection"),
    (ConnectionError, lambda _: "resets the connection"),
    ((exceptions.ProtocolError, HTTPException), lambda _: "does not answer in HTTP"),
    (OSError, lambda error: f"cannot be reached: {getattr(error, 'strerror', '') or error}"),
)
