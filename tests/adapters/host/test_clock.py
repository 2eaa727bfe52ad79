"""The system clock and its fake."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kaizen_tasks.adapters.host.clock import SystemClock
from tests.contracts.clock import ClockContract
from tests.fakes.clock import START, FakeClock


class TestSystemClock(ClockContract):
    @pytest.fixture
    def clock(self) -> SystemClock:
        return SystemClock()


class TestFakeClock(ClockContract):
    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    def test_waits_for_nobody(self) -> None:
        clock = FakeClock()
        clock.sleep(3600)
        clock.advance(60)

        assert clock.now() == START + timedelta(seconds=3660)
        assert clock.sleeps == [3600]
