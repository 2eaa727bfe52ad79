"""Tells clients of the local cloud from pages in a browser, which reach loopback as well."""

from __future__ import annotations

import functools
import hmac
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.server.refusals import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Collection

    from kaizen_tasks.localcloud.server.http_message import HttpRequest

CONTROL_TOKEN_HEADER = "X-Kaizen-Token"  # noqa: S105 - the header's name
_HOST_NAMES = ("127.0.0.1", "localhost", "[::1]")
_HOST_NAME_IN_CONTAINERS = "host.docker.internal"  # with any port: the relay may not get the cloud's own
_HTTP_PORT = 80  # clients omit it: RFC 9110, section 7.2
_JSON = "application/json"


@functools.cache
def own_hosts(port: int) -> frozenset[str]:
    """Return the values of `Host` that name a local cloud on a port."""
    names = {f"{name}:{port}" for name in _HOST_NAMES}
    return frozenset(names | set(_HOST_NAMES) if port == _HTTP_PORT else names)


def check_host(request: HttpRequest, hosts: Collection[str]) -> None:
    """Refuse a request for another host: a page whose name was made to resolve to loopback sends its own name.

    Containers send the name of this machine, which no page has.

    Raises:
        RequestRefused: `Host` is missing, repeated or another one, or the target names a host.
    """
    sent = [value.strip().lower() for name, value in request.header_fields if name == "host"]
    is_own = len(sent) == 1 and (sent[0] in hosts or sent[0].partition(":")[0] == _HOST_NAME_IN_CONTAINERS)
    if not is_own or not request.target.startswith("/"):
        raise RequestRefused(421, "MisdirectedRequestException", f"this is {min(hosts)}, not the host of the request")


def check_control_request(request: HttpRequest, token: str) -> None:
    """Refuse a request to the control API that a page may have sent, or that lacks the token.

    Raises:
        RequestRefused: a browser sent it, its content type is not JSON, or its token is wrong.
    """
    if any(name == "origin" or name.startswith("sec-fetch-") for name, _ in request.header_fields):
        raise RequestRefused(403, "BrowserRequestException", "the control API does not answer browsers")
    media_type = request.header("Content-Type").partition(";")[0].strip().lower()
    if media_type != _JSON and (media_type or request.method == "POST"):
        raise RequestRefused(415, "UnsupportedMediaTypeException", f"the control API takes {_JSON} only")
    if not hmac.compare_digest(request.header(CONTROL_TOKEN_HEADER).encode(), token.encode()):
        raise RequestRefused(403, "AccessDeniedException", f"{CONTROL_TOKEN_HEADER} is missing or wrong")
