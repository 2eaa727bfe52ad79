"""The fake locks keep the promises of locks."""

from __future__ import annotations

import pytest

from kaizen_tasks.errors import Unreachable
from tests.contracts.locks import LocksContract, wanted
from tests.fakes.locks import FakeLocks


class TestContract(LocksContract):
    @pytest.fixture
    def locks(self) -> FakeLocks:
        return FakeLocks()


def test_is_dead_returns_the_configured_answer() -> None:
    locks = FakeLocks(unreachable_calls={"acquire"})

    with pytest.raises(Unreachable):
        locks.acquire(wanted())

    assert locks.get("staging") is None
