"""Concurrent releases and rollouts; `nox -s crash` runs more rounds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.crash.release_kills import NOT_REACHED
from tests.crash.release_races import race_two_releases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.campaign import RolloutCases

pytestmark = pytest.mark.e2e

ROUNDS = 3


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


def test_runs_resumed_after_their_lease_expired_change_nothing(rollout_runs: RolloutCases, tmp_path: Path) -> None:
    """All rounds at once, since each waits for a whole lease."""

    def resume(number: int) -> tuple[str, ...]:
        return rollout_runs.resume_after_lease(tmp_path / f"woken-{number}", number, ROUNDS)

    with ThreadPoolExecutor(ROUNDS) as pool:
        results = set(pool.map(resume, range(ROUNDS)))

    assert () in results
    assert results <= {(), (NOT_REACHED,)}
