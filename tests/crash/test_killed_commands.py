"""A command before a deployment runs exactly once in a release that is killed twice; `nox -s crash` kills a hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash import command_kills

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.campaign import RolloutCases

pytestmark = pytest.mark.e2e


def test_command_runs_once_in_a_release_that_is_killed_before_it_sees_the_answer(
    rollout_runs: RolloutCases, tmp_path: Path
) -> None:
    moment = rollout_runs.moment("release-staging")
    cases = command_kills.prepare(moment, tmp_path / "cases", rollout_runs.fork_server)
    (point,) = (each for each in cases.points if (each.label, each.phase) == (command_kills.RUN_TASK, "after"))

    assert cases.kill_twice_and_rerun(point, tmp_path / "copy") == ()
