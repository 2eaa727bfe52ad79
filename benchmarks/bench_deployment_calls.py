"""The AWS calls that one more environment on App Runner costs in a promotion; tests pin them for every platform.

Two promotions with a history are compared, to two environments and to three. Not counted are the calls that one run
makes for all of its environments, the registry's own requests, and renewals of locks, one in ten seconds.
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

TENANTS = [f"tenant{number:03}" for number in range(5)]
GOAL, WHOLE_GOAL = 9, 13
BATCHED, RENEWAL = "BatchGetItem", "UpdateItem"


def results() -> Iterator[Result]:
    """Count the calls."""
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet.released_fleet(Path(folder), size=len(TENANTS), canary=1, parallel=5, deploy_seconds=2) as app,
    ):
        app.inv("promote-tenants")
        app.release("A crash")
        two_inside, two_before = _promote(app, TENANTS[:2])
        three_inside, three_before = _promote(app, TENANTS[2:])
    work, inside, before = (
        "deployment on App Runner, with history",
        three_inside - two_inside,
        three_before - two_before,
    )
    yield count(work, "AWS calls between the lock and its release", inside, goal=GOAL)
    yield count(work, "AWS calls of the whole promotion", before + inside + 2, goal=WHOLE_GOAL, note="without renewals")


def _promote(app: Fleet, names: list[str]) -> tuple[int, int]:
    """Return the number of AWS calls between the locks and their release, and before the locks."""
    first = len(app.cloud.requests)
    app.inv("promote", *(word for name in names for word in ("--env", name)))
    calls = [each["operation"] for each in app.cloud.requests[first:] if each["service"] != "registry"]
    calls = [call for call in calls if call != BATCHED]
    locks = [index for index, call in enumerate(calls) if call == RENEWAL]
    inside = calls[locks[len(names) - 1] + 1 : locks[-len(names)]]
    return len([call for call in inside if call != RENEWAL]), locks[0]
