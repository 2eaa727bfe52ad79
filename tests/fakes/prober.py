"""Apps that answer as a test says."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.health import Answer, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class FakeProber:
    """Answers from a table of addresses; an address that is not in it refuses the connection.

    Attributes:
        answers: what each address answers: always the same, or a function asked each time.
        asked: every address asked, in order.
        questions: how each of them was asked.
    """

    def __init__(self, answers: Mapping[str, Answer | Callable[[], Answer]] | None = None) -> None:
        self.answers = dict(answers or {})
        self.asked: list[str] = []
        self.questions: list[Question] = []
        self._guard = threading.Lock()

    def ask(self, url: str, *, timeout: float, limit: int, question: Question | None = None) -> Answer:
        """Return the address's answer."""
        with self._guard:
            self.asked.append(url)
            self.questions.append(question or Question())
            answer = self.answers.get(url, Answer(fault="refuses the connection"))
        found = answer() if callable(answer) else answer
        if len(found.body) <= limit:
            return found
        return evolve(found, body=found.body[:limit], fault=f"answers more than {limit} bytes")
