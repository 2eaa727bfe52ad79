"""Kills a rollout at a request, a program or a file write, and runs the command again."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kaizen_tasks.domain.lock import LEASE_SECONDS
from tests.crash import outcomes, release_kills
from tests.crash.library import wait_for_result
from tests.crash.outcomes import Outcome, collect_outcome
from tests.crash.release_kills import KillPoint
from tests.support.workspaces import COMMAND_SECONDS

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.crash.cloud_fork_server import CloudForkServer
    from tests.crash.rollout_cases import RolloutCase
    from tests.crash.sandbox import TeamSandbox
    from tests.support.workspaces import CommandResult


def record(
    rollout: RolloutCase, sandbox: TeamSandbox, folder: Path, fork_server: CloudForkServer
) -> tuple[Outcome, tuple[KillPoint, ...]]:
    """Run a rollout in a copy without a kill; return its outcome and its kill points."""
    copy = sandbox.copy_to(folder).start_cloud(fork_server)
    try:
        request_count = len(copy.requests)
        with rollout.meanwhile():
            release_kills.run_intercepted(rollout.words, copy.library, event_number=0, phase="before").expect_success()
        requests = [_describe_request(request) for request in copy.requests[request_count:]]
        points = tuple(
            KillPoint(scene=rollout.name, number=number, phase=phase, label=label, of="request")
            for number, label in enumerate(requests, 1)
            for phase in ("before", "after")
        )
        all_points = (*points, *release_kills.kill_points(rollout.name, copy.folder / "events"))
        return collect_outcome(copy), tuple(point for point in all_points if point.label.startswith(rollout.own))
    finally:
        copy.destroy()


def _describe_request(request: dict[str, object]) -> str:
    operation = request.get("operation") or f"{request['method']} {request['path']}"
    return re.sub(r"sha256:\w+|uploads/[\w-]+", "*", f"{request['service']} {operation}")


def kill_and_rerun(
    rollout: RolloutCase,
    sandbox: TeamSandbox,
    folder: Path,
    fork_server: CloudForkServer,
    *,
    point: KillPoint,
    expected: Outcome,
    elsewhere: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Kill a rollout at a point in a copy, run it again, and return what is wrong.

    Args:
        rollout: the command.
        sandbox: the state before it.
        folder: a new folder to work in.
        fork_server: starts the cloud.
        point: where to kill it.
        expected: the outcome without a kill.
        elsewhere: variables of another machine, on which it is run again; None for the same machine.
    """
    copy = sandbox.copy_to(folder).start_cloud(fork_server)
    try:
        with rollout.meanwhile():
            if not kill(rollout, copy, point):
                return (release_kills.NOT_REACHED,)
            if elsewhere is not None:
                outcomes.move_locks_to_another_machine(copy)
            return tuple(_check_rerun(rollout, copy, expected, elsewhere or {}))
    finally:
        copy.destroy()


def kill(rollout: RolloutCase, copy: TeamSandbox, point: KillPoint) -> bool:
    if point.of == "event":
        killed = release_kills.run_intercepted(
            rollout.words, copy.library, event_number=point.number, phase=point.phase
        )
        return killed.code == -signal.SIGKILL
    copy.inject_fault({"park": True, "late": point.phase == "after"}, skip=point.number - 1)
    return kill_at_breakpoint(copy.library.start(*rollout.words), copy).code == -signal.SIGKILL


def kill_at_breakpoint(command: subprocess.Popen[str], copy: TeamSandbox) -> CommandResult:
    """Kill a command with its children as soon as one of its calls waits in the cloud."""
    deadline = time.monotonic() + COMMAND_SECONDS
    while command.poll() is None and time.monotonic() < deadline:
        if copy.call_control("GET", "parked?seconds=0.5"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(command.pid, signal.SIGKILL)
            break
    result = wait_for_result(command)
    copy.call_control("POST", "parked", {"drop": True})
    copy.call_control("DELETE", "faults")
    return result


def _check_rerun(
    rollout: RolloutCase, copy: TeamSandbox, expected: Outcome, variables: Mapping[str, str]
) -> Iterator[str]:
    latest_expiry = datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS)
    for name, expires in outcomes.lock_expiries(copy).items():
        if datetime.fromisoformat(expires) > latest_expiry:
            yield f"{name} lasts until {expires}"
    rerun = copy.library.inv(*rollout.words, **variables)
    if rerun.code:
        yield f"run again, it exits {rerun.code}: {rerun.err.strip()}\n{rerun.out}"
    yield from expected.differences(collect_outcome(copy))
