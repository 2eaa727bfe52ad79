"""Resolves names of hosts, within a time limit."""

from __future__ import annotations

import socket
import threading

RESOLUTION_SECONDS = 10.0
"""Seconds to wait: the resolution of a name cannot be interrupted."""


def resolve_host(host: str) -> frozenset[str]:
    """Return the IP addresses of a host; none if it has none, or this machine cannot resolve names."""
    addresses: set[str] = set()

    def resolve() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        addresses.update(str(address[0]) for *_, address in found)

    if not host:
        return frozenset()
    worker = threading.Thread(target=resolve, name=f"resolve {host}", daemon=True)
    worker.start()
    worker.join(RESOLUTION_SECONDS)
    return frozenset() if worker.is_alive() else frozenset(addresses)
