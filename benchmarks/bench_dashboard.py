"""The dashboard of a hundred environments and a thousand releases, compared with `inv status` of the same ones.

In one history each release went on to one tenant, in the other one to every tenant: 300,000 entries of the ledger.
Whole processes are measured, with their start; the requests are those that the local cloud has logged.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from benchmarks import fleet
from benchmarks.timing import Result, report
from tests.support import fleet_history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.fleet import Fleet

SIZE = 100
RELEASES = 1000
ROUNDS = 5
TIME_TARGET = 2.0
MAX_KILOBYTES = 300
HISTORIES = {"each release in one tenant": False, "each release everywhere": True}


@frozen(kw_only=True)
class Cost:
    """What a command took.

    Attributes:
        seconds: median wall time.
        cpu_seconds: median processor time.
        requests: number of requests to AWS.
    """

    seconds: float
    cpu_seconds: float
    requests: int


def main() -> int:
    """Print the results; fail if a target was missed."""
    return report(result for what, everywhere in HISTORIES.items() for result in _results(what, everywhere=everywhere))


def _results(what: str, *, everywhere: bool) -> Iterator[Result]:
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet.released_fleet(Path(folder), size=SIZE - 1, canary=1, parallel=SIZE, deploy_seconds=0) as new_app,
    ):
        app = with_history(new_app, everywhere=everywhere)
        page = Path(folder, "dashboard.html")
        words = {"status": ("status", "--json"), "dashboard": ("dashboard", "--out", str(page))}
        costs = _measure(app, words)
        kilobytes = page.stat().st_size / 1000
    status, dashboard = costs["status"], costs["dashboard"]
    scale = f"{SIZE} environments, {RELEASES} releases, {what}"
    yield Result(
        what="inv dashboard: seconds, times those of inv status",
        ratio=dashboard.seconds / status.seconds,
        target=TIME_TARGET,
        numbers=f"{scale}; status {status.seconds:.2f} s ({status.cpu_seconds:.2f} s of processor time), dashboard "
        f"{dashboard.seconds:.2f} s ({dashboard.cpu_seconds:.2f} s); requests {status.requests} and "
        f"{dashboard.requests}; median of {ROUNDS}",
    )
    yield Result(
        what="inv dashboard: size of the page, of 300 kB",
        ratio=kilobytes / MAX_KILOBYTES,
        target=1.0,
        numbers=f"{scale}; {kilobytes:.0f} kB",
    )


def _measure(app: Fleet, words: dict[str, tuple[str, ...]]) -> dict[str, Cost]:
    """Run the commands in turn, so that other load affects both; the first round does not count."""
    costs: dict[str, list[fleet.CommandCost]] = {name: [] for name in words}
    requests = {}
    for number in range(ROUNDS + 1):
        for name, line in words.items():
            before = len(app.cloud.requests) if not number else 0
            cost = app.measure(*line)
            if number:
                costs[name].append(cost)
            else:
                requests[name] = len(app.cloud.requests) - before
    return {
        name: Cost(
            seconds=statistics.median(cost.seconds for cost in each),
            cpu_seconds=statistics.median(cost.cpu_seconds for cost in each),
            requests=requests[name],
        )
        for name, each in costs.items()
    }


def with_history(app: Fleet, *, everywhere: bool) -> Fleet:
    """Give an app a history, which ends now: commits, tags, a changelog, and what its ledger has."""
    now = datetime.now(UTC)
    commits = fleet_history.add_release_commits(app.clone, RELEASES, now)
    history = fleet_history.fleet_history(
        environments=SIZE, releases=RELEASES, everywhere=everywhere, commits=commits, now=now
    )
    fleet_history.commit_changelog(app.clone, history)
    app.cloud.stop()
    fleet_history.append_to_journal(history, app.cloud.state / "elsewhere.jsonl", app="fleet", region="eu-west-1")
    app.cloud.start()
    return evolve(app, environ={**app.environ, "AWS_ENDPOINT_URL": app.cloud.endpoint_url})


if __name__ == "__main__":
    sys.exit(main())
