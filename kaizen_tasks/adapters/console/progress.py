"""The state of every environment during a rollout; `progress_table` draws it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from enum import StrEnum

from attrs import evolve, frozen


class ProgressState(StrEnum):
    """State of an environment, in the words of the table; the most urgent first."""

    FAILED = "failed"
    ACTIVE = "running"
    WAITING = "waiting"
    DONE = "done"


@frozen(kw_only=True)
class EnvironmentProgress:
    """One environment.

    Attributes:
        name: its name.
        typical_duration: seconds that a release usually takes there; None when unknown.
        state: how far it is.
        step: the current step, or the last one.
        text: what the step reports.
        started_at: monotonic time of its first step; None before.
        finished_at: monotonic time of its end; None before.
    """

    name: str
    typical_duration: float | None = None
    state: ProgressState = ProgressState.WAITING
    step: str = ""
    text: str = ""
    started_at: float | None = None
    finished_at: float | None = None

    def elapsed(self, now: float) -> float | None:
        """Return the seconds since it started, up to its end; None before."""
        if self.started_at is None:
            return None
        return (now if self.finished_at is None else self.finished_at) - self.started_at


class RolloutProgress:
    """Every environment of a rollout. Thread-safe.

    Args:
        environments: names, in order.
        monotonic: returns a time that never goes back, in seconds.
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
        """A snapshot of every environment."""
        with self._lock:
            return tuple(self._environments.values())

    def set_typical_duration(self, environment: str, seconds: float | None) -> None:
        """Store how long a release usually takes in an environment."""
        self._update(environment, lambda progress: evolve(progress, typical_duration=seconds))

    def start_step(self, environment: str, step: str, text: str) -> None:
        """Store that an environment has reached a step."""
        now = self.monotonic()

        def start(old: EnvironmentProgress) -> EnvironmentProgress:
            started_at = now if old.started_at is None else old.started_at
            state = ProgressState.ACTIVE
            return evolve(old, state=state, step=step, text=text, started_at=started_at, finished_at=None)

        self._update(environment, start)

    def update_text(self, environment: str, text: str) -> None:
        """Store how far the step is."""
        self._update(environment, lambda progress: evolve(progress, text=text))

    def finish(self, environment: str, error: str) -> EnvironmentProgress:
        """Store that an environment has ended, with its error, and return its last state."""
        state, now = ProgressState.FAILED if error else ProgressState.DONE, self.monotonic()
        return self._update(environment, lambda old: evolve(old, state=state, text=error or old.text, finished_at=now))

    def _update(
        self, environment: str, change: Callable[[EnvironmentProgress], EnvironmentProgress]
    ) -> EnvironmentProgress:
        with self._lock:
            progress = self._environments[environment] = change(self._environments[environment])
            return progress


def count_states(environments: Iterable[EnvironmentProgress]) -> dict[ProgressState, int]:
    """Return how many environments are in each state."""
    states = [environment.state for environment in environments]
    return {state: states.count(state) for state in ProgressState}


def environments_that_fit(
    environments: tuple[EnvironmentProgress, ...], height: int
) -> tuple[EnvironmentProgress, ...]:
    """Return the rows to show on a terminal that is too low for all: failed, then running, then waiting environments.

    They keep the order in which they were given.
    """
    if len(environments) <= height:
        return environments
    urgency = list(ProgressState)
    selection = sorted(environments, key=lambda environment: urgency.index(environment.state))[: max(height, 0)]
    names = {environment.name for environment in selection}
    return tuple(environment for environment in environments if environment.name in names)
