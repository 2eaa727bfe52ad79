"""Opens connections for http.client: directly, or through a proxy."""

from __future__ import annotations

from http.client import HTTP_PORT, HTTPS_PORT, HTTPConnection, HTTPSConnection, InvalidURL
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.network.failures import ProxyFailedError
from kaizen_tasks.adapters.network.proxies import Proxy
from kaizen_tasks.adapters.network.settings import NetworkSettings

if TYPE_CHECKING:
    import socket
    from urllib.parse import SplitResult


def open_connection(parts: SplitResult, network: NetworkSettings, *, timeout: float) -> HTTPConnection:
    """Return a new connection to the server of a URL.

    Args:
        parts: the parts of an http or https URL.
        network: proxies, and trusted certificates.
        timeout: seconds for each operation on the socket while connecting.

    Raises:
        ConfigurationError: a variable names no valid proxy, or no file of certificates.
        InvalidURL: the URL has no host, or neither scheme.
        OSError: the server or the proxy cannot be reached, or has an untrusted certificate.
    """
    if not parts.hostname:
        raise InvalidURL(f"{parts.geturl()!r} has no host")
    if parts.scheme not in {"http", "https"}:
        raise InvalidURL(f"{parts.geturl()!r} begins with neither http:// nor https://")
    connection: HTTPConnection
    proxy = network.proxy(parts.geturl())
    if parts.scheme == "https":
        port = parts.port or HTTPS_PORT  # without a port, http.client parses the end of an IPv6 address as one
        connection = HTTPSConnection(parts.hostname, port, timeout=timeout, context=network.tls_context)
    elif proxy:
        connection = _ForwardedConnection(parts, proxy)
    else:
        connection = HTTPConnection(parts.hostname, parts.port or HTTP_PORT, timeout=timeout)
    if proxy:
        _connect_through(proxy, connection, network, timeout=timeout)
    else:
        connection.connect()
    return connection


def raw_socket(connection: HTTPConnection) -> socket.socket:
    """Return the socket of an open connection; the one below TLS if a proxy speaks TLS itself."""
    sock: socket.socket = getattr(connection.sock, "socket", connection.sock)
    return sock


class _ForwardedConnection(HTTPConnection):
    """A connection to a proxy that forwards requests to the server of an http:// URL."""

    def __init__(self, parts: SplitResult, proxy: Proxy) -> None:
        super().__init__(parts.hostname or "", parts.port or HTTP_PORT)
        self._server = f"http://{parts.netloc.rpartition('@')[2]}"
        self._proxy = proxy

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:  # noqa: FBT001, FBT002 - the signature of http.client
        super().putrequest(method, self._server + url, skip_host, skip_accept_encoding)
        for name, value in self._proxy.auth_headers.items():
            self.putheader(name, value)


def _connect_through(proxy: Proxy, connection: HTTPConnection, network: NetworkSettings, *, timeout: float) -> None:
    """Connect to a proxy, and through it to the server of an https:// URL.

    urllib3 opens the connection: it has what http.client lacks, TLS to the proxy itself and checks of what it is sent.
    """
    from urllib3 import connection as urllib3
    from urllib3.exceptions import HTTPError
    from urllib3.util import Url

    proxy_url = Url(proxy.scheme, host=proxy.host, port=proxy.port)
    has_tunnel = isinstance(connection, HTTPSConnection)
    opener: urllib3.HTTPConnection
    if has_tunnel or proxy.scheme == "https":
        context = network.tls_context
        proxy_config = urllib3.ProxyConfig(context, False, None, None)  # noqa: FBT003 - it has no keywords
        opener = urllib3.HTTPSConnection(
            proxy.host, proxy.port, timeout=timeout, ssl_context=context, proxy=proxy_url, proxy_config=proxy_config
        )
    else:
        opener = urllib3.HTTPConnection(proxy.host, proxy.port, timeout=timeout, proxy=proxy_url)
    if has_tunnel:
        opener.set_tunnel(connection.host, connection.port, headers=proxy.auth_headers, scheme=proxy.scheme)
    try:
        opener.connect()
    except (HTTPError, OSError) as error:
        has_reached_proxy = opener.has_connected_to_proxy
        opener.close()
        if has_reached_proxy and isinstance(error, OSError):
            raise
        raise ProxyFailedError(str(error)) from error
    connection.sock = opener.sock
    connection.auto_open = 0  # a new connection of its own would go around the proxy
