"""When to look at something that takes its time: seldom, and about when it should be over."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST = 0.2
"""Seconds between two looks, at least."""

LONGEST = 30.0
"""Seconds between two looks, at most."""

MARGIN = 1.02
"""What is usual is a median: a little later, most are over; whoever waits for longer lets all of them wait."""

STEP = 0.05
"""The first pause after that, as a part of what is usual."""

GROWTH = 1.5
"""Each pause is longer than the one before by this factor."""

JITTER = 0.25
"""The part by which a pause may be longer, so that many deployments begun together are not looked at together."""


def looks(usual: float, *, seed: str) -> Iterator[float]:
    """Yield without end the seconds after its beginning at which a deployment is to be looked at.

    Args:
        usual: seconds that one takes as a rule; 0 when nobody knows.
        seed: decides the jitter, so that it can be repeated: the deployment's identifier.
    """
    moment = max(SHORTEST, usual * MARGIN)
    pause = min(max(SHORTEST, usual * STEP), LONGEST)
    count = 0
    while True:
        yield moment
        moment += pause * (1 + JITTER * _fraction(seed, count))
        pause = min(pause * GROWTH, LONGEST)
        count += 1


def retries(first: float, *, seed: str) -> Iterator[float]:
    """Yield without end the seconds after which to try again what can be tried at any time: more and more seldom.

    Args:
        first: seconds until the first.
        seed: decides the jitter.
    """
    moment, pause, count = 0.0, first, 0
    while True:
        moment += pause * (1 + JITTER * _fraction(seed, count))
        yield moment
        pause = min(pause * 2, LONGEST)
        count += 1


def _fraction(seed: str, count: int) -> float:
    """Return a number from 0 up to 1 that looks random and is not."""
    return int.from_bytes(hashlib.sha256(f"{seed} {count}".encode()).digest()[:4], "big") / 2**32
