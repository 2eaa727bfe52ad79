"""A release that goes to a hundred environments in waves, against the time that nobody can do it in less.

Ideal is the number of waves that the configuration asks for, the canary's among them, times the seconds that one
deployment takes: the environments of a wave deploy at the same time, and a wave begins when the one before has ended.
Everything else is ours: starting, locking, copying images, finding out that a deployment has ended, having the app
prove itself (one right answer is asked for), writing it down.

It is the second release that is measured. The first has taught the ledger how long a deployment takes here, as any
release but the first finds it.
"""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import fleet
from benchmarks.timing import Result, report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.fleet import Fleet

SIZE = 100
CANARY = 1
PARALLEL = 25
WAVES = 1 + math.ceil((SIZE - CANARY) / PARALLEL)
DEPLOYMENT = 3.0
TARGET = 1.25
MEGABYTES = 200.0


def main() -> int:
    """Print the results; fail when one misses its target."""
    return report(_results())


def _results() -> Iterator[Result]:
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet.established(Path(folder), size=SIZE, canary=CANARY, parallel=PARALLEL, seconds=DEPLOYMENT) as world,
    ):
        world.inv("promote-tenants")
        world.release("A crash")
        run = world.measured("promote-tenants")
        _demand(world)
    ideal = WAVES * DEPLOYMENT
    what = f"{SIZE} environments, {PARALLEL} at once, deployments of {DEPLOYMENT:.0f} s"
    shown = f"{run.seconds:.1f} s, ideal {ideal:.0f} s in {WAVES} waves, {run.processor:.1f} s of processor; {what}"
    yield Result(what="inv promote, times the ideal", ratio=run.seconds / ideal, target=TARGET, numbers=shown)
    shown = f"{run.megabytes:.0f} MB at the peak; {what}"
    ratio = run.megabytes / MEGABYTES
    yield Result(what=f"inv promote: memory, times {MEGABYTES:.0f} MB", ratio=ratio, target=1.0, numbers=shown)


def _demand(world: Fleet) -> None:
    """Demand that the release is everywhere: otherwise its time says nothing.

    Raises:
        RuntimeError: somewhere it is not.
    """
    seen = world.status()
    stray = [name for name, each in seen.items() if each["drift"] or each["digest"] != seen["staging"]["digest"]]
    if stray:
        raise RuntimeError(f"not released: {', '.join(stray)}")


if __name__ == "__main__":
    sys.exit(main())
