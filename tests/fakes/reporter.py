"""A reporter that records its calls."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kaizen_tasks.domain.release import StepLabel


class FakeReporter:
    """Records verdicts by step; safe to use from several threads.

    Attributes:
        verdicts: `done`, `act`, `succeeded`, `refuse`, `failed` or `interrupted`, with the step's label, in order.
        lines: every heading, note, progress and reason.
        rollouts: the environments of every rollout, each with the seconds that it usually takes.
        summaries: what each command has achieved, and what to type next.
        outcomes: what went wrong in each environment of a rollout, or nothing.
    """

    def __init__(self) -> None:
        self.verdicts: list[tuple[str, str]] = []
        self.lines: list[str] = []
        self.rollouts: list[dict[str, float | None]] = []
        self.outcomes: dict[str, str] = {}
        self.summaries: list[tuple[str, str]] = []
        self._guard = threading.Lock()

    def heading(self, text: str) -> None:
        self.lines.append(text)

    def decided(self, label: StepLabel, decision: Decision) -> None:
        verdict = "done" if isinstance(decision, Done) else "act" if isinstance(decision, Act) else "refuse"
        self._remember(verdict, label)
        self.lines.append(f"{label}: {_words(decision)}")

    def progress(self, label: StepLabel, text: str, *, typical_seconds: float = 0) -> None:
        self.lines.append(f"{label}: {text}{f', usually {typical_seconds:g}s' if typical_seconds else ''}")

    def activity(self, label: StepLabel, text: str, *, replaces: bool = False) -> None:
        self.lines.append(f"{label}: {text}")

    def checked(self, label: StepLabel, text: str, *, ok: bool) -> None:
        self.lines.append(f"{label}: {'right' if ok else 'wrong'}: {text}")

    def succeeded(self, label: StepLabel, reason: str, seconds: float) -> None:
        self._remember("acted", label)

    def failed(self, label: StepLabel, seconds: float) -> None:
        self._remember("failed", label)

    def interrupted(self, label: StepLabel, seconds: float) -> None:
        self._remember("interrupted", label)

    def note(self, text: str, label: StepLabel | None = None) -> None:
        self.lines.append(text)

    def summary(self, text: str, next_step: str, seconds: float) -> None:
        self.summaries.append((text, next_step))

    @contextmanager
    def rollout_table(
        self, environments: Sequence[str], typical_duration: Callable[[str], float | None]
    ) -> Iterator[None]:
        """Record the environments and their typical durations."""
        self.rollouts.append({name: typical_duration(name) for name in environments})
        yield

    def environment_finished(self, environment: str, error: str, *, interrupted: bool = False) -> None:
        with self._guard:
            self.outcomes[environment] = error

    def labels_with(self, verdict: str) -> list[str]:
        """Return the labels that got a verdict, in order."""
        return [label for recorded_verdict, label in self.verdicts if recorded_verdict == verdict]

    def _remember(self, verdict: str, label: StepLabel) -> None:
        with self._guard:
            self.verdicts.append((verdict, str(label)))


def _words(decision: Decision) -> str:
    match decision:
        case Done(reason=words) | Act(description=words):
            return words
        case Refuse(reasons=why):
            return "; ".join(why)
