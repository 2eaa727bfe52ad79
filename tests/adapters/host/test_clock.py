"""The system clock and its fake."""

from __future__ import annotations

import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.errors import UsageError
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


def test_days_of_a_release_by_the_calendar_of_a_zone() -> None:
    """1767225600 is 2026-01-01 00:00 UTC."""
    days = {
        zone: SystemClock(timezone=zone, source_date_epoch="1767225600").release_date().isoformat()
        for zone in ("", "UTC", "Pacific/Kiritimati", "America/Los_Angeles")
    }

    assert days == {
        "": "2026-01-01",
        "UTC": "2026-01-01",
        "Pacific/Kiritimati": "2026-01-01",
        "America/Los_Angeles": "2025-12-31",
    }


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_day_of_a_release_is_that_of_this_machine(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        local, zoned = SystemClock(), SystemClock(timezone=zone)

        assert local.release_date() in {zoned.release_date(), zoned.now().astimezone(ZoneInfo(zone)).date()}
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("seconds", ["tomorrow", "1e9", "9" * 30, "-"])
def test_source_date_epoch_that_is_no_time_is_refused(seconds: str) -> None:
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
        SystemClock(source_date_epoch=seconds).release_date()
