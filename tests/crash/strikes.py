"""Kills a deployment at a request, a program or a file that it writes, and types the command again."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kaizen_tasks.flows.locking.session import LEASE
from tests.crash import kills, outcomes
from tests.crash.kills import Point
from tests.crash.libraries import finished
from tests.crash.outcomes import Outcome, outcome
from tests.e2e.worlds import PATIENCE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crash.landscapes import Landscape
    from tests.crash.nursery import Nursery
    from tests.crash.rollouts import Rollout
    from tests.e2e.worlds import Finished


def rehearse(rollout: Rollout, before: Landscape, folder: Path, nursery: Nursery) -> tuple[Outcome, tuple[Point, ...]]:
    """Run a rollout unharmed in a copy: what it leaves, and every point on the way that is its own."""
    copy = before.copied(folder).risen(nursery)
    try:
        asked = len(copy.requests)
        with rollout.meanwhile():
            kills.run(rollout.words, copy.library, at=0, phase="before").well()
        requests = [_label(each) for each in copy.requests[asked:]]
        points = tuple(
            Point(scene=rollout.name, number=number, phase=phase, label=label, of="request")
            for number, label in enumerate(requests, 1)
            for phase in ("before", "after")
        )
        every = (*points, *kills.points(rollout.name, copy.folder / "events"))
        return outcome(copy), tuple(point for point in every if point.label.startswith(rollout.own))
    finally:
        copy.fall()


def _label(request: dict[str, object]) -> str:
    what = request.get("operation") or f"{request['method']} {request['path']}"
    return re.sub(r"sha256:\w+|uploads/[\w-]+", "*", f"{request['service']} {what}")


def strike(
    rollout: Rollout, before: Landscape, folder: Path, nursery: Nursery, *, point: Point, wanted: Outcome
) -> tuple[str, ...]:
    """Kill a rollout at a point in a copy, type it again, and return what is wrong then."""
    copy = before.copied(folder).risen(nursery)
    try:
        with rollout.meanwhile():
            if not _kill(rollout, copy, point):
                return (kills.UNREACHED,)
            return tuple(_afterwards(rollout, copy, wanted))
    finally:
        copy.fall()


def _kill(rollout: Rollout, copy: Landscape, point: Point) -> bool:
    if point.of == "event":
        killed = kills.run(rollout.words, copy.library, at=point.number, phase=point.phase)
        return killed.code == -signal.SIGKILL
    copy.arrange({"park": True, "late": point.phase == "after"}, skip=point.number - 1)
    return kill_parked(copy.library.start(*rollout.words), copy).code == -signal.SIGKILL


def kill_parked(command: subprocess.Popen[str], copy: Landscape) -> Finished:
    """Kill a command, with everything it has started, as soon as one of its calls waits in the cloud."""
    deadline = time.monotonic() + PATIENCE
    while command.poll() is None and time.monotonic() < deadline:
        if copy.control("GET", "parked?seconds=0.5"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(command.pid, signal.SIGKILL)
            break
    ended = finished(command)
    copy.control("POST", "parked", {"drop": True})
    copy.control("DELETE", "faults")
    return ended


def _afterwards(rollout: Rollout, copy: Landscape, wanted: Outcome) -> Iterator[str]:
    latest = datetime.now(UTC) + timedelta(seconds=LEASE)
    for name, expires in outcomes.leases(copy).items():
        if datetime.fromisoformat(expires) > latest:
            yield f"{name} lasts until {expires}"
    again = copy.library.inv(*rollout.words)
    if again.code:
        yield f"typed again, it exits {again.code}: {again.err.strip()}\n{again.out}"
    yield from wanted.differences(outcome(copy))
