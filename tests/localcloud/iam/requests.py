"""Requests for tests of what answers them."""

from __future__ import annotations

import io
from http.client import HTTPMessage

from kaizen_tasks.localcloud.server.http_message import HttpRequest
from kaizen_tasks.localcloud.server.request_body import RequestBody


def http_request(target: str = "/", content: bytes = b"", **headers: str) -> HttpRequest:
    """Return a request as the server sees it.

    Args:
        target: path and query.
        content: the body; with one, it is a POST.
        headers: the headers, with `_` for each `-`.
    """
    message = HTTPMessage()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    body = RequestBody(io.BufferedReader(io.BytesIO(content)), len(content))
    method = "POST" if content else "GET"
    return HttpRequest(method=method, target=target, headers=message, body=body)  # type: ignore[arg-type]
