"""Traffic that is divided among instances, and counted by what they answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_STATUS_LINE = re.compile(rb"HTTP/1\.\d ([2-5])\d\d")


@attrs.frozen(kw_only=True)
class ResponseCount:
    """HTTP responses, and those of them whose status is 4xx or 5xx."""

    total: int
    errors: int

    def __add__(self, other: ResponseCount) -> ResponseCount:
        return ResponseCount(total=self.total + other.total, errors=self.errors + other.errors)

    def __sub__(self, other: ResponseCount) -> ResponseCount:
        return ResponseCount(total=self.total - other.total, errors=self.errors - other.errors)


class WeightedTargets:
    """Ports that get connections in the proportion of their weights, evenly distributed.

    Args:
        weights: weights by port.
    """

    def __init__(self, weights: Mapping[int, float]) -> None:
        self._weights = {port: weight for port, weight in weights.items() if weight > 0}
        self._credits = dict.fromkeys(self._weights, 0.0)

    def next(self) -> int | None:
        """Return the port of the next connection; None if there is none."""
        if not self._weights:
            return None
        for port, weight in self._weights.items():
            self._credits[port] += weight
        port = max(self._credits, key=self._credits.__getitem__)
        self._credits[port] -= sum(self._weights.values())
        return port


class ResponseObserver:
    """Finds the status lines of HTTP/1 responses in the two streams of a connection.

    A response begins with the first bytes that the server sends after a request. Clients that send a request before
    they have the response to the previous one are counted too low.

    Args:
        count: called once for each response with whether its status is 4xx or 5xx.
    """

    def __init__(self, count: Callable[[bool], None]) -> None:
        self._count = count
        self._is_awaited = False

    def see_request(self, _chunk: bytes) -> None:
        """Notice bytes of the client."""
        self._is_awaited = True

    def see_response(self, chunk: bytes) -> None:
        """Notice bytes of the server."""
        match = _STATUS_LINE.match(chunk) if self._is_awaited else None
        self._is_awaited = False
        if match:
            self._count(match[1] in b"45")
