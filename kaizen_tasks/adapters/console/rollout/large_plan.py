"""The plan of a large rollout in a dry run: one line for each environment, with the steps that would act."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from attrs import evolve

from kaizen_tasks.adapters.console.events import EventType, RunEvent


class LargePlan:
    """Sums up the decisions about each environment. Safe to use from several threads.

    Args:
        environments: names of the environments.
    """

    def __init__(self, environments: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._steps: dict[str, list[str]] = {name: [] for name in environments}

    def visible(self, event: RunEvent) -> tuple[RunEvent, ...]:
        """Return what to show once an event has happened: the plan of an environment when its last step is known."""
        if event.environment not in self._steps:
            return (event,)
        with self._lock:
            steps = self._steps[event.environment]
            if event.type is EventType.ENVIRONMENT_FINISHED:
                return (_plan(event, steps),)
            if event.verdict == "would":
                steps.append(event.step)
            return ()


def _plan(event: RunEvent, steps: list[str]) -> RunEvent:
    if event.reason:
        return evolve(event, type=EventType.CHECKED, verdict="wrong")
    verdict, reason = ("would", ", ".join(steps)) if steps else ("already done", "every step")
    return evolve(event, type=EventType.DECIDED, verdict=verdict, reason=reason)
