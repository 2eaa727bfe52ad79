"""When to look at something that takes its time: seldom, and about when it should be over."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_INTERVAL = 0.2
"""Seconds between two looks, at least."""

MAX_INTERVAL = 30.0
"""Seconds between two looks, at most."""

FIRST_POLL_FACTOR = 1.02
"""What is usual is a median: a little later, most are over; whoever waits for longer lets all of them wait."""

FIRST_STEP_FRACTION = 0.05
"""The first pause after that, as a part of what is usual."""

BACKOFF_FACTOR = 1.5
"""Each pause is longer than the one before by this factor."""

JITTER_FRACTION = 0.25
"""The part by which a pause may be longer, so that many deployments begun together are not looked at together."""


def poll_times(median_seconds: float, *, seed: str) -> Iterator[float]:
    """Yield without end the seconds after its beginning at which a deployment is to be looked at.

    Args:
        median_seconds: seconds that one takes as a rule; 0 when nobody knows.
        seed: decides the jitter, so that it can be repeated: the deployment's identifier.
    """
    elapsed = max(MIN_INTERVAL, median_seconds * FIRST_POLL_FACTOR)
    interval = min(max(MIN_INTERVAL, median_seconds * FIRST_STEP_FRACTION), MAX_INTERVAL)
    attempt = 0
    while True:
        yield elapsed
        elapsed += interval * (1 + JITTER_FRACTION * _pseudo_random(seed, attempt))
        interval = min(interval * BACKOFF_FACTOR, MAX_INTERVAL)
        attempt += 1


def retry_times(initial_delay: float, *, seed: str) -> Iterator[float]:
    """Yield without end the seconds after which to try again what can be tried at any time: more and more seldom.

    Args:
        initial_delay: seconds until the first.
        seed: decides the jitter.
    """
    elapsed, interval, attempt = 0.0, initial_delay, 0
    while True:
        elapsed += interval * (1 + JITTER_FRACTION * _pseudo_random(seed, attempt))
        yield elapsed
        interval = min(interval * 2, MAX_INTERVAL)
        attempt += 1


def _pseudo_random(seed: str, attempt: int) -> float:
    """Return a number from 0 up to 1 that looks random and is not."""
    return int.from_bytes(hashlib.sha256(f"{seed} {attempt}".encode()).digest()[:4], "big") / 2**32
