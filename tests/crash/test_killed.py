"""A command that is killed and typed again ends as if nothing had happened; `nox -s crash` tries every point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.campaign import Field, spread, survey
from tests.crash.kills import UNREACHED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.campaign import Terrain

pytestmark = pytest.mark.e2e

SAMPLE = 40


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Field:
    return survey(tmp_path_factory.mktemp("crash"))


@pytest.mark.parametrize("number", range(SAMPLE))
def test_finishes_what_was_killed(field: Field, number: int, tmp_path: Path) -> None:
    point = spread(field.points, SAMPLE)[number]
    assert field.strike(point, tmp_path / "copy") == (), point


@pytest.mark.parametrize("number", range(SAMPLE))
def test_finishes_a_rollout_that_was_killed(terrain: Terrain, number: int, tmp_path: Path) -> None:
    point = spread(terrain.points, SAMPLE)[number]
    wrong = terrain.strike(point, tmp_path / "copy")
    assert wrong in ((), (UNREACHED,)), point
