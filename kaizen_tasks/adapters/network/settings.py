"""What is in effect for every connection: its proxy, and the certificate authorities that it trusts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kaizen_tasks.adapters.network.certificates import CaBundle, find_ca_bundle
from kaizen_tasks.adapters.network.name_resolution import resolve_host
from kaizen_tasks.adapters.network.proxies import Proxy, find_proxy
from kaizen_tasks.ports.host import Network

if TYPE_CHECKING:
    import ssl


class NetworkSettings(Network):
    """Proxies and certificate authorities, decided in this one place for AWS clients, registries and probes.

    Args:
        profile_bundle: returns `ca_bundle` of the AWS profile, or an empty string; called when it is needed.
    """

    def __init__(self, profile_bundle: Callable[[], str] = str) -> None:
        self._profile_bundle = profile_bundle
        self._proxies: dict[tuple[str, str], Proxy | None] = {}  # by scheme and host; every request asks

    def route(self, url: str) -> str:
        """Return in words how the server of a URL is reached."""
        proxy = self.proxy(url)
        return f"through {proxy}" if proxy else "directly"

    def addresses(self, host: str) -> frozenset[str]:
        """Return the IP addresses of a host; none if its name is not resolved within some seconds."""
        return resolve_host(host)

    def authorities(self) -> str:
        """Return which authorities are trusted, and what names them, once they can be read."""
        _ = self.tls_context
        return str(self.ca_bundle)

    def proxy(self, url: str) -> Proxy | None:
        """Return the proxy of a URL; None for a direct connection.

        Raises:
            ConfigurationError: a variable does not name an HTTP proxy.
        """
        parts = urlsplit(url)
        server = parts.scheme, parts.netloc
        if server not in self._proxies:
            self._proxies[server] = find_proxy(url)
        return self._proxies[server]

    @cached_property
    def ca_bundle(self) -> CaBundle:
        """The authorities that are trusted."""
        return find_ca_bundle(self._profile_bundle())

    @cached_property
    def tls_context(self) -> ssl.SSLContext:
        """The TLS context of registries and probes, whose certificates are read once.

        Raises:
            ConfigurationError: the file of certificates cannot be read.
        """
        return self.ca_bundle.create_tls_context()
