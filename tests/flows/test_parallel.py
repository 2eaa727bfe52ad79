"""Many things at a time: all of them, whatever happens to some."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from kaizen_tasks.flows.parallel import for_each_parallel

WITHIN = 10.0
"""Seconds for something that takes milliseconds, on a busy machine."""


def test_works_on_so_many_at_the_same_time() -> None:
    together = threading.Barrier(3)

    for_each_parallel(lambda _: together.wait(WITHIN), range(6), max_workers=3)


@pytest.mark.parametrize("items", [[], ["only"]])
def test_needs_no_other_thread_for_one(items: list[str]) -> None:
    seen: list[threading.Thread] = []

    for_each_parallel(lambda _: seen.append(threading.current_thread()), items, max_workers=8)

    assert seen == [threading.main_thread()] * len(items)


def test_goes_on_after_an_error_and_raises_the_one_that_comes_first() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        done.append(number)
        if number in {1, 3}:
            raise ValueError(f"number {number}")

    with pytest.raises(ValueError, match="number 1"):
        for_each_parallel(work, range(5), max_workers=2)

    assert sorted(done) == [0, 1, 2, 3, 4]


def test_begins_nothing_more_when_it_is_interrupted() -> None:
    """And does not come back before what is under way has ended: it may have an effect."""
    begun, ended = [], []

    def work(number: int) -> None:
        begun.append(number)
        if number == 0:
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        ended.append(number)

    with pytest.raises(KeyboardInterrupt):
        for_each_parallel(work, range(20), max_workers=2)

    assert len(begun) == len(ended) < 20
