"""HTTP requests and responses, independent of the server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from kaizen_tasks.localcloud.server.request_body import RequestBody

MAX_CONTENT_BYTES = 32 << 20
"""Maximum size of a body that is read into memory; the largest is a part of a layer, 20 MiB in base64."""

JsonObject = dict[str, Any]
"""A JSON object whose members depend on the operation."""


class DropConnectionError(Exception):
    """The connection is to be reset without a response."""


@attrs.frozen(kw_only=True)
class HttpRequest:
    """A request whose body may still be on the wire.

    Args:
        method: the HTTP method.
        target: the request target as sent, with the query.
        headers: the headers, with case-insensitive names.
        body: the body.
        port: the port at which it arrived.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: RequestBody
    port: int = 0

    @cached_property
    def path(self) -> str:
        """Return the decoded path."""
        return unquote(self.target.partition("?")[0])

    @cached_property
    def query(self) -> dict[str, str]:
        """Return the query parameters; of repeated ones, the last."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @cached_property
    def header_fields(self) -> tuple[tuple[str, str], ...]:
        """Return names in lower case and values of all headers, including repeated ones."""
        return tuple((name.lower(), value) for name, value in self.headers.items())

    @cached_property
    def content(self) -> bytes:
        """Read the whole body into memory, once.

        Raises:
            BodyTooLargeError: it is larger than any request of a client.
        """
        return self.body.read_within(MAX_CONTENT_BYTES)

    def header(self, name: str) -> str:
        """Return a header, or an empty string."""
        return self.headers.get(name, "")


@attrs.frozen(kw_only=True)
class HttpResponse:
    """A response; a body of chunks needs a `Content-Length` header."""

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
        """Return a response with a JSON body."""
        body = json.dumps(value, separators=(",", ":")).encode()
        return cls(status=status, headers={"Content-Type": media_type, **headers}, body=body)
