"""Lets containers reach the local cloud, which listens on loopback alone."""

from __future__ import annotations

import threading

from kaizen_tasks.localcloud.services.proxy import TcpProxy


class Relays:
    """Ports on other addresses of this machine that lead to the local cloud.

    Args:
        cloud: host and port of the local cloud.
    """

    def __init__(self, cloud: str) -> None:
        self._cloud_port = int(cloud.rpartition(":")[2] or 0)
        self._lock = threading.Lock()
        self._relays: dict[str, TcpProxy] = {}

    def open(self, host: str) -> int:
        """Listen on an address of this machine if no service has asked for that yet, and return the port.

        Raises:
            OSError: this machine has no such address.
        """
        with self._lock:
            if host not in self._relays:
                self._relays[host] = TcpProxy(self._cloud_port, host)
                self._relays[host].switch(self._cloud_port)
            return self._relays[host].port

    def close(self) -> None:
        """Close all ports."""
        for relay in self._relays.values():
            relay.close()
