"""How long an attempt of a change may go on: the lock guard sets the limit, adapters ask for it before each attempt.

It is no parameter of the ports' methods, because only what is sent over a network needs it. Work that a call hands over
to other threads takes the limit along with `contextvars.copy_context`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

AttemptLimit = Callable[[], float]
"""Returns the seconds that are left for an attempt; raises `Locked` when no further one must be sent."""

_limit: ContextVar[AttemptLimit | None] = ContextVar("attempt_limit", default=None)


def attempt_seconds() -> float:
    """Return for how many seconds an attempt that is sent now may go on; infinity where nothing limits it.

    Raises:
        Locked: the lock that protects the change is lost, so nothing must be sent.
    """
    limit = _limit.get()
    if limit is None:
        return math.inf
    with limit_attempts(None):  # the limit may read the lock
        return limit()


@contextmanager
def limit_attempts(limit: AttemptLimit | None) -> Iterator[None]:
    """Limit the attempts of this thread while the context lasts; None for no limit."""
    token = _limit.set(limit)
    try:
        yield
    finally:
        _limit.reset(token)
