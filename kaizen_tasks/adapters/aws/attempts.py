"""Sends the requests of AWS clients: each attempt on the condition and within the time that `attempt_seconds` gives."""

from __future__ import annotations

import math
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from kaizen_tasks.ports.attempts import attempt_seconds

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.client import BaseClient
    from botocore.config import Config
    from botocore.httpsession import URLLib3Session

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0

ABORT_ON_CLOSE = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
"""A socket option by which closing the socket discards what was not delivered. Otherwise the kernel goes on sending for
minutes after a timeout, and the request arrives when the network is back: https://man7.org/linux/man-pages/man7/socket.7.html.
"""


def limit_requests(client: BaseClient, *, verify: str | bool) -> None:
    """Let every attempt of a client's requests, retries included, be checked and limited immediately before it is sent.

    Args:
        client: a client of botocore.
        verify: a file with trusted certificates, or True for the default ones.
    """
    sender = cast("Callable[..., None]", _RequestSender(client.meta.config, verify=verify))  # the stub is too narrow
    client.meta.events.register("before-send", sender)


class _RequestSender:
    """Sends requests in the place of a client, in sessions with several timeouts. Safe to use from several threads.

    botocore has timeouts for a client, not for a request; what a handler of `before-send` returns is the response.
    """

    def __init__(self, config: Config, *, verify: str | bool) -> None:
        options = ("proxies", "proxies_config", "client_cert", "max_pool_connections")
        self._options: dict[str, Any] = {"verify": verify, **{name: getattr(config, name) for name in options}}
        self._sessions: dict[int, URLLib3Session] = {}

    def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """Send a request and return the response."""
        halvings = _halvings(attempt_seconds())
        if halvings not in self._sessions:
            self._sessions[halvings] = self._create_session(2.0**-halvings)
        return self._sessions[halvings].send(request)

    def _create_session(self, fraction: float) -> URLLib3Session:
        from botocore.httpsession import URLLib3Session

        timeout: Any = (CONNECT_TIMEOUT * fraction, READ_TIMEOUT * fraction)
        socket_options: Any = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), ABORT_ON_CLOSE]
        return URLLib3Session(timeout=timeout, socket_options=socket_options, **self._options)


def _halvings(seconds: float) -> int:
    """Return how often the usual timeouts have to be halved so that an attempt ends within some seconds."""
    return max(0, math.ceil(math.log2((CONNECT_TIMEOUT + READ_TIMEOUT) / seconds))) if seconds < math.inf else 0
