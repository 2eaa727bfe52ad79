"""Status of a hundred environments when every AWS response is late.

Listing the services takes five requests one after the other, twenty services in each; everything else must be requested
meanwhile. Whole processes are measured, with their start.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import fleet
from benchmarks.results import Number, count
from benchmarks.timing import summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.results import Result

SIZE = 100
LATENCY_SECONDS = 0.2
MAX_ROUND_TRIPS = 10
MAX_MEGABYTES = 100
ROUNDS = 5


def results() -> Iterator[Result]:
    """Measure round trips, and memory."""
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet.released_fleet(Path(folder), size=SIZE - 1, canary=1, parallel=SIZE, deploy_seconds=0) as app,
    ):
        prompt = summary([app.measure("status", "--json") for _ in range(ROUNDS)])
        app.delay(LATENCY_SECONDS)
        delayed = summary([app.measure("status", "--json") for _ in range(ROUNDS)])
    work = f"inv status of {SIZE} environments"
    late = f"with answers {LATENCY_SECONDS * 1000:.0f} ms later"
    yield count(
        work,
        "round trips, one after the other",
        (delayed.seconds - prompt.seconds) / LATENCY_SECONDS,
        goal=MAX_ROUND_TRIPS,
        beside=[Number(work, prompt.seconds, "s"), Number(late, delayed.seconds, "s")],
    )
    yield count(work, "peak memory", prompt.megabytes, goal=MAX_MEGABYTES, unit="MB")
