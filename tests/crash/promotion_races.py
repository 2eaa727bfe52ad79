"""Two promotions to the same environment: concurrent, or one that resumes after its lease expired."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from itertools import dropwhile
from typing import TYPE_CHECKING

from tests.crash import release_kills
from tests.crash.library import wait_for_result
from tests.crash.outcomes import Outcome, collect_outcome
from tests.support.workspaces import COMMAND_SECONDS

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.crash.cloud_fork_server import CloudForkServer
    from tests.crash.release_kills import KillPoint
    from tests.crash.sandbox import TeamSandbox

PROMOTE = ("promote-prod", "--yes")
AFTER_SUSPENSION = (0, 4, 6)
"""The exit codes of a run that was suspended for a lease: done, the lock is lost, or a request has taken too long."""

LOCK_REQUEST = "dynamodb UpdateItem"
"""The request that acquires or releases a lock."""


def requests_under_lock(points: Iterable[KillPoint]) -> tuple[int, ...]:
    """Return the numbers of a promotion's requests after it acquired its lock."""
    requests = [point for point in points if point.of == "request" and point.phase == "after"]
    return tuple(point.number for point in dropwhile(lambda point: point.label != LOCK_REQUEST, requests))[1:]


def race_two_promotions(
    sandbox: TeamSandbox, folder: Path, fork_server: CloudForkServer, expected: Outcome
) -> tuple[str, ...]:
    """Run two promotions concurrently, and return what is wrong."""
    copy = sandbox.copy_to(folder).start_cloud(fork_server)
    try:
        results = [wait_for_result(result) for result in [copy.library.start(*PROMOTE) for _ in range(2)]]
        codes = sorted(result.code for result in results)
        exit_code_problems = (
            () if codes in ([0, 0], [0, 4]) else (f"they exit {codes}: {[result.err for result in results]}",)
        )
        return (*exit_code_problems, *expected.differences(collect_outcome(copy)))
    finally:
        copy.destroy()


def resume_after_lease(
    sandbox: TeamSandbox, folder: Path, fork_server: CloudForkServer, expected: Outcome, request_number: int
) -> tuple[str, ...]:
    """Suspend a run at a request until another run took over its lease; return what is wrong.

    Args:
        sandbox: the state before the promotion.
        folder: a new folder to work in.
        fork_server: starts the cloud.
        expected: the outcome of one promotion.
        request_number: the request whose answer is delayed.
    """
    copy = sandbox.copy_to(folder).start_cloud(fork_server)
    try:
        copy.inject_fault({"park": True, "late": True}, skip=request_number - 1)
        with _start_promotion(copy) as first_run:
            if not _stop_at_breakpoint(first_run, copy):
                return (release_kills.NOT_REACHED,)
            second_run = copy.library.inv(*PROMOTE)  # which watches the lock for a whole lease
            os.kill(first_run.pid, signal.SIGCONT)
            return tuple(_check_outcome(first_run, second_run.code, copy, expected))
    finally:
        copy.destroy()


@contextmanager
def _start_promotion(copy: TeamSandbox) -> Iterator[subprocess.Popen[str]]:
    """Start a promotion, and kill it at the end of the block."""
    with release_kills.start_intercepted(PROMOTE, copy.library, event_number=0, phase="before") as command:
        try:
            yield command
        finally:
            command.kill()


def _stop_at_breakpoint(command: subprocess.Popen[str], copy: TeamSandbox) -> bool:
    """Suspend a command while its call waits in the cloud, then release the answer."""
    deadline = time.monotonic() + COMMAND_SECONDS
    while time.monotonic() < deadline and command.poll() is None:
        if copy.call_control("GET", "parked?seconds=0.5"):
            os.kill(command.pid, signal.SIGSTOP)
            copy.call_control("POST", "parked", {"drop": False})
            return True
    wait_for_result(command)
    return False


def _check_outcome(
    first_run: subprocess.Popen[str], second_code: int, copy: TeamSandbox, expected: Outcome
) -> Iterator[str]:
    first_result = wait_for_result(first_run)
    if second_code:
        yield f"the second exits {second_code}"
    if first_result.code not in AFTER_SUSPENSION:
        yield f"the first wakes up and exits {first_result.code}: {first_result.err}"
    yield from expected.differences(collect_outcome(copy))
