"""The fake holds keep the promises of holds."""

from __future__ import annotations

import pytest

from tests.contracts.holds import HoldsContract
from tests.fakes.clock import FakeClock
from tests.fakes.holds import FakeHolds


class TestContract(HoldsContract):
    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def holds(self, clock: FakeClock) -> FakeHolds:
        return FakeHolds(clock=clock)
