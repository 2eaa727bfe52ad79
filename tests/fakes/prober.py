"""Apps with scripted responses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.health import ProbeRequest, ProbeResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class FakeProber:
    """Answers from a table of addresses; an address that is not in it refuses the connection.

    Attributes:
        answers: what each address answers: always the same, or a function asked each time.
        urls: every address asked, in order.
        requests: how each of them was asked.
    """

    def __init__(self, answers: Mapping[str, ProbeResponse | Callable[[], ProbeResponse]] | None = None) -> None:
        self.answers = dict(answers or {})
        self.urls: list[str] = []
        self.requests: list[ProbeRequest] = []
        self._guard = threading.Lock()

    def probe(self, url: str, *, timeout: float, max_bytes: int, request: ProbeRequest | None = None) -> ProbeResponse:
        with self._guard:
            self.urls.append(url)
            self.requests.append(request or ProbeRequest())
            answer = self.answers.get(url, ProbeResponse(error="refuses the connection"))
        response = answer() if callable(answer) else answer
        if len(response.body) <= max_bytes:
            return response
        return evolve(response, body=response.body[:max_bytes], error=f"answers more than {max_bytes} bytes")
