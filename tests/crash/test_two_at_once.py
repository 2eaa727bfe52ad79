"""Two people release at the same moment; `nox -s crash` has more rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.races import race

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("number", range(5))
def test_one_wins_and_the_other_goes_on(number: int, tmp_path: Path) -> None:
    assert race(tmp_path / "race", own_work=number % 2 == 1) == ()
