"""Sends the requests of AWS clients: each attempt on the condition and within the time that `attempt_seconds` gives."""

from __future__ import annotations

import math
import random
import socket
import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from kaizen_tasks.adapters.network.proxies import Proxy
from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.ports.attempts import attempt_seconds

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.client import BaseClient
    from botocore.config import Config
    from botocore.httpsession import URLLib3Session

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0

MAX_ATTEMPTS_IN_CONFLICT = 8
FIRST_CONFLICT_PAUSE = 0.05

NOT_IDEMPOTENT: Mapping[str, tuple[str, ...]] = {
    "apprunner": ("StartDeployment",),
    "ecs": ("UpdateService", "UpdateExpressGatewayService"),
}
"""Operations that begin a deployment each time, by service."""

ABORT_ON_CLOSE = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
"""A socket option by which closing the socket discards what was not delivered. Otherwise the kernel goes on sending for
minutes after a timeout, and the request arrives when the network is back: https://man7.org/linux/man-pages/man7/socket.7.html.
"""


def limit_requests(client: BaseClient, *, network: NetworkSettings) -> None:
    """Let every attempt of a client's requests, retries included, be checked and limited immediately before it is sent.

    Args:
        client: a client of botocore.
        network: proxies, and trusted certificates.
    """
    sender = cast("Callable[..., None]", _RequestSender(client.meta.config, network))  # the stub is too narrow
    client.meta.events.register("before-send", sender)


class AnswerLost(Exception):
    """A request was sent, and may have been carried out: no answer came, or an error of the server."""


def repeat_no_lost_request(client: BaseClient, service: str) -> None:
    """Let operations that are not idempotent raise `AnswerLost` where botocore would send them again.

    Args:
        client: a client of botocore.
        service: the name of its service, such as `ecs`.
    """
    service_id = client.meta.service_model.service_id.hyphenize()
    for operation in NOT_IDEMPOTENT.get(service, ()):
        client.meta.events.register_first(f"needs-retry.{service_id}.{operation}", _raise_lost_answer)


def _raise_lost_answer(
    response: tuple[AWSResponse, object] | None = None, caught_exception: Exception | None = None, **_: object
) -> None:
    from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

    is_broken = response is not None and response[0].status_code >= 500
    if is_broken or isinstance(caught_exception, (ConnectionClosedError, ReadTimeoutError)):
        raise AnswerLost from caught_exception


def repeat_after_conflicts(client: BaseClient) -> None:
    """Let a write of one item be repeated that was refused because a transaction writes the same item.

    botocore does not repeat it: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html.

    Args:
        client: the client of DynamoDB.
    """
    handler = cast("Callable[..., None]", _conflict_pause)  # the stub is too narrow
    client.meta.events.register("needs-retry.dynamodb", handler)


def _conflict_pause(
    attempts: int, response: tuple[object, Mapping[str, Any]] | None = None, **_: object
) -> float | None:
    """Return the seconds until the next attempt of a write that was refused because of a transaction; else None."""
    code = response[1].get("Error", {}).get("Code", "") if response else ""
    if code != "TransactionConflictException" or attempts >= MAX_ATTEMPTS_IN_CONFLICT:
        return None
    return float(FIRST_CONFLICT_PAUSE * 2 ** (attempts - 1) * random.uniform(0.5, 1.0))  # noqa: S311 - a pause


class _RequestSender:
    """Sends requests in the place of a client, in sessions for timeouts and proxies. Safe to use from several threads.

    botocore has both for a client, not for a request; what a handler of `before-send` returns is the response.
    """

    def __init__(self, config: Config, network: NetworkSettings) -> None:
        self._config = config
        self._network = network
        self._sessions: dict[tuple[int, Proxy | None], URLLib3Session] = {}

    def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """Send a request and return the response."""
        halvings, proxy = _halvings(attempt_seconds()), self._network.proxy(request.url)
        if (halvings, proxy) not in self._sessions:
            self._sessions[halvings, proxy] = self._create_session(2.0**-halvings, proxy)
        return self._sessions[halvings, proxy].send(request)

    def _create_session(self, fraction: float, proxy: Proxy | None) -> URLLib3Session:
        from botocore.httpsession import URLLib3Session

        options: dict[str, Any] = {
            "verify": self._network.ca_bundle.path or True,
            **{name: getattr(self._config, name) for name in ("client_cert", "max_pool_connections")},
            **proxy_options(proxy, self._network),
        }
        timeout: Any = (CONNECT_TIMEOUT * fraction, READ_TIMEOUT * fraction)
        socket_options: Any = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), ABORT_ON_CLOSE]
        return URLLib3Session(timeout=timeout, socket_options=socket_options, **options)


def proxy_options(proxy: Proxy | None, network: NetworkSettings) -> dict[str, Any]:
    """Return a proxy as botocore's options; no proxy is an empty one."""
    if proxy is None:
        return {"proxies": {}}
    url = proxy.url_with_credentials.reveal()
    options: dict[str, Any] = {"proxies": {"http": url, "https": url}}
    if proxy.scheme == "https" and network.ca_bundle.path:
        options["proxies_config"] = {"proxy_ca_bundle": network.ca_bundle.path}
    return options


def _halvings(seconds: float) -> int:
    """Return how often the usual timeouts have to be halved so that an attempt ends within some seconds."""
    return max(0, math.ceil(math.log2((CONNECT_TIMEOUT + READ_TIMEOUT) / seconds))) if seconds < math.inf else 0
