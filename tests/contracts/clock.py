"""What every clock must do."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.errors import Interrupted

if TYPE_CHECKING:
    from kaizen_tasks.ports.clock import Clock


class ClockContract:
    """Subclasses provide the fixture `clock`."""

    def test_says_the_time_in_utc(self, clock: Clock) -> None:
        assert clock.now().tzinfo is UTC

    def test_moves_on_by_what_is_slept(self, clock: Clock) -> None:
        now, elapsed = clock.now(), clock.monotonic()
        clock.sleep(0.01)

        assert clock.monotonic() - elapsed >= 0.01
        assert clock.now() > now

    def test_cancelled_waits_raise(self, clock: Clock) -> None:
        clock.cancel_waits()

        with pytest.raises(Interrupted):
            clock.sleep(3600)

    def test_dates_a_release_within_a_day_of_now(self, clock: Clock) -> None:
        assert abs(clock.release_date() - clock.now().date()) <= timedelta(days=1)
