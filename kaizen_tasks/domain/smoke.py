"""Smoke checks: requests that the running app must answer as configured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NewType

from attrs import field, frozen

from kaizen_tasks.domain.text.duration import Seconds
from kaizen_tasks.domain.text.json_pointer import resolve_pointer
from kaizen_tasks.domain.text.response_text import describe_body, sanitize

if TYPE_CHECKING:
    from kaizen_tasks.domain.health import ProbeRequest, ProbeResponse

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NON_IDEMPOTENT_METHODS = ("POST", "PATCH")  # methods whose requests are not repeated (RFC 9110, 9.2.2)
CACHEABLE_METHODS = ("GET", "HEAD")
Statuses = NewType("Statuses", tuple[int, ...])
Scalar = str | int | float | bool

DEFAULT_STATUS = Statuses((200,))
DEFAULT_TIMEOUT = Seconds(10)


@frozen(kw_only=True)
class SmokeCheck:
    """A request that the running app must answer as expected, made after its version is verified.

    Attributes:
        path: the path to request. Example: "/plans"
        name: the name in reports; without one, method and path. Example: "a plan can be requested"
        method: `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`. Example: "POST"
        status: the expected HTTP status, or a list of them. Redirects are not followed. Example: [200, 201]
        contains: text that the body must contain. Example: "week 12"
        json: the value that the body must have, as JSON, at a JSON pointer (RFC 6901):
            `"/checks/0/status" = "ok"`. Example: "/checks/0/up" = true
        headers: text that a header of the answer must contain; empty text only requires the header.
            Example: Content-Type = "application/json"
        request_headers: headers of the request. Example: Content-Type = "application/json"
        verify_headers: send the headers of `[verify.headers]` too. Example: true
        body: the body of the request. Example: '{"weeks": 12}'
        timeout: how long to wait for the answer. Meanwhile the request is repeated while there is no answer or HTTP
            5xx, except for `POST` and `PATCH`, which are sent once. Example: "30s"
        cached: accept an answer that a cache has sent in place of the app, and send exactly `path`. Otherwise a cached
            answer proves nothing, and a `GET` or `HEAD` has a parameter in its query that differs each time.
            Example: true
    """

    path: str
    name: str = ""
    method: str = "GET"
    status: Statuses = DEFAULT_STATUS
    contains: str = ""
    json: Mapping[str, Scalar] = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict)
    request_headers: Mapping[str, str] = field(factory=dict, repr=False)
    verify_headers: bool = False
    body: str = field(default="", repr=False)
    timeout: Seconds = DEFAULT_TIMEOUT
    cached: bool = False

    @property
    def title(self) -> str:
        """The check in reports: its name, if any, and the request, which a reader can repeat by hand."""
        request_line = f"{self.method} {self.path}"
        return f"{self.name}: {request_line}" if self.name else request_line

    @property
    def request(self) -> ProbeRequest:
        """The request to send."""
        from kaizen_tasks.domain.health import ProbeRequest

        bypass_cache = not self.cached and self.method in CACHEABLE_METHODS
        body = self.body.encode()
        return ProbeRequest(method=self.method, headers=self.request_headers, body=body, bypass_cache=bypass_cache)

    def describe_pass(self, response: ProbeResponse) -> str:
        """Return in words what was checked in a correct answer, joined by commas."""
        return ", ".join(
            (
                f"answers HTTP {response.status}",
                *([f"contains {self.contains!r}"] if self.contains else []),
                *(f"says {_format_json(value)}{_location_suffix(pointer)}" for pointer, value in self.json.items()),
                *(f"has {name}{f' with {text!r}' if text else ''}" for name, text in self.headers.items()),
            )
        )

    def failures(self, response: ProbeResponse) -> tuple[str, ...]:
        """Return what is wrong with an answer: only the error or a wrong status, else every other mismatch."""
        if response.error:
            return (response.error,)
        if self.is_unproven(response):
            return (response.cache_error,)
        if response.status not in self.status:
            return (self._status_mismatch(response),)
        return (*self._missing_text(response), *self._json_mismatches(response), *self._header_mismatches(response))

    def is_unproven(self, response: ProbeResponse) -> bool:
        """Return whether an answer says nothing about the app: it is from a cache, or the request did not get there."""
        return bool(response.network_remedy) or (bool(response.cache_error) and not self.cached)

    def is_retryable(self, response: ProbeResponse) -> bool:
        """Return whether to repeat the request after a wrong answer, because the app may still be starting."""
        is_temporary = bool(response.error) or response.status >= 500 or self.is_unproven(response)
        return self.method not in NON_IDEMPOTENT_METHODS and is_temporary

    def _status_mismatch(self, response: ProbeResponse) -> str:
        return f"answers HTTP {response.status}{response.redirect_target}, not {' or '.join(map(str, self.status))}"

    def _missing_text(self, response: ProbeResponse) -> Iterator[str]:
        if self.contains and self.contains.encode() not in response.body:
            yield f"does not contain {self.contains!r}"

    def _json_mismatches(self, response: ProbeResponse) -> Iterator[str]:
        if not self.json:
            return
        try:
            document = json.loads(response.body)
        except (ValueError, RecursionError):
            yield f"answers {describe_body(response.body)}, not JSON"
            return
        for pointer, expected in self.json.items():
            try:
                actual = resolve_pointer(document, pointer)
            except LookupError:
                yield f"says nothing{_location_suffix(pointer)}"
                continue
            if not _is_json_equal(actual, expected):
                yield f"says {_format_json(actual)}{_location_suffix(pointer)}, not {_format_json(expected)}"

    def _header_mismatches(self, response: ProbeResponse) -> Iterator[str]:
        for name, expected in self.headers.items():
            actual = response.headers.get(name.lower())
            if actual is None:
                yield f"has no {name}"
            elif expected not in actual:
                yield f"has {name} {sanitize(actual)!r}, without {expected!r}"


def _is_json_equal(actual: object, expected: Scalar) -> bool:
    """Return whether two values are equal in JSON, where `true` is not a number, and 1 equals 1.0."""
    return isinstance(actual, bool) is isinstance(expected, bool) and actual == expected


def _location_suffix(pointer: str) -> str:
    return f" at {pointer}" if pointer else ""


def _format_json(value: object) -> str:
    return sanitize(json.dumps(value, ensure_ascii=False))
