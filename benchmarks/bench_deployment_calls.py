"""The AWS calls that one more environment on App Runner costs in a promotion; tests pin them for every platform.

Two promotions with a history are compared, to three environments and to four. Not counted are the calls that one run
makes for all of its environments, such as those for their locks, and the registry's own requests.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import fleet
from benchmarks.results import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.fleet import Fleet
    from benchmarks.results import Result

TENANTS = [f"tenant{number:03}" for number in range(7)]
GOAL, WHOLE_GOAL = 9, 11
BATCHED, LOCK = "BatchGetItem", "UpdateItem"


def results() -> Iterator[Result]:
    """Count the calls."""
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet.released_fleet(Path(folder), size=len(TENANTS), canary=1, parallel=7, deploy_seconds=2) as app,
    ):
        app.inv("promote-tenants")
        app.release("A crash")
        three_locked, three_before = _promote(app, TENANTS[:3])
        four_locked, four_before = _promote(app, TENANTS[3:])
    work, locked, before = (
        "deployment on App Runner, with history",
        four_locked - three_locked,
        four_before - three_before,
    )
    yield count(work, "AWS calls between the lock and its release", locked, goal=GOAL)
    yield count(work, "AWS calls of the whole promotion", before + locked, goal=WHOLE_GOAL)


def _promote(app: Fleet, names: list[str]) -> tuple[int, int]:
    """Return the number of AWS calls from the first lock on, and of those before it."""
    first = len(app.cloud.requests)
    app.inv("promote", *(word for name in names for word in ("--env", name)))
    calls = [each["operation"] for each in app.cloud.requests[first:] if each["service"] != "registry"]
    calls = [call for call in calls if call != BATCHED]
    first_lock = calls.index(LOCK)
    return len(calls) - first_lock, first_lock
