"""What is known of several environments while a release goes to them, side by side; drawn by `board_table`."""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import evolve, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class State(StrEnum):
    """How far an environment is, in the words of the table; the most urgent first."""

    FAILED = "failed"
    ACTIVE = "at work"
    WAITING = "waiting"
    DONE = "done"


@frozen(kw_only=True)
class Line:
    """One environment.

    Attributes:
        name: which.
        usual: seconds that a release usually takes there; None when nobody knows.
        state: how far it is.
        step: the step it is at, or was at last.
        text: what is to be said of that.
        began: when its first step was reached, in elapsed seconds; None before.
        ended: when nothing more was to happen; None before.
    """

    name: str
    usual: float | None = None
    state: State = State.WAITING
    step: str = ""
    text: str = ""
    began: float | None = None
    ended: float | None = None

    def took(self, now: float) -> float | None:
        """Return the seconds since it began, or that it took; None before."""
        return None if self.began is None else (now if self.ended is None else self.ended) - self.began


class Board:
    """Every environment of a rollout. Safe to use from several threads.

    Args:
        environments: names, in order.
        elapsed: seconds that only ever grow.
    """

    def __init__(self, environments: Iterable[str], elapsed: Callable[[], float]) -> None:
        self.elapsed = elapsed
        self.began = elapsed()
        self._lock = threading.Lock()
        self._lines = {name: Line(name=name) for name in environments}

    def __contains__(self, environment: str) -> bool:
        return environment in self._lines

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every environment as it is at this moment."""
        with self._lock:
            return tuple(self._lines.values())

    def expect(self, environment: str, seconds: float | None) -> None:
        """Note how long a release usually takes in an environment."""
        with self._lock:
            self._lines[environment] = evolve(self._lines[environment], usual=seconds)

    def reach(self, environment: str, step: str, text: str) -> None:
        """Note that an environment has come to a step."""
        with self._lock:
            line = self._lines[environment]
            began = self.elapsed() if line.began is None else line.began
            self._lines[environment] = evolve(line, state=State.ACTIVE, step=step, text=text, began=began, ended=None)

    def say(self, environment: str, text: str) -> None:
        """Note how far the step is."""
        with self._lock:
            self._lines[environment] = evolve(self._lines[environment], text=text)

    def end(self, environment: str, fault: str) -> Line:
        """Note that nothing more will happen in an environment, and what is wrong there; return it as it is now."""
        with self._lock:
            line = self._lines[environment]
            state = State.FAILED if fault else State.DONE
            self._lines[environment] = evolve(line, state=state, text=fault or line.text, ended=self.elapsed())
            return self._lines[environment]


def counts(lines: Iterable[Line]) -> dict[State, int]:
    """Return how many environments are in each state."""
    states = [line.state for line in lines]
    return {state: states.count(state) for state in State}


def chosen(lines: tuple[Line, ...], room: int) -> tuple[Line, ...]:
    """Return the lines to show where not all have room: what failed, what is at work, what is next, in their order."""
    if len(lines) <= room:
        return lines
    urgency = list(State)
    urgent = sorted(lines, key=lambda line: urgency.index(line.state))[: max(room, 0)]
    names = {line.name for line in urgent}
    return tuple(line for line in lines if line.name in names)
