"""The port of the network: how hosts are reached, and whose certificates are trusted."""

from __future__ import annotations

from typing import Protocol


class Network(Protocol):
    """The proxies and certificate authorities that are in effect for every connection."""

    def route(self, url: str) -> str:
        """Return in words how the server of a URL is reached: `directly` or `through http://proxy:3128 (HTTPS_PROXY)`.

        Raises:
            ConfigurationError: the setting that names the proxy is invalid.
        """

    def authorities(self) -> str:
        """Return which file of certificate authorities is trusted, and what names it.

        Raises:
            ConfigurationError: the file cannot be read.
        """
