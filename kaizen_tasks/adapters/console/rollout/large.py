"""Which lines of a large rollout are shown: one for each environment that ends and, of a failure, what led to it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence

from kaizen_tasks.adapters.console.events import EventType, RunEvent
from kaizen_tasks.adapters.console.rollout.progress import RolloutProgress, count_states, longest_running
from kaizen_tasks.domain.text import duration
from kaizen_tasks.domain.text.listing import MAX_ENVIRONMENTS

MAX_DETAILED = MAX_ENVIRONMENTS
"""How many environments a rollout may have of which every step is a line."""

MAX_HELD_LINES = 20  # of an environment, until it is known whether it fails


class LargeRollout:
    """Selects the events of a large rollout that are shown. Safe to use from several threads.

    Args:
        environments: names of its environments.
    """

    def __init__(self, environments: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, deque[RunEvent]] = {name: deque(maxlen=MAX_HELD_LINES) for name in environments}
        self._failed: set[str] = set()

    def __contains__(self, environment: str) -> bool:
        return environment in self._held

    def visible(self, event: RunEvent) -> tuple[RunEvent, ...]:
        """Return what to show once an event has happened: nothing, the event, or also what was held back before it.

        Lines of output and checks that failed are held back until a step of their environment fails; from then on,
        everything about that environment is shown, such as its rollback.
        """
        name = event.environment
        if name not in self._held:
            return (event,)
        with self._lock:
            if event.type is EventType.FINISHED and event.verdict == "failed":
                self._failed.add(name)
            if name in self._failed or event.type is EventType.ENVIRONMENT_FINISHED:
                held, self._held[name] = self._held[name], deque(maxlen=MAX_HELD_LINES)
                return (*(held if event.reason or name in self._failed else ()), event)
            if event.type is EventType.NOTE or event.verdict == "wrong":
                self._held[name].append(event)
            return ()


def select_lines(environments: Sequence[str]) -> LargeRollout | None:
    """Return what selects the lines of a rollout to these environments; None if it is small, and all are shown."""
    return LargeRollout(environments) if len(environments) > MAX_DETAILED else None


def result_text(rollout: RolloutProgress, environment: str, error: str) -> str:
    """Return the line of an environment that has ended: `12 of 60 (38s)`, and what went wrong."""
    environments = {progress.name: progress for progress in rollout.environments}
    finished_count = sum(progress.finished_at is not None for progress in environments.values())
    elapsed = duration.format_duration(environments[environment].elapsed(rollout.monotonic()) or 0)
    return f"{finished_count} of {len(environments)} ({elapsed})" + (f": {error}" if error else "")


def progress_text(rollout: RolloutProgress) -> str:
    """Return how far a rollout is: `12 done, 10 running, 38 waiting; longest: tenant012, deploy for 3m 20s`."""
    environments, now = rollout.environments, rollout.monotonic()
    counts = ", ".join(f"{count} {state}" for state, count in count_states(environments).items() if count)
    longest = longest_running(environments)
    if longest is None:
        return counts
    elapsed = duration.format_duration(longest.elapsed(now) or 0)
    return f"{counts}; longest: {longest.name} for {elapsed}, {longest.step}: {longest.text}"
