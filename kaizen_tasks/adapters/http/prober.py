"""Asking the running app, as a stranger would: over a new connection, and never for longer than was said."""

from __future__ import annotations

import threading

from kaizen_tasks.domain.health import ProbeRequest, ProbeResponse


class HttpProber:
    """Asks with urllib3."""

    def probe(self, url: str, *, timeout: float, max_bytes: int, request: ProbeRequest | None = None) -> ProbeResponse:
        """Ask an address; follow no redirect; read at most `max_bytes` bytes within `timeout` seconds.

        A thread of its own does the asking: name resolution cannot be interrupted, and a server that sends
        one byte a second never meets a timeout of the socket.
        """
        from kaizen_tasks.adapters.http.request import BoundedRequest

        bounded_request = BoundedRequest(url, request or ProbeRequest(), timeout=timeout, limit=max_bytes)
        worker = threading.Thread(target=bounded_request.run, name=f"ask {url}", daemon=True)
        worker.start()
        worker.join(timeout)
        if worker.is_alive():
            bounded_request.cancel()
            return ProbeResponse(error=bounded_request.timeout_message)
        return bounded_request.response
