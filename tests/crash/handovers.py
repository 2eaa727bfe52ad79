"""A release that was killed in one clone is finished in a fresh clone, on another machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from tests.crash import outcomes, release_kills, rollout_kills
from tests.crash.library import Library, wait_for_result
from tests.crash.outcomes import Outcome, collect_outcome
from tests.crash.snapshots import REFS
from tests.support.wrong_clock import wrong_clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.crash.cloud_fork_server import CloudForkServer
    from tests.crash.release_kills import KillPoint
    from tests.crash.rollout_cases import RolloutCase
    from tests.crash.sandbox import TeamSandbox
    from tests.support.git_repository import Repository
    from tests.support.workspaces import CommandResult

HANDOVERS = ("release-staging", "hotfix", "promote-prod")
SKEWS = (-290, 0, 290)
"""Seconds by which the clock of the second machine is wrong; AWS refuses 300."""

ROOT = Path(__file__).parents[2]


def kill_and_hand_over(
    rollout: RolloutCase,
    sandbox: TeamSandbox,
    folder: Path,
    fork_server: CloudForkServer,
    *,
    point: KillPoint,
    expected: Outcome,
    skew: int,
) -> tuple[str, ...]:
    """Kill a rollout at a point in a copy, finish it from a fresh clone on another machine, and return what is wrong.

    Args:
        rollout: the command.
        sandbox: the state before it.
        folder: a new folder to work in.
        fork_server: starts the cloud.
        point: where to kill the command.
        expected: the outcome of a run that is not killed.
        skew: seconds by which the clock of the second machine is wrong.
    """
    copy = sandbox.copy_to(folder).start_cloud(fork_server)
    try:
        branch = copy.repository.git("rev-parse", "--abbrev-ref", "HEAD")
        copy.repository.git("push", "--quiet", "origin", branch)
        if not rollout_kills.kill(rollout, copy, point):
            return (release_kills.NOT_REACHED,)
        for name in outcomes.lock_expiries(copy):
            copy.library.inv("lock.release", "--env", name.removeprefix("lock#"), "--force").expect_success()
        return tuple(_check_handover(rollout, copy, branch, expected, skew))
    finally:
        copy.destroy()


def _check_handover(
    rollout: RolloutCase, copy: TeamSandbox, branch: str, expected: Outcome, skew: int
) -> Iterator[str]:
    clone = copy.library.clone_for_colleague(copy.folder / "elsewhere")
    clone.repository.git("switch", "--quiet", branch)
    result = run_elsewhere(clone, copy.library.environ, skew, rollout.words)
    if result.code:
        yield f"in the fresh clone, it exits {result.code}: {result.err.strip()}\n{result.out}"
    outcome = collect_outcome(copy)
    yield from expected.differences(evolve(outcome, repository=expected.repository))
    yield from _check_remote(copy.repository, expected)


def run_elsewhere(clone: Library, environ: Mapping[str, str], skew: int, words: tuple[str, ...]) -> CommandResult:
    """Run `inv …` in a clone as another machine."""
    argv = [sys.executable, "-m", "tests.crash.other_machine", *words]
    variables = {**environ, **clone.environ, "PYTHONPATH": str(ROOT), "GIT_COMMITTER_DATE": release_kills.RERUN_DATE}
    variables |= wrong_clock(skew) if skew else {}
    process = subprocess.Popen(
        argv, cwd=clone.path, env={**variables, **cloud_variables(environ)}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True,
    )  # fmt: skip
    return wait_for_result(process)


def cloud_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that point a command at the local cloud."""
    return {name: value for name, value in environ.items() if name.startswith(("AWS_", "KAIZEN_", "INVOKE_"))}


def _check_remote(repository: Repository, expected: Outcome) -> Iterator[str]:
    """Yield what is wrong with the remote: other refs than expected, or two commits for one number."""
    refs = repository.remote_git("for-each-ref", REFS)
    if refs != expected.repository.remote:
        yield f"the remote is {refs!r}, not {expected.repository.remote!r}"
    subjects = repository.remote_git("log", "--all", "--format=%s").splitlines()
    releases = [subject for subject in subjects if re.match(r"Release v", subject)]
    if len(releases) != len(set(releases)):
        yield f"a number has two commits: {sorted(releases)}"


def clock_of(point: KillPoint) -> int:
    """Return the skew of the second machine's clock for a point; the points take turns."""
    return SKEWS[point.number % len(SKEWS)]
