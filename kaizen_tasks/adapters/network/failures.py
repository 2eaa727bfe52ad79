"""Explains connections that a proxy or a certificate has prevented, whichever client has made them."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlsplit

from kaizen_tasks.adapters.network.proxies import Proxy
from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.errors import Denied, KaizenError, Refused, Unreachable

# Classes of urllib3, botocore and this package, by name, since SDKs are slow to import.
PROXY_ERRORS = frozenset({"ProxyError", "ProxyConnectionError", "ProxyFailedError"})
WRAPPING_ATTRIBUTES = ("__cause__", "original_error", "reason")
NO_ROUTE_ERRORS = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
DISCARD_PORT = 9  # any would do
SocketAddress = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
HOSTNAME_MISMATCH_CODES = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH
VALIDITY_CODES = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED


class ProxyFailedError(OSError):
    """The proxy could not be reached; the cause says why."""


def network_error(error: BaseException, url: str, network: NetworkSettings) -> KaizenError | None:
    """Return the error for a request that failed at a proxy or for a certificate; None for every other failure.

    Args:
        error: what the client raised; the errors that it wraps are examined too.
        url: the request's URL.
        network: the settings in effect.
    """
    causes = tuple(_causes(error))
    proxy = network.proxy(url)
    at_proxy = proxy if any(type(cause).__name__ in PROXY_ERRORS for cause in causes) else None
    host = (at_proxy.host if at_proxy else urlsplit(url).hostname) or ""
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            code, reason = cause.verify_code, cause.verify_message
            is_mismatch, is_out_of_date = code in HOSTNAME_MISMATCH_CODES, code in VALIDITY_CODES
            return _untrusted(host, reason, network, is_mismatch=is_mismatch, is_out_of_date=is_out_of_date)
        if type(cause).__name__ == "CertificateError":  # urllib3's name for a mismatch
            return _untrusted(host, str(cause), network, is_mismatch=True)
        if proxy and (match := re.search(r"Tunnel connection failed: (\d{3})", str(cause))):
            return proxy_refusal(int(match[1]), proxy, url)
    return _unreachable_proxy(causes, at_proxy) if at_proxy else None


def has_no_route(error: BaseException, host: str) -> bool:
    """Return whether a connection failed because no network of this machine leads to any address of a host.

    The error alone does not tell: without IPv6, a host's IPv6 address has no route, while its IPv4 address may refuse.
    """
    is_unrouted = any(isinstance(cause, OSError) and cause.errno in NO_ROUTE_ERRORS for cause in _causes(error))
    return is_unrouted and not any(map(_has_route, _addresses(host)))


def _addresses(host: str) -> list[tuple[socket.AddressFamily, SocketAddress]]:
    with suppress(OSError):
        found = socket.getaddrinfo(host.strip("[]"), DISCARD_PORT, type=socket.SOCK_DGRAM)
        return [(family, address) for family, _, _, _, address in found]
    return []


def _has_route(address: tuple[socket.AddressFamily, SocketAddress]) -> bool:
    """Return whether a network of this machine leads to an address; nothing is sent to it."""
    family, socket_address = address
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect(socket_address)
    except OSError as error:
        return error.errno not in NO_ROUTE_ERRORS
    return True


def _untrusted(
    host: str, reason: str, network: NetworkSettings, *, is_mismatch: bool, is_out_of_date: bool = False
) -> KaizenError:
    message = f"the certificate of {host} is not trusted: {reason}"
    if is_mismatch:
        return Refused(message, hint="check that the URL names this server, and that no other one answers for it")
    if is_out_of_date:
        return Refused(message, hint=f"correct the clock of this machine, or have the certificate of {host} renewed")
    return Refused(
        message,
        state=f"trusted are the authorities in {network.ca_bundle}",
        hint="set AWS_CA_BUNDLE to a file with the authority of this network too; to see what is used: inv doctor",
    )


def proxy_refusal(status: int, proxy: Proxy, url: str) -> KaizenError:
    """Return the error for a proxy that answers with an HTTP status instead of connecting."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        verb = "rejects this user name or password" if proxy.username else "asks for a user name and a password"
        name = proxy.source if proxy.source.isidentifier() else "HTTPS_PROXY"
        hint = f"set {name} to http://USER:PASSWORD@{proxy.host}:{proxy.port}, special characters percent-encoded"
        return Denied(f"the proxy {proxy} {verb} (HTTP 407)", hint=hint)
    message = f"the proxy {proxy} does not connect to {host}: HTTP {status}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        hint = f"check the network behind the proxy, or add {host} to NO_PROXY if it needs no proxy"
        return Unreachable(message, hint=hint)
    return Denied(message, hint="have the host allowed there; if it needs no proxy, add it to NO_PROXY")


def _unreachable_proxy(causes: tuple[BaseException, ...], proxy: Proxy) -> KaizenError:
    return unreachable_proxy(proxy, next(filter(None, map(_reason, causes)), "cannot be reached"))


def unreachable_proxy(proxy: Proxy, reason: str) -> KaizenError:
    """Return the error for a proxy that could not be reached, for a reason such as `does not answer`."""
    message = f"the proxy {proxy} {reason}"
    return Unreachable(message, hint=f"correct or unset {proxy.source}; hosts that need no proxy belong in NO_PROXY")


def _reason(error: BaseException) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refuses the connection"
    if isinstance(error, socket.gaierror):
        return "has no address"
    if isinstance(error, TimeoutError) or type(error).__name__ == "ConnectTimeoutError":
        return "does not answer"
    if isinstance(error, ssl.SSLError) and error.reason:
        return f"does not speak TLS: {error.reason.replace('_', ' ').lower()}"
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it wraps, as its cause, an argument or an attribute."""
    found, pending = set[int](), [error]
    while pending:
        current = pending.pop(0)
        if id(current) not in found:
            found.add(id(current))
            yield current
            attributes = [getattr(current, name, None) for name in WRAPPING_ATTRIBUTES]
            wrapped = (*current.args, *attributes, *getattr(current, "kwargs", {}).values())
            pending += [each for each in wrapped if isinstance(each, BaseException)]
