"""What the step at work is doing: adapters report it while they build and transfer, and the reporter shows it.

It is no parameter of the ports' methods, because only some adapters have something to report. Work that a call hands
over to other threads takes the observer along with `contextvars.copy_context`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Protocol

INTERVAL_SECONDS = 0.5
"""Between two reports of a state: more often nobody can read them."""


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


@contextmanager
def reporting_state(describe: Callable[[], str]) -> Iterator[None]:
    """Report a state again and again while the context lasts, also when nothing happens, and once more at its end.

    Args:
        describe: returns the state, or nothing if there is none yet; called from another thread.
    """
    ended = threading.Event()

    def report() -> None:
        if text := describe():
            report_activity(text, replaces=True)

    def report_until_the_end() -> None:
        while not ended.wait(INTERVAL_SECONDS):
            report()

    threading.Thread(target=copy_context().run, args=(report_until_the_end,), name="activity", daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        report()
