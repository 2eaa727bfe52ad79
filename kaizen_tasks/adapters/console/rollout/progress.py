"""The state of every environment during a rollout; `progress_table` draws it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from enum import StrEnum

from attrs import evolve, frozen


class ProgressState(StrEnum):
    """State of an environment, as the table shows it; the most urgent state comes first."""

    FAILED = "failed"
    INTERRUPTED = "interrupted"
    ACTIVE = "running"
    WAITING = "waiting"
    DONE = "done"


@frozen(kw_only=True)
class EnvironmentProgress:
    """The progress of one environment.

    Attributes:
        name: the environment's name.
        typical_duration: seconds that a release to the environment usually takes; None when unknown.
        state: the environment's state.
        step: the current step or, at the end, the last one.
        text: what the step reports.
        started_at: monotonic time of the first step; None before it.
        finished_at: monotonic time of the end; None before it.
    """

    name: str
    typical_duration: float | None = None
    state: ProgressState = ProgressState.WAITING
    step: str = ""
    text: str = ""
    started_at: float | None = None
    finished_at: float | None = None

    def elapsed(self, now: float) -> float | None:
        """Return the seconds since the environment started, until `now` or its end; None if it has not started."""
        if self.started_at is None:
            return None
        return (now if self.finished_at is None else self.finished_at) - self.started_at


class RolloutProgress:
    """The progress of every environment of a rollout. Safe to use from several threads.

    Args:
        environments: names of the environments, in order.
        monotonic: returns the seconds of a clock that never goes back.
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
        """The current progress of every environment, in order."""
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
        """Store what an environment's current step reports."""
        self._update(environment, lambda progress: evolve(progress, text=text))

    def finish(self, environment: str, error: str, *, is_interrupted: bool = False) -> EnvironmentProgress:
        """Store an environment's end, with its error or an empty text, and return its progress."""
        failed = ProgressState.INTERRUPTED if is_interrupted else ProgressState.FAILED
        state, now = failed if error else ProgressState.DONE, self.monotonic()
        return self._update(environment, lambda old: evolve(old, state=state, text=error or old.text, finished_at=now))

    def _update(
        self, environment: str, change: Callable[[EnvironmentProgress], EnvironmentProgress]
    ) -> EnvironmentProgress:
        with self._lock:
            progress = self._environments[environment] = change(self._environments[environment])
            return progress


def count_states(environments: Iterable[EnvironmentProgress]) -> dict[ProgressState, int]:
    """Return the number of environments in each state."""
    states = [environment.state for environment in environments]
    return {state: states.count(state) for state in ProgressState}


def longest_running(environments: Iterable[EnvironmentProgress]) -> EnvironmentProgress | None:
    """Return the environment that has been running for longest; None if none is running."""
    running = [each for each in environments if each.state is ProgressState.ACTIVE]
    return min(running, key=lambda each: each.started_at or 0, default=None)


def without_ends(environments: Iterable[EnvironmentProgress]) -> tuple[EnvironmentProgress, ...]:
    """Return the environments that are at work, and those that did not succeed: the rest has no news."""
    settled = {ProgressState.DONE, ProgressState.WAITING}
    return tuple(each for each in environments if each.state not in settled)


def environments_that_fit(
    environments: tuple[EnvironmentProgress, ...], height: int
) -> tuple[EnvironmentProgress, ...]:
    """Return at most `height` environments, in the given order.

    Failed environments are preferred, then running, then waiting ones.
    """
    if len(environments) <= height:
        return environments
    urgency = list(ProgressState)
    selection = sorted(environments, key=lambda environment: urgency.index(environment.state))[: max(height, 0)]
    names = {environment.name for environment in selection}
    return tuple(environment for environment in environments if environment.name in names)
