"""Two people release or roll out at the same moment; `nox -s crash` has more rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.kills import UNREACHED
from tests.crash.races import race

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.campaign import Terrain

pytestmark = pytest.mark.e2e

ROUNDS = 5


@pytest.mark.parametrize("number", range(ROUNDS))
def test_one_wins_and_the_other_goes_on(number: int, tmp_path: Path) -> None:
    assert race(tmp_path / "race", own_work=number % 2 == 1) == ()


@pytest.mark.parametrize("number", range(ROUNDS))
def test_two_rollouts_at_once_are_one(terrain: Terrain, number: int, tmp_path: Path) -> None:
    assert terrain.at_once(tmp_path / f"contest-{number}") == ()


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_run_that_wakes_up_too_late_changes_nothing_more(terrain: Terrain, number: int, tmp_path: Path) -> None:
    wrong = terrain.woken(tmp_path / "woken", number, ROUNDS)
    assert wrong in ((), (UNREACHED,))
