"""One refresh for all who look, and none while nobody does."""

from __future__ import annotations

import threading

import pytest
from attrs import define, field

from kaizen_tasks.errors import Unreachable
from kaizen_tasks.flows.views.refresh import IDLE_SHARE, SharedRefresh
from tests.fakes.clock import START, FakeClock
from tests.support.waiting import HANG_SECONDS


@define
class Source:
    """Counts how often it is read; raises the error that is set."""

    clock: FakeClock
    seconds: float = 0.0
    error: Exception | None = None
    count: int = field(init=False, default=0)

    def read(self) -> int:
        self.count += 1
        self.clock.advance(self.seconds)
        if self.error:
            raise self.error
        return self.count


@pytest.fixture
def source() -> Source:
    return Source(FakeClock())


def shared(source: Source) -> SharedRefresh[int]:
    return SharedRefresh(source.read, source.clock, 15.0)


def test_what_is_young_enough_is_not_read_again(source: Source) -> None:
    refresh = shared(source)
    source.clock.advance(14.9)

    assert [refresh.get().number for _ in range(3)] == [1, 1, 1]
    assert source.count == 1


def test_it_is_read_again_when_somebody_asks_and_not_before(source: Source) -> None:
    """Nobody has looked for an hour."""
    refresh = shared(source)
    source.clock.advance(3600)

    assert source.count == 1
    assert (refresh.get().value, refresh.get().value) == (2, 2)
    assert source.count == 2


def test_a_failed_refresh_keeps_the_last_value_and_says_why(source: Source) -> None:
    refresh = shared(source)
    source.clock.advance(20)
    source.error = Unreachable("dynamodb does not answer", hint="run the same command again")

    failed = refresh.get()

    assert (failed.value, failed.number, failed.at, failed.error) == (1, 1, START, "dynamodb does not answer")
    assert refresh.get() == failed
    assert source.count == 2  # an error is not asked about again at once either


def test_after_a_failure_the_next_value_has_no_error(source: Source) -> None:
    refresh = shared(source)
    source.clock.advance(20)
    source.error = ValueError("bad\nnews")
    assert refresh.get().error == "unexpected ValueError: bad"

    source.clock.advance(20)
    source.error = None

    assert (refresh.get().error, refresh.get().number) == ("", 2)


def test_the_first_error_is_that_of_the_command(source: Source) -> None:
    source.error = Unreachable("dynamodb does not answer")

    with pytest.raises(Unreachable):
        shared(source)


def test_a_slow_refresh_does_not_follow_on_itself(source: Source) -> None:
    """Of 20 seconds of reading, 80 are free of it."""
    source.seconds = 20.0
    refresh = shared(source)

    source.clock.advance(IDLE_SHARE * 20 - 1)
    assert refresh.get().number == 1
    source.clock.advance(1)
    assert refresh.get().number == 2


def test_those_who_ask_at_once_share_one_refresh(source: Source) -> None:
    refresh = shared(source)
    source.clock.advance(20)
    barrier, numbers = threading.Barrier(8), []

    def look() -> None:
        barrier.wait(HANG_SECONDS)
        numbers.append(refresh.get().number)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_SECONDS)

    assert (numbers, source.count) == ([2] * 8, 2)
