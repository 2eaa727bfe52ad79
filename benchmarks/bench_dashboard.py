"""The dashboard of a hundred environments and a thousand releases, compared with `inv status` of the same ones.

In one history each release went on to one tenant, in the other one to every tenant: 300,000 entries of the ledger.
Whole processes are measured, with their start; the requests are those that the local cloud has logged.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from benchmarks import fleet
from benchmarks.results import Kind, Number, count, ratio
from benchmarks.timing import summary
from tests.support import fleet_history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.fleet import Fleet
    from benchmarks.results import Result
    from benchmarks.timing import Cost

SIZE = 100
RELEASES = 1000
ROUNDS = 5
TIME_GOAL = 2.0
MAX_KILOBYTES = 300
HISTORIES = {"each release in one tenant": False, "each release everywhere": True}


def results() -> Iterator[Result]:
    """Measure both histories."""
    for what, everywhere in HISTORIES.items():
        yield from _results(what, everywhere=everywhere)


def _results(what: str, *, everywhere: bool) -> Iterator[Result]:
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet.released_fleet(Path(folder), size=SIZE - 1, canary=1, parallel=SIZE, deploy_seconds=0) as new_app,
    ):
        app = with_history(new_app, releases=RELEASES, everywhere=everywhere)
        page = Path(folder, "dashboard.html")
        words = {"status": ("status", "--json"), "dashboard": ("dashboard", "--out", str(page))}
        costs, requests = _measure(app, words)
        kilobytes = page.stat().st_size / 1000
    work = f"inv dashboard, {SIZE} environments, {RELEASES:,} releases, {what}"
    seconds = {name: Number(f"inv {name}", cost.seconds, "s") for name, cost in costs.items()}
    cpu = ", ".join(f"{name} {cost.cpu_seconds:.2f} s" for name, cost in costs.items())
    calls = ", ".join(f"{name} {number}" for name, number in requests.items())
    note = f"of processor time {cpu}; AWS calls {calls}; median of {ROUNDS}"
    ours, floor = seconds["dashboard"], seconds["status"]
    yield ratio(work, "time, times inv status", Kind.FLOOR, ours=ours, against=[floor], goal=TIME_GOAL, note=note)
    yield count(work, "size of the page", kilobytes, goal=MAX_KILOBYTES, unit="kB")


def _measure(app: Fleet, words: dict[str, tuple[str, ...]]) -> tuple[dict[str, Cost], dict[str, int]]:
    """Run the commands in turn, so that other load affects both; the first round does not count but for requests."""
    costs: dict[str, list[Cost]] = {name: [] for name in words}
    requests = {}
    for number in range(ROUNDS + 1):
        for name, line in words.items():
            before = len(app.cloud.requests) if not number else 0
            cost = app.measure(*line)
            if number:
                costs[name].append(cost)
            else:
                requests[name] = len(app.cloud.requests) - before
    return {name: summary(each) for name, each in costs.items()}, requests


def with_history(app: Fleet, *, releases: int, everywhere: bool) -> Fleet:
    """Give an app a history, which ends now: commits, tags, a changelog, and what its ledger has."""
    now = datetime.now(UTC)
    commits = fleet_history.add_release_commits(app.clone, releases, now)
    history = fleet_history.fleet_history(
        environments=SIZE, releases=releases, everywhere=everywhere, commits=commits, now=now
    )
    fleet_history.commit_changelog(app.clone, history)
    app.cloud.stop()
    fleet_history.append_to_journal(history, app.cloud.state / "elsewhere.jsonl", app="fleet", region="eu-west-1")
    app.cloud.start()
    return evolve(app, environ={**app.environ, "AWS_ENDPOINT_URL": app.cloud.endpoint_url})
