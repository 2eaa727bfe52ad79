"""One HTTP exchange as the services of the local cloud see it, without the server that carries it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from kaizen_tasks.localcloud.server.request_body import RequestBody

JsonObject = dict[str, Any]


class DropConnectionError(Exception):
    """The connection is to be reset without an answer."""


@attrs.frozen(kw_only=True)
class HttpRequest:
    """A request whose body may still be on the wire.

    Args:
        method: the HTTP method.
        target: the request target as it was sent, query included.
        headers: looked up without regard to case.
        body: ends where the request ends.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: RequestBody

    @cached_property
    def path(self) -> str:
        """Return the decoded path."""
        return unquote(urlsplit(self.target).path)

    @cached_property
    def query(self) -> dict[str, str]:
        """Return the query's last value for every name."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @cached_property
    def content(self) -> bytes:
        """Read the whole body into memory, once."""
        return self.body.readall()

    def header(self, name: str) -> str:
        """Return a header, or nothing."""
        return self.headers.get(name, "")


@attrs.frozen(kw_only=True)
class HttpResponse:
    """An answer; a body that is not bytes is streamed and needs its own `Content-Length`."""

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes | Iterable[bytes] = b""

    @classmethod
    def json_response(
        cls,
        status: int,
        value: object,
        *,
        media_type: str = "application/json",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> HttpResponse:
        """Answer with JSON of a media type."""
        body = json.dumps(value, separators=(",", ":")).encode()
        return cls(status=status, headers={"Content-Type": media_type, **headers}, body=body)
