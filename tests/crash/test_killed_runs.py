"""A command that is killed and run again ends in the same state; `nox -s crash` tries every kill point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.campaign import WRONG_CLOCKS, ReleaseCases, sample_evenly
from tests.crash.release_kills import NOT_REACHED
from tests.support.wrong_clock import wrong_clock

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.campaign import RolloutCases

pytestmark = pytest.mark.e2e

SAMPLE = 10
HANDOVERS = 3


@pytest.fixture(scope="module")
def release_runs(tmp_path_factory: pytest.TempPathFactory) -> ReleaseCases:
    return ReleaseCases(folder=tmp_path_factory.mktemp("crash"))


@pytest.mark.parametrize("number", range(SAMPLE))
def test_killed_release_is_finished_by_the_next_run(release_runs: ReleaseCases, number: int, tmp_path: Path) -> None:
    point = sample_evenly(release_runs.points, SAMPLE)[number]
    assert release_runs.kill_and_rerun(point, tmp_path / "copy") == (), point


@pytest.mark.parametrize("number", range(SAMPLE))
def test_killed_rollout_is_finished_by_the_next_run(rollout_runs: RolloutCases, number: int, tmp_path: Path) -> None:
    point = sample_evenly(rollout_runs.points, SAMPLE)[number]
    wrong = rollout_runs.kill_and_rerun(point, tmp_path / "copy")
    assert wrong in ((), (NOT_REACHED,)), point


@pytest.mark.parametrize(("number", "seconds"), [*enumerate(WRONG_CLOCKS)])
def test_killed_rollout_is_finished_on_a_machine_with_another_clock(
    rollout_runs: RolloutCases, number: int, seconds: int, tmp_path: Path
) -> None:
    under_lock = [point for point in rollout_runs.points if point.label.startswith(("ecr", "apprunner"))]
    point = sample_evenly(under_lock, len(WRONG_CLOCKS))[number]
    wrong = rollout_runs.kill_and_rerun(point, tmp_path / "copy", elsewhere=wrong_clock(seconds))
    assert wrong in ((), (NOT_REACHED,)), point


@pytest.mark.parametrize("number", range(HANDOVERS))
def test_killed_rollout_is_finished_by_another_machine(rollout_runs: RolloutCases, number: int, tmp_path: Path) -> None:
    """From a fresh clone, with another host name and another clock: one commit, one number, one digest."""
    point = sample_evenly(rollout_runs.handover_points, HANDOVERS)[number]
    assert rollout_runs.kill_and_hand_over(point, tmp_path / "copy") in ((), (NOT_REACHED,)), point
