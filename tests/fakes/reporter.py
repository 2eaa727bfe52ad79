"""A reporter that remembers what people were told."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kaizen_tasks.domain.release import Label


class FakeReporter:
    """Remembers verdicts by step; safe to use from several threads.

    Attributes:
        verdicts: `done`, `act`, `acted`, `refuse` or `failed`, with the step's label, in order.
        lines: every heading, note, progress and reason.
        beside: the environments of every rollout, each with the seconds that it usually takes.
        outcomes: what went wrong in each environment of a rollout, or nothing.
    """

    def __init__(self) -> None:
        self.verdicts: list[tuple[str, str]] = []
        self.lines: list[str] = []
        self.beside: list[dict[str, float | None]] = []
        self.outcomes: dict[str, str] = {}
        self._guard = threading.Lock()

    def heading(self, text: str) -> None:
        """Remember it."""
        self.lines.append(text)

    def decided(self, label: Label, decision: Decision) -> None:
        """Remember the verdict."""
        verdict = "done" if isinstance(decision, Done) else "act" if isinstance(decision, Act) else "refuse"
        self._remember(verdict, label)
        self.lines.append(f"{label}: {_words(decision)}")

    def progress(self, label: Label, text: str) -> None:
        """Remember it."""
        self.lines.append(f"{label}: {text}")

    def checked(self, label: Label, text: str, *, right: bool) -> None:
        """Remember it."""
        self.lines.append(f"{label}: {'right' if right else 'wrong'}: {text}")

    def acted(self, label: Label, reason: str, seconds: float) -> None:
        """Remember that it went well."""
        self._remember("acted", label)

    def failed(self, label: Label, seconds: float) -> None:
        """Remember that it went badly."""
        self._remember("failed", label)

    def note(self, text: str) -> None:
        """Remember it."""
        self.lines.append(text)

    @contextmanager
    def side_by_side(self, environments: Sequence[str], usual: Callable[[str], float | None]) -> Iterator[None]:
        """Remember which environments stand side by side, and how long each usually takes."""
        self.beside.append({name: usual(name) for name in environments})
        yield

    def ended(self, environment: str, fault: str) -> None:
        """Remember the outcome."""
        with self._guard:
            self.outcomes[environment] = fault

    def of(self, verdict: str) -> list[str]:
        """Return the labels that got a verdict, in order."""
        return [label for said, label in self.verdicts if said == verdict]

    def _remember(self, verdict: str, label: Label) -> None:
        with self._guard:
            self.verdicts.append((verdict, str(label)))


def _words(decision: Decision) -> str:
    match decision:
        case Done(reason=words) | Act(what=words):
            return words
        case Refuse(why=why):
            return "; ".join(why)
