"""Sends requests to the running app, each over a new connection and with a hard timeout."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.domain.health import ProbeRequest, ProbeResponse


class HttpProber:
    """Sends HTTP requests with urllib3; implements the port `Prober`.

    Args:
        network: proxies, and trusted certificates; without it, those of the environment.
        require_address: raises a KaizenError for an IP address to which no connection may be made; None allows all.
            It is not asked where a proxy resolves names.
    """

    def __init__(
        self, network: NetworkSettings | None = None, *, require_address: Callable[[str], None] | None = None
    ) -> None:
        self._network = network or NetworkSettings()
        self._require_address = require_address

    def probe(self, url: str, *, timeout: float, max_bytes: int, request: ProbeRequest | None = None) -> ProbeResponse:
        """Send a request and return the response, at most `max_bytes` bytes of it; give up after `timeout` seconds.

        The request runs in its own thread: name resolution cannot be interrupted, and a server that sends one byte a
        second never exceeds the socket's timeout.
        """
        from kaizen_tasks.adapters.http.request import BoundedRequest

        request = request or ProbeRequest()
        requested_url = _with_unique_query(url) if request.bypass_cache else url
        bounded_request = BoundedRequest(
            requested_url,
            request,
            timeout=timeout,
            limit=max_bytes,
            network=self._network,
            require_address=self._require_address,
        )
        worker = threading.Thread(target=bounded_request.run, name=f"probe {url}", daemon=True)
        worker.start()
        worker.join(timeout)
        if worker.is_alive():
            bounded_request.cancel()
            return bounded_request.timeout_response
        return bounded_request.response


def _with_unique_query(url: str) -> str:
    """Return a URL with one more parameter, which differs each time: caches answer a URL that they have seen."""
    requested_url, _, _ = url.partition("#")  # the rest is not sent
    separator = "&" if "?" in requested_url else "?"
    return f"{requested_url}{separator}kaizen={uuid.uuid4().hex}"
