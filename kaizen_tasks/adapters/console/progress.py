"""What is known of several environments while a release goes to them, side by side; drawn by `board_table`."""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import evolve, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class ProgressState(StrEnum):
    """How far an environment is, in the words of the table; the most urgent first."""

    FAILED = "failed"
    ACTIVE = "at work"
    WAITING = "waiting"
    DONE = "done"


@frozen(kw_only=True)
class EnvironmentProgress:
    """One environment.

    Attributes:
        name: which.
        typical_duration: seconds that a release usually takes there; None when nobody knows.
        state: how far it is.
        step: the step it is at, or was at last.
        text: what is to be said of that.
        started_at: when its first step was reached, in elapsed seconds; None before.
        finished_at: when nothing more was to happen; None before.
    """

    name: str
    typical_duration: float | None = None
    state: ProgressState = ProgressState.WAITING
    step: str = ""
    text: str = ""
    started_at: float | None = None
    finished_at: float | None = None

    def elapsed(self, now: float) -> float | None:
        """Return the seconds since it began, or that it took; None before."""
        return (
            None
            if self.started_at is None
            else (now if self.finished_at is None else self.finished_at) - self.started_at
        )


class RolloutProgress:
    """Every environment of a rollout. Safe to use from several threads.

    Args:
        environments: names, in order.
        monotonic: seconds that only ever grow.
    """

    def __init__(self, environments: Iterable[str], monotonic: Callable[[], float]) -> None:
        self.monotonic = monotonic
        self.started_at = monotonic()
        self._lock = threading.Lock()
        self._environments = {name: EnvironmentProgress(name=name) for name in environments}

    def __contains__(self, environment: str) -> bool:
        return environment in self._environments

    @property
    def environments(self) -> tuple[EnvironmentProgress, ...]:
        """Every environment as it is at this moment."""
        with self._lock:
            return tuple(self._environments.values())

    def set_typical_duration(self, environment: str, seconds: float | None) -> None:
        """Note how long a release usually takes in an environment."""
        with self._lock:
            self._environments[environment] = evolve(self._environments[environment], typical_duration=seconds)

    def start_step(self, environment: str, step: str, text: str) -> None:
        """Note that an environment has come to a step."""
        with self._lock:
            progress = self._environments[environment]
            started_at = self.monotonic() if progress.started_at is None else progress.started_at
            self._environments[environment] = evolve(
                progress, state=ProgressState.ACTIVE, step=step, text=text, started_at=started_at, finished_at=None
            )

    def update_text(self, environment: str, text: str) -> None:
        """Note how far the step is."""
        with self._lock:
            self._environments[environment] = evolve(self._environments[environment], text=text)

    def finish(self, environment: str, error: str) -> EnvironmentProgress:
        """Note that nothing more will happen in an environment, and what is wrong there; return it as it is now."""
        with self._lock:
            progress = self._environments[environment]
            state = ProgressState.FAILED if error else ProgressState.DONE
            self._environments[environment] = evolve(
                progress, state=state, text=error or progress.text, finished_at=self.monotonic()
            )
            return self._environments[environment]


def count_states(environments: Iterable[EnvironmentProgress]) -> dict[ProgressState, int]:
    """Return how many environments are in each state."""
    states = [environment.state for environment in environments]
    return {state: states.count(state) for state in ProgressState}


def environments_that_fit(
    environments: tuple[EnvironmentProgress, ...], height: int
) -> tuple[EnvironmentProgress, ...]:
    """Return the lines to show where not all have room: what failed, what is at work, what is next, in their order."""
    if len(environments) <= height:
        return environments
    urgency = list(ProgressState)
    selection = sorted(environments, key=lambda environment: urgency.index(environment.state))[: max(height, 0)]
    names = {environment.name for environment in selection}
    return tuple(environment for environment in environments if environment.name in names)
