"""A release to a hundred environments, compared with the shortest possible time.

The ideal is the number of waves that the configuration asks for, including the canary, times the duration of a
deployment: the environments of a wave deploy in parallel. The rest is our own: starting, locking, copying images,
detecting the end of each deployment, verifying (one right answer is enough here), and recording.

The second release is measured: the first one fills the ledger, from which typical durations are read.
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
DEPLOY_SECONDS = 3.0
TIME_TARGET = 1.25
MEMORY_TARGET = 1.25


def main() -> int:
    """Print the results; fail if a target was missed."""
    return report(_results())


def _results() -> Iterator[Result]:
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet.released_fleet(
            Path(folder), size=SIZE, canary=CANARY, parallel=PARALLEL, deploy_seconds=DEPLOY_SECONDS
        ) as app,
    ):
        app.inv("promote-tenants")
        release = app.release("A crash")
        promotion = app.measure("promote-tenants")
        _require_promoted(app)
    ideal = WAVES * DEPLOY_SECONDS
    what = f"{SIZE} environments, {PARALLEL} in parallel, deployments of {DEPLOY_SECONDS:.0f} s"
    yield Result(
        what="inv promote, times the ideal",
        ratio=promotion.seconds / ideal,
        target=TIME_TARGET,
        numbers=f"{promotion.seconds:.1f} s, ideal {ideal:.0f} s in {WAVES} waves, "
        f"{promotion.cpu_seconds:.1f} s of CPU; {what}",
    )
    yield Result(
        what="inv promote: memory, times that of a release to one environment",
        ratio=promotion.megabytes / release.megabytes,
        target=MEMORY_TARGET,
        numbers=f"peak {promotion.megabytes:.0f} MB, of the release {release.megabytes:.0f} MB; {what}",
    )


def _require_promoted(app: Fleet) -> None:
    """Check that the release is everywhere; otherwise its time means nothing.

    Raises:
        RuntimeError: an environment lacks it.
    """
    environments = app.status()
    digest = environments["staging"]["digest"]
    missing = [name for name, status in environments.items() if status["drift"] or status["digest"] != digest]
    if missing:
        raise RuntimeError(f"not promoted: {', '.join(missing)}")


if __name__ == "__main__":
    sys.exit(main())
