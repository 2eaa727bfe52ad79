"""Lines for steps that have been silent for long, so that a log shows that they are still at work."""

from __future__ import annotations

import threading
from collections.abc import Callable

from attrs import evolve, frozen

from kaizen_tasks.domain.release import StepLabel
from kaizen_tasks.domain.text import duration

SILENCE_SECONDS = 30.0
"""Seconds without a line about a step after which there is one. CI services stop jobs after 10 silent minutes."""

POLL_SECONDS = 1.0

Show = Callable[[StepLabel, str], None]
Activity = str | Callable[[], str]
"""What a step is doing, or a function that returns it when it is asked for."""


@frozen(kw_only=True)
class _Work:
    """A step at work: since when, when its last line was shown, and what it is doing."""

    started_at: float
    shown_at: float
    activity: Activity


class Heartbeat:
    """The steps at work, of which each gets a line when nothing has been shown of it for `SILENCE_SECONDS`.

    Safe to use from several threads. A thread of its own looks at the steps, for as long as there are any.

    Args:
        monotonic: returns the seconds of a clock that never goes back.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._steps: dict[StepLabel, _Work] = {}
        self._idle = threading.Event()

    def start(self, label: StepLabel, activity: Activity, show: Show) -> None:
        """Begin to look at a step.

        Args:
            label: the step.
            activity: what it is going to do.
            show: called with the label and the text of a line, from another thread.
        """
        with self._lock:
            now, is_first = self._monotonic(), not self._steps
            self._steps[label] = _Work(started_at=now, shown_at=now, activity=activity)
            if is_first:
                self._idle = threading.Event()
                threading.Thread(target=self._run, args=(self._idle, show), name="heartbeat", daemon=True).start()

    def stop(self, label: StepLabel) -> None:
        """Stop looking at a step, which has ended."""
        with self._lock:
            self._steps.pop(label, None)
            if not self._steps:
                self._idle.set()

    def update(self, label: StepLabel, activity: str, *, is_shown: bool) -> None:
        """Store what a step is doing, and whether that is shown already."""
        with self._lock:
            if work := self._steps.get(label):
                shown_at = self._monotonic() if is_shown else work.shown_at
                self._steps[label] = evolve(work, activity=activity, shown_at=shown_at)

    def count_line(self, label: StepLabel) -> None:
        """Store that a line about a step has just been shown."""
        with self._lock:
            if work := self._steps.get(label):
                self._steps[label] = evolve(work, shown_at=self._monotonic())

    def beat(self, show: Show) -> None:
        """Show a line for each step that has been silent for too long."""
        for label, text in self._silent_steps():
            show(label, text)

    def _silent_steps(self) -> list[tuple[StepLabel, str]]:
        now = self._monotonic()
        with self._lock:
            silent = {label: work for label, work in self._steps.items() if now - work.shown_at >= SILENCE_SECONDS}
            self._steps.update({label: evolve(work, shown_at=now) for label, work in silent.items()})
        return [(label, _describe(work, now)) for label, work in silent.items()]

    def _run(self, idle: threading.Event, show: Show) -> None:
        while not idle.wait(POLL_SECONDS):
            self.beat(show)


def _describe(work: _Work, now: float) -> str:
    activity = work.activity if isinstance(work.activity, str) else work.activity()
    return f"at work for {duration.format_duration(now - work.started_at)}: {activity}"
