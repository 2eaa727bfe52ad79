"""Status of a hundred environments that have a history: its calls, its time, and what it waits for.

The floor asks the same of AWS and of the apps, in as many threads, with nothing but boto3; whole processes are
measured, with their start. Listing the services takes five requests one after the other, twenty services in each;
everything else must be requested meanwhile, which is measured with late responses.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import fleet
from benchmarks.bench_dashboard import with_history
from benchmarks.results import Kind, Number, count, ratio
from benchmarks.timing import run, summary
from kaizen_tasks.flows.views.status import MAX_CONCURRENT_ENVIRONMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.fleet import Fleet
    from benchmarks.results import Result
    from benchmarks.timing import Cost

SIZE = 100
RELEASES = 100
LATENCY_SECONDS = 0.2
MAX_CALLS = 110
MAX_ROUND_TRIPS = 10
MAX_MEGABYTES = 100
TIME_GOAL = 1.3
ROUNDS = 5


def results() -> Iterator[Result]:
    """Measure calls, time, round trips, and memory."""
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet.released_fleet(Path(folder), size=SIZE - 1, canary=1, parallel=SIZE, deploy_seconds=0) as new_app,
    ):
        app = with_history(new_app, releases=RELEASES, everywhere=True)
        calls = _count_calls(app)
        prompt, floor, floor_calls = _measure_pairs(app)
        app.delay(LATENCY_SECONDS)
        delayed = summary([app.measure("status", "--json") for _ in range(ROUNDS)])
    work = f"inv status of {SIZE} environments"
    ours = Number("inv status", prompt.seconds, "s")
    note = f"of processor time {prompt.cpu_seconds:.2f} and {floor.cpu_seconds:.2f} s; median of {ROUNDS}"
    yield count(work, "AWS calls", calls, goal=MAX_CALLS, beside=[Number("boto3 alone", floor_calls)])
    yield ratio(
        work,
        "time, times its bare calls",
        Kind.FLOOR,
        ours=ours,
        against=[Number("boto3 alone", floor.seconds, "s")],
        goal=TIME_GOAL,
        note=note,
    )
    late = f"with answers {LATENCY_SECONDS * 1000:.0f} ms later"
    yield count(
        work,
        "round trips, one after the other",
        (delayed.seconds - prompt.seconds) / LATENCY_SECONDS,
        goal=MAX_ROUND_TRIPS,
        beside=[ours, Number(late, delayed.seconds, "s")],
    )
    yield count(work, "peak memory", prompt.megabytes, goal=MAX_MEGABYTES, unit="MB")


def _count_calls(app: Fleet) -> int:
    """Return how many AWS calls the status takes, once this machine knows the labels of the images."""
    app.inv("status", "--json")
    before = len(app.cloud.requests)
    app.inv("status", "--json")
    return sum(each["service"] != "registry" for each in app.cloud.requests[before:])


def _measure_pairs(app: Fleet) -> tuple[Cost, Cost, int]:
    """Return what the status and the floor cost, run in turn, and how many AWS calls the floor takes."""
    names = ["staging", *fleet.tenant_names(SIZE - 1)]
    url, threads = app.environ["AWS_ENDPOINT_URL"], str(MAX_CONCURRENT_ENVIRONMENTS)
    argv = (sys.executable, "-m", "benchmarks.status_floor", url, threads, *names)
    root = Path(__file__).parents[1]
    pairs = [(app.measure("status", "--json"), run(argv, root, app.environ)) for _ in range(ROUNDS)]
    calls = int(pairs[0][1][0])
    return summary([cost for cost, _ in pairs]), summary([cost for _, (_, cost) in pairs]), calls
