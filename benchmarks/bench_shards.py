"""A release to a thousand environments in four shards, compared with the shortest possible time.

The shards start at the same time on one machine, beside one local cloud, which runs a thousand programs. The ideal is
the number of waves of the largest shard times the duration of a deployment. The canary goes first and is not measured.

In the first rollout a part of all calls is refused, as AWS and a registry refuse those that are beyond their rates. The
second one is measured: it knows from the ledger how long deployments take.
"""

from __future__ import annotations

import math
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import fleet
from benchmarks.results import Kind, NotMeasured, Number, count, ratio
from kaizen_tasks.config.tables import RolloutRules
from kaizen_tasks.domain.rollout import Shard

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.fleet import Fleet
    from benchmarks.results import Row
    from benchmarks.timing import Cost

SIZE = 1000
CANARY = "tenant000"
SHARDS = tuple(Shard(number=number, count=4) for number in range(1, 5))
PARALLEL = RolloutRules().parallel
DEPLOY_SECONDS = 3.0
TIME_GOAL = 1.3
MAX_MEGABYTES = 150
THROTTLED_PART = 20
"""One of so many calls is throttled in the first rollout."""

MIN_MEMORY_BYTES = 12 << 30
"""What a machine needs for a thousand programs with their supervisors, some of them twice while they are replaced."""

REFUSAL = {"error": {"code": "ThrottlingException", "status": HTTPStatus.BAD_REQUEST}}
REFUSALS = {
    **dict.fromkeys(("apprunner", "dynamodb", "ecr", "sts"), REFUSAL),
    "registry": {"error": {"code": "TOOMANYREQUESTS", "status": HTTPStatus.TOO_MANY_REQUESTS}},
}
"""How a call is refused that is beyond the rate, by service."""


def results() -> Iterator[Row]:
    """Measure a rollout, and the outcome of one whose calls are throttled."""
    work = f"rollout of {SIZE:,} in {len(SHARDS)} shards, deployments of {DEPLOY_SECONDS:.0f} s"
    if os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") < MIN_MEMORY_BYTES:
        yield NotMeasured(work, f"needs {MIN_MEMORY_BYTES >> 30} GB of memory")
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet.released_fleet(
            Path(folder), size=SIZE, canary=1, parallel=PARALLEL, deploy_seconds=DEPLOY_SECONDS
        ) as app,
    ):
        _throttle(app)
        yield from _outcome(f"{work}, 1 call of {THROTTLED_PART} throttled", app, _roll_out(app)[1])
        app.cloud.call_control("DELETE", "faults")
        app.release("A crash")
        costs, requests = _roll_out(app)
        yield from _outcome(work, app, requests)
    waves = max(math.ceil(size / PARALLEL) for size in _shard_sizes())
    seconds, cpu_seconds = max(cost.seconds for cost in costs), sum(cost.cpu_seconds for cost in costs)
    yield ratio(
        work,
        "time, times the ideal",
        Kind.FLOOR,
        ours=Number("the slowest shard", seconds, "s"),
        against=[Number(f"ideal of {waves} waves", waves * DEPLOY_SECONDS, "s")],
        goal=TIME_GOAL,
        note=f"{cpu_seconds:.1f} s of processor time in all shards",
    )
    yield count(work, "peak memory of a shard", max(cost.megabytes for cost in costs), goal=MAX_MEGABYTES, unit="MB")


def _shard_sizes() -> list[int]:
    names = [name for name in fleet.tenant_names(SIZE) if name != CANARY]
    return [sum(map(shard.contains, names)) for shard in SHARDS]


def _throttle(app: Fleet) -> None:
    for service, refusal in REFUSALS.items():
        fault = {"do": refusal, "match": {"service": service}, "every": THROTTLED_PART, "times": 10**9}
        app.cloud.call_control("POST", "faults", fault)


def _roll_out(app: Fleet) -> tuple[list[Cost], list[dict[str, Any]]]:
    """Promote to the canary and then to all shards; return their costs, and all requests."""
    logged_count = len(app.cloud.requests)
    app.inv("promote", "--env", CANARY)
    with ThreadPoolExecutor(len(SHARDS)) as pool:
        costs = list(pool.map(lambda shard: app.measure("promote-tenants", "--shard", str(shard)), SHARDS))
    return costs, app.cloud.requests[logged_count:]


def _outcome(work: str, app: Fleet, requests: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """Count the environments that lack the release or have not verified it, and deployments that are too many."""
    environments = app.status()
    expected = environments["staging"]["digest"]
    lost = [name for name, status in environments.items() if status["drift"] or status["digest"] != expected]
    throttled = sum(
        request.get("error") == "ThrottlingException" or request["status"] == HTTPStatus.TOO_MANY_REQUESTS
        for request in requests
    )
    beside = [Number("calls and requests", len(requests)), Number("throttled", throttled)]
    yield count(work, "environments without the release", len(lost), goal=0, beside=beside)
    starts = [request for request in requests if request.get("operation") == "StartDeployment"]
    accepted = sum(request["status"] == HTTPStatus.OK for request in starts)
    yield count(work, "deployments beyond one an environment", accepted - SIZE, goal=0)
