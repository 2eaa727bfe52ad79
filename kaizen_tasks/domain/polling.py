"""Times at which to poll a deployment: few, and close to its usual end."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator

MEDIAN_SAMPLE_SIZE = 5  # number of recent deployments that predict the duration of the next one
MIN_INTERVAL = 0.2  # minimum seconds between two polls
MAX_INTERVAL = 30.0  # maximum seconds between two polls
FIRST_POLL_FACTOR = 1.02  # of the median duration: more than half of the deployments have ended by then
FIRST_STEP_FRACTION = 0.05  # the pause after the first poll, as a part of the median duration
BACKOFF_FACTOR = 1.5  # the factor by which each pause is longer than the previous one
JITTER_FRACTION = 0.25  # of a pause, added to it so that deployments started together are not polled together


def recent_median(durations: Iterable[float]) -> float:
    """Return the median of the first few durations that are not 0, or 0 if there are none."""
    from statistics import median

    sample = list(itertools.islice(filter(None, durations), MEDIAN_SAMPLE_SIZE))
    return median(sample) if sample else 0.0


def poll_times(median_seconds: float, *, seed: str) -> Iterator[float]:
    """Return an endless iterator of the times at which to poll a deployment, in seconds since its start.

    Args:
        median_seconds: median duration of deployments; 0 when it is unknown.
        seed: the deployment's identifier, which determines the jitter, so that it is reproducible.
    """
    first = max(MIN_INTERVAL, median_seconds * FIRST_POLL_FACTOR)
    interval = min(max(MIN_INTERVAL, median_seconds * FIRST_STEP_FRACTION), MAX_INTERVAL)
    return _times(first, interval, BACKOFF_FACTOR, seed)


def retry_times(initial_delay: float, *, seed: str) -> Iterator[float]:
    """Return an endless iterator of the times at which to retry, in seconds, at growing intervals.

    Args:
        initial_delay: seconds until the first retry.
        seed: determines the jitter.
    """
    return itertools.islice(_times(0.0, initial_delay, 2.0, seed), 1, None)


def _times(elapsed: float, interval: float, factor: float, seed: str) -> Iterator[float]:
    for attempt in itertools.count():
        yield elapsed
        elapsed += interval * (1 + JITTER_FRACTION * _pseudo_random(seed, attempt))
        interval = min(interval * factor, MAX_INTERVAL)


def _pseudo_random(seed: str, attempt: int) -> float:
    """Return a reproducible number from 0 to less than 1."""
    return int.from_bytes(hashlib.sha256(f"{seed} {attempt}".encode()).digest()[:4], "big") / 2**32
