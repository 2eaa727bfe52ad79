"""Concurrent releases and rollouts; `nox -s crash` runs more rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.release_kills import NOT_REACHED
from tests.crash.release_races import race_two_releases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.campaign import RolloutCases

pytestmark = pytest.mark.e2e

ROUNDS = 5


@pytest.mark.parametrize("number", range(ROUNDS))
def test_one_of_two_releases_wins_and_the_other_can_continue(number: int, tmp_path: Path) -> None:
    assert race_two_releases(tmp_path / "race", own_work=number % 2 == 1) == ()


@pytest.mark.parametrize("number", range(2))
def test_two_concurrent_hotfixes_get_different_numbers(rollout_runs: RolloutCases, number: int, tmp_path: Path) -> None:
    assert rollout_runs.race_two_hotfixes(tmp_path / f"hotfixes-{number}") == ()


@pytest.mark.parametrize("number", range(ROUNDS))
def test_two_concurrent_promotions_have_the_outcome_of_one(
    rollout_runs: RolloutCases, number: int, tmp_path: Path
) -> None:
    assert rollout_runs.race_two_promotions(tmp_path / f"contest-{number}") == ()


@pytest.mark.parametrize("number", range(ROUNDS))
def test_run_resumed_after_its_lease_expired_changes_nothing(
    rollout_runs: RolloutCases, number: int, tmp_path: Path
) -> None:
    wrong = rollout_runs.resume_after_lease(tmp_path / "woken", number, ROUNDS)
    assert wrong in ((), (NOT_REACHED,))
