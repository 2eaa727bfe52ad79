"""A release to a hundred environments, compared with the shortest possible time.

The ideal is the number of waves that the configuration asks for, including the canary, times the duration of a
deployment: the environments of a wave deploy in parallel. The rest is our own: starting, locking, copying images,
detecting the end of each deployment, verifying (one right answer is enough here), and recording.

The second release is measured: the first one fills the ledger, from which typical durations are read.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import fleet
from benchmarks.results import Kind, Number, count, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.fleet import Fleet
    from benchmarks.results import Result

SIZE = 100
CANARY = 1
PARALLEL = 25
WAVES = 1 + math.ceil((SIZE - CANARY) / PARALLEL)
DEPLOY_SECONDS = 3.0
TIME_GOAL = 1.25
MAX_MEGABYTES = 100


def results() -> Iterator[Result]:
    """Measure time and memory."""
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet.released_fleet(
            Path(folder), size=SIZE, canary=CANARY, parallel=PARALLEL, deploy_seconds=DEPLOY_SECONDS
        ) as app,
    ):
        app.inv("promote-tenants")
        app.release("A crash")
        promotion = app.measure("promote-tenants")
        _require_promoted(app)
    work = f"rollout of {SIZE}, {PARALLEL} in parallel, deployments of {DEPLOY_SECONDS:.0f} s"
    ours = Number("inv promote-tenants", promotion.seconds, "s")
    ideal = Number(f"ideal of {WAVES} waves", WAVES * DEPLOY_SECONDS, "s")
    note = f"{promotion.cpu_seconds:.1f} s of processor time"
    yield ratio(work, "time, times the ideal", Kind.FLOOR, ours=ours, against=[ideal], goal=TIME_GOAL, note=note)
    yield count(work, "peak memory", promotion.megabytes, goal=MAX_MEGABYTES, unit="MB")


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
