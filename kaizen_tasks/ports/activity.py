"""What the step at work is doing: adapters report it while they build and transfer, and the reporter shows it.

It is no parameter of the ports' methods, because only some adapters have something to report. Work that a call hands
over to other threads takes the observer along with `contextvars.copy_context`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class ActivityObserver(Protocol):
    """Receives what the step at work is doing."""

    def __call__(self, text: str, *, replaces: bool = False) -> None:
        """Show a line of a program's output or, with `replaces`, a state that takes the place of the last one."""


_observer: ContextVar[ActivityObserver | None] = ContextVar("activity_observer", default=None)


def report_activity(text: str, *, replaces: bool = False) -> None:
    """Tell the observer of this thread's step what the step is doing; outside of a step, nobody is told.

    Args:
        text: a line of a program's output, or a state such as `34 MB of 110 MB`.
        replaces: whether the text takes the place of the last state.
    """
    observer = _observer.get()
    if observer is not None:
        observer(text, replaces=replaces)


@contextmanager
def observing_activity(observer: ActivityObserver) -> Iterator[None]:
    """Let an observer receive the activity of this thread while the context lasts."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)
