"""Lets containers reach the local cloud, which listens on loopback alone."""

from __future__ import annotations

from kaizen_tasks.localcloud.services.proxy import TcpProxy


class Relays:
    """Ports on other addresses of this machine that lead to the local cloud.

    Args:
        cloud: host and port of the local cloud.
    """

    def __init__(self, cloud: str) -> None:
        self._cloud_port = int(cloud.rpartition(":")[2] or 0)
        self._relays: list[TcpProxy] = []

    def open(self, host: str) -> int:
        """Listen on an address of this machine, and return the port.

        Raises:
            OSError: this machine has no such address.
        """
        relay = TcpProxy(self._cloud_port, host)
        relay.switch(self._cloud_port)
        self._relays.append(relay)
        return relay.port

    def close(self) -> None:
        """Close all ports."""
        for relay in self._relays:
            relay.close()
