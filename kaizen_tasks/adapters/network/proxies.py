"""The proxy of a URL: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY as in curl, or the system's settings."""

from __future__ import annotations

import base64
import ipaddress
import os
import re
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

from attrs import field, frozen

from kaizen_tasks.domain.git.remote_url import is_loopback
from kaizen_tasks.errors import ConfigurationError
from kaizen_tasks.ports.secrets import Secret

DEFAULT_PORTS = {"http": 80, "https": 443}
SYSTEM_SETTINGS = "the system's settings"


@frozen(kw_only=True)
class Proxy:
    """An HTTP proxy, which forwards requests to http:// and opens tunnels to https:// URLs. Its text has no password.

    Attributes:
        scheme: `http`, or `https` for a proxy that speaks TLS itself.
        host: its host name or address, in brackets for IPv6.
        port: its port.
        username: the user's name, or empty.
        password: the user's password, or empty.
        source: the variable that names the proxy, or `SYSTEM_SETTINGS`.
    """

    scheme: str
    host: str
    port: int
    username: str = field(default="", repr=False)
    password: Secret = field(factory=lambda: Secret(""))
    source: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port} ({self.source})"

    @property
    def url_with_credentials(self) -> Secret:
        """The URL with user name and password, which AWS clients expect."""
        user = f"{quote(self.username, safe='')}:{quote(self.password.reveal(), safe='')}@" if self.username else ""
        return Secret(f"{self.scheme}://{user}{self.host}:{self.port}")

    @property
    def auth_headers(self) -> Mapping[str, str]:
        """The headers with user name and password; empty without a user name."""
        if not self.username:
            return {}
        credentials = base64.b64encode(f"{self.username}:{self.password.reveal()}".encode()).decode()
        return {"Proxy-Authorization": f"Basic {credentials}"}


def find_proxy(url: str) -> Proxy | None:
    """Return the proxy of a URL; None for a direct connection, as to every server on this machine.

    Raises:
        ConfigurationError: the variable does not name an HTTP proxy.
    """
    parts = urlsplit(url)
    if not parts.hostname or is_loopback(parts.hostname):
        return None
    source, value = _configured_proxy(parts.scheme)
    if not value or _is_bypassed(parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme, 0)):
        return None
    return _parse_proxy(source, value)


def _configured_proxy(scheme: str) -> tuple[str, str]:
    """Return what names the proxy of a scheme, and the proxy; the lower-case spelling of a variable wins."""
    from urllib.request import getproxies

    proxies = getproxies()
    value = proxies.get(scheme) or proxies.get("all", "")
    names = [spelling for name in (f"{scheme}_proxy", "all_proxy") for spelling in (name, name.upper())]
    return next((name for name in names if os.environ.get(name) == value), SYSTEM_SETTINGS), value.strip()


def _is_bypassed(host: str, port: int) -> bool:
    """Return whether NO_PROXY covers a host: by name, domain, `host:port`, address, network, or `*`."""
    from urllib.request import getproxies, proxy_bypass

    entries = re.split(r"[\s,]+", getproxies().get("no", "").lower())
    return bool(proxy_bypass(f"{host}:{port}")) or any(_covers(entry, host, port) for entry in entries if entry)


def _covers(entry: str, host: str, port: int) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        name = entry.removesuffix(f":{port}").lstrip("*").strip(".")
        return not name or f".{host.rstrip('.')}".endswith(f".{name}")


def _parse_proxy(source: str, value: str) -> Proxy:
    """Return the proxy that a variable names, with or without a scheme. No message shows it: it may have a password."""
    fix = f"set {source} to http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, special characters percent-encoded"
    try:
        parts = urlsplit(value if "://" in value else f"http://{value.lstrip('/')}")
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise ConfigurationError((f"{source} is not the address of a proxy",), hint=fix) from error
    if parts.scheme not in DEFAULT_PORTS:
        problem = f"{source} names a proxy of another kind than HTTP"
        raise ConfigurationError((problem,), hint=f"{fix}, or the hosts that need no proxy in NO_PROXY")
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not parts.hostname or "@" in parts.path + parts.query + parts.fragment or not (username + password).isascii():
        raise ConfigurationError((f"{source} is not the address of a proxy",), hint=fix)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Proxy(scheme=parts.scheme, host=host, port=port, username=username, password=Secret(password), source=source)
