"""A command that is killed and typed again ends as if nothing had happened; `nox -s crash` tries every point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.campaign import ReleaseCases, prepare_releases, sample_evenly
from tests.crash.kills import NOT_REACHED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.campaign import RolloutCases

pytestmark = pytest.mark.e2e

SAMPLE = 40


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> ReleaseCases:
    return prepare_releases(tmp_path_factory.mktemp("crash"))


@pytest.mark.parametrize("number", range(SAMPLE))
def test_finishes_what_was_killed(field: ReleaseCases, number: int, tmp_path: Path) -> None:
    point = sample_evenly(field.points, SAMPLE)[number]
    assert field.kill_and_rerun(point, tmp_path / "copy") == (), point


@pytest.mark.parametrize("number", range(SAMPLE))
def test_finishes_a_rollout_that_was_killed(terrain: RolloutCases, number: int, tmp_path: Path) -> None:
    point = sample_evenly(terrain.points, SAMPLE)[number]
    wrong = terrain.kill_and_rerun(point, tmp_path / "copy")
    assert wrong in ((), (NOT_REACHED,)), point
