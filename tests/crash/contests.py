"""Two rollouts of one release to the same environment: at the same moment, or one that wakes up too late."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from itertools import dropwhile
from typing import TYPE_CHECKING

from tests.crash import kills
from tests.crash.libraries import finished
from tests.crash.outcomes import Outcome, outcome
from tests.e2e.worlds import PATIENCE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.crash.kills import Point
    from tests.crash.landscapes import Landscape
    from tests.crash.nursery import Nursery

WORDS = ("promote-prod", "--yes")
LOCK = {"pk": {"S": "lock#prod"}, "sk": {"S": "lock"}}
LONG_AGO = "2020-01-01T00:00:00.000000+00:00"
TAKES = "dynamodb UpdateItem"
"""The request that takes a lock, or gives it back."""


def under_lock(points: Iterable[Point]) -> tuple[int, ...]:
    """Return the numbers of a promotion's requests from the one on that follows the taking of its lock."""
    asked = [point for point in points if point.of == "request" and point.phase == "after"]
    return tuple(point.number for point in dropwhile(lambda point: point.label != TAKES, asked))[1:]


def at_once(before: Landscape, folder: Path, nursery: Nursery, wanted: Outcome) -> tuple[str, ...]:
    """Let two people promote at once, and return what is wrong afterwards."""
    copy = before.copied(folder).risen(nursery)
    try:
        ended = [finished(each) for each in [copy.library.start(*WORDS) for _ in range(2)]]
        codes = sorted(each.code for each in ended)
        told = () if codes in ([0, 0], [0, 4]) else (f"they exit {codes}: {[each.err for each in ended]}",)
        return (*told, *wanted.differences(outcome(copy)))
    finally:
        copy.fall()


def woken(before: Landscape, folder: Path, nursery: Nursery, wanted: Outcome, at: int) -> tuple[str, ...]:
    """Stop a run at a request until its lease is over and another has taken over; return what is wrong afterwards.

    Args:
        before: the moment before the promotion.
        folder: where it happens; it does not exist yet.
        nursery: starts the cloud.
        wanted: what one promotion leaves.
        at: number of the request whose answer it does not hear.
    """
    copy = before.copied(folder).risen(nursery)
    try:
        copy.arrange({"park": True, "late": True}, skip=at - 1)
        with _started(copy) as first:
            if not _stop(first, copy):
                return (kills.UNREACHED,)
            _run_out(copy)
            second = copy.library.inv(*WORDS)
            os.kill(first.pid, signal.SIGCONT)
            return tuple(_judged(first, second.code, copy, wanted))
    finally:
        copy.fall()


@contextmanager
def _started(copy: Landscape) -> Iterator[subprocess.Popen[str]]:
    """Start a promotion which does not outlive the `with`, stopped or not."""
    with kills.start(WORDS, copy.library, at=0, phase="before") as command:
        try:
            yield command
        finally:
            command.kill()


def _stop(command: subprocess.Popen[str], copy: Landscape) -> bool:
    """Stop a command when its call waits in the cloud; the answer then waits for it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and command.poll() is None:
        if copy.control("GET", "parked?seconds=0.5"):
            os.kill(command.pid, signal.SIGSTOP)
            copy.control("POST", "parked", {"drop": False})
            return True
    finished(command)
    return False


def _run_out(copy: Landscape) -> None:
    """Let the lease of the run that is stopped be over; one that was stopped at its end has given the lock back."""
    lock = copy.ask("dynamodb", "GetItem", TableName="kaizen-web", Key=LOCK, ConsistentRead=True).get("Item", {})
    if "token" not in lock:
        return
    copy.ask(
        "dynamodb",
        "UpdateItem",
        TableName="kaizen-web",
        Key=LOCK,
        UpdateExpression="SET expires = :past",
        ConditionExpression="attribute_exists(#token)",
        ExpressionAttributeNames={"#token": "token"},
        ExpressionAttributeValues={":past": {"S": LONG_AGO}},
    )


def _judged(first: subprocess.Popen[str], second: int, copy: Landscape, wanted: Outcome) -> Iterator[str]:
    late = finished(first)
    if second:
        yield f"the second exits {second}"
    if late.code not in (0, 4):
        yield f"the first wakes up and exits {late.code}: {late.err}"
    yield from wanted.differences(outcome(copy))
