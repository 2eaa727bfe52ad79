"""A release to a hundred environments, compared with the shortest possible time.

The ideal is the number of waves that the configuration asks for, including the canary, times the duration of a
deployment: the environments of a wave deploy in parallel. The rest is our own: starting, locking, copying images,
detecting the end of each deployment, verifying (one right answer is enough here), and recording.

The second release is measured: the first one fills the ledger, from which typical durations are read.

The processor time of an environment is that of a rollout to all, without that of a promotion to one. What of it is
ours shows beside the same calls of AWS, of the registry and of the app that another process makes at the same moments,
in as many threads, and without any of our code. For that a third release goes through a server that records.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve
from botocore import xform_name
from botocore.credentials import Credentials

from benchmarks import fleet, recorder
from benchmarks.results import Kind, Number, count, ratio
from benchmarks.timing import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.fleet import Fleet
    from benchmarks.recorder import RecordedCall, Recorder
    from benchmarks.results import Result

SIZE = 100
CANARY = 1
PARALLEL = 25
WAVES = 1 + math.ceil((SIZE - CANARY) / PARALLEL)
DEPLOY_SECONDS = 3.0
TIME_GOAL = 1.2
PROCESSOR_GOAL = 1.5
MAX_MEGABYTES = 100
SERVICES = {
    "AppRunner": "apprunner",
    "DynamoDB_20120810": "dynamodb",
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
}
"""Names for boto3, by the prefix of the operation in a request."""


def results() -> Iterator[Result]:
    """Measure time, memory and processor time."""
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
        command, floor = _processor_seconds(app)
    work = f"rollout of {SIZE}, {PARALLEL} in parallel, deployments of {DEPLOY_SECONDS:.0f} s"
    ours = Number("inv promote-tenants", promotion.seconds, "s")
    ideal = Number(f"ideal of {WAVES} waves", WAVES * DEPLOY_SECONDS, "s")
    note = f"{promotion.cpu_seconds:.1f} s of processor time"
    yield ratio(work, "time, times the ideal", Kind.FLOOR, ours=ours, against=[ideal], goal=TIME_GOAL, note=note)
    yield ratio(
        work,
        "processor time of an environment, times its bare calls",
        Kind.FLOOR,
        ours=Number("inv promote-tenants", command, "s"),
        against=[Number("boto3 alone", floor, "s")],
        goal=PROCESSOR_GOAL,
    )
    yield count(work, "peak memory", promotion.megabytes, goal=MAX_MEGABYTES, unit="MB")


def _processor_seconds(app: Fleet) -> tuple[float, float]:
    """Return the processor time of one more environment: of our command, and of its calls alone."""
    environ = app.environ
    credentials = Credentials(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"])
    with recorder.recording(app.cloud.endpoint_url, credentials) as server:
        pairs = [
            _measure_pair(app, server, f"A crash of {words[0]}", *words)
            for words in (("promote-tenants",), ("promote", "--env", "tenant000"))
        ]
    (all_of_command, all_of_floor), (one_of_command, one_of_floor) = pairs
    return (all_of_command - one_of_command) / (SIZE - 1), (all_of_floor - one_of_floor) / (SIZE - 1)


def _measure_pair(app: Fleet, server: Recorder, change: str, *words: str) -> tuple[float, float]:
    """Release a change; return the processor time of a command that promotes it, and of the calls alone."""
    app.release(change)
    server.calls.clear()
    logged_count = len(app.cloud.requests)
    environ = {**app.environ, "AWS_ENDPOINT_URL": server.url}
    command = evolve(app, environ=environ).measure(*words)
    calls = [*server.calls]
    timeline = _timeline(calls, app.cloud.requests[logged_count:], app.service_urls())
    with recorder.replaying(calls) as url, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.json"
        path.write_text(json.dumps({"url": url, "threads": PARALLEL, "calls": timeline}))
        argv = (sys.executable, "-m", "benchmarks.rollout_floor", str(path))
        floor = run(argv, Path(__file__).parents[1], {**os.environ, **app.environ})[1]
    return command.cpu_seconds, floor.cpu_seconds


def _timeline(calls: list[RecordedCall], log: list[dict[str, Any]], urls: list[str]) -> list[list[Any]]:
    """Return all calls of a command in the form that `rollout_floor` reads, by time."""
    timeline: list[list[Any]] = []
    for call in calls:
        prefix, operation = call.target.split(".")
        timeline.append([call.at, "aws", SERVICES[prefix], xform_name(operation), json.loads(call.body)])
    for request in log:
        if request["service"] == "registry":
            size, status = request["bytes_in"], request["status"]
            timeline.append([request["at"], "registry", request["method"], request["path"], size, status])
    started = (call.at for call in calls if call.target == "AppRunner.StartDeployment")
    timeline += [[at + DEPLOY_SECONDS, "app", f"{url}/version"] for at, url in zip(started, urls, strict=False)]
    timeline.sort(key=lambda entry: entry[0])
    return [[at - timeline[0][0], *call] for at, *call in timeline]


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
