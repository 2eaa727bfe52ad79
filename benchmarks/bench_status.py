"""Looking at a hundred environments at once, when every answer of AWS is late.

The whole process is measured, with its start. The services alone cost five answers one after the other, twenty in
each; the rest has to be asked meanwhile.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import fleet
from benchmarks.timing import Result, report

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 100
LATENCY = 0.05
SECONDS = 3.0
MEGABYTES = 200.0
ROUNDS = 5


def main() -> int:
    """Print the results; fail when one misses its target."""
    return report(_results())


def _results() -> Iterator[Result]:
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet.established(Path(folder), size=SIZE - 1, canary=1, parallel=SIZE, seconds=0) as world,
    ):
        world.delay(LATENCY)
        runs = [world.measured("status", "--json") for _ in range(ROUNDS)]
    seconds = sorted(run.seconds for run in runs)[ROUNDS // 2]
    peak = max(run.megabytes for run in runs)
    what = f"{SIZE} environments, {LATENCY * 1000:.0f} ms for each call"
    shown = f"{seconds:.2f} s, median of {ROUNDS}; {what}"
    yield Result(what=f"inv status, times {SECONDS:.0f} s", ratio=seconds / SECONDS, target=1.0, numbers=shown)
    shown = f"{peak:.0f} MB at the peak, the highest of {ROUNDS}; {what}"
    yield Result(
        what=f"inv status: memory, times {MEGABYTES:.0f} MB", ratio=peak / MEGABYTES, target=1.0, numbers=shown
    )


if __name__ == "__main__":
    sys.exit(main())
