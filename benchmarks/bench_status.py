"""Status of a hundred environments when every AWS response is late.

Listing the services takes five requests one after the other, twenty services in each; everything else must be requested
meanwhile. Whole processes are measured, with their start.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import fleet
from benchmarks.timing import Result, report

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 100
LATENCY_SECONDS = 0.2
ROUND_TRIPS_TARGET = 10.0
MEMORY_TARGET = 1.25
ROUNDS = 5


def main() -> int:
    """Print the results; fail if a target was missed."""
    return report(_results())


def _results() -> Iterator[Result]:
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet.released_fleet(Path(folder), size=SIZE - 1, canary=1, parallel=SIZE, deploy_seconds=0) as app,
    ):
        single = app.measure("status", "--json", "--env", "staging")
        prompt = [app.measure("status", "--json") for _ in range(ROUNDS)]
        app.delay(LATENCY_SECONDS)
        delayed = [app.measure("status", "--json") for _ in range(ROUNDS)]
    prompt_seconds, delayed_seconds = (statistics.median(cost.seconds for cost in costs) for costs in (prompt, delayed))
    what = f"{SIZE} environments"
    yield Result(
        what="inv status: round trips that it waits for one after the other",
        ratio=(delayed_seconds - prompt_seconds) / LATENCY_SECONDS,
        target=ROUND_TRIPS_TARGET,
        numbers=f"{what}; {LATENCY_SECONDS * 1000:.0f} ms later responses make it {prompt_seconds:.2f} s → "
        f"{delayed_seconds:.2f} s; median of {ROUNDS}",
    )
    peak = max(cost.megabytes for cost in prompt)
    yield Result(
        what="inv status: memory, times that of one environment",
        ratio=peak / single.megabytes,
        target=MEMORY_TARGET,
        numbers=f"{what}; peak {peak:.0f} MB, of one environment {single.megabytes:.0f} MB",
    )


if __name__ == "__main__":
    sys.exit(main())
