"""Running a function for many items at a time."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from kaizen_tasks.flows.parallel import for_each_parallel, map_parallel

WITHIN = 120.0
"""Seconds after which a test that hangs fails."""
MANY = 10_000


def test_for_each_works_on_max_workers_items_at_the_same_time() -> None:
    barrier = threading.Barrier(3)

    for_each_parallel(lambda _: barrier.wait(WITHIN), range(6), max_workers=3)


@pytest.mark.parametrize("items", [[], ["only"]])
def test_for_each_starts_no_thread_for_a_single_item(items: list[str]) -> None:
    threads: list[threading.Thread] = []

    for_each_parallel(lambda _: threads.append(threading.current_thread()), items, max_workers=8)

    assert threads == [threading.main_thread()] * len(items)


def test_for_each_works_on_after_an_error_and_raises_the_first_by_order() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        done.append(number)
        if number in {1, 3}:
            raise ValueError(f"number {number}")

    with pytest.raises(ValueError, match="number 1"):
        for_each_parallel(work, range(5), max_workers=2)

    assert sorted(done) == [0, 1, 2, 3, 4]


def test_for_each_interrupted_starts_nothing_more_and_waits_for_what_has_started() -> None:
    started, ended = [], []

    def work(number: int) -> None:
        started.append(number)
        if number == 0:
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        ended.append(number)

    with pytest.raises(KeyboardInterrupt):
        for_each_parallel(work, range(MANY), max_workers=2)

    assert len(started) == len(ended) < MANY


def test_map_returns_results_in_the_order_of_the_items() -> None:
    barrier = threading.Barrier(2)

    def work(number: int) -> int:
        barrier.wait(WITHIN)
        time.sleep(0.02 * (number == 0))
        return number * number

    assert map_parallel(work, range(6), max_workers=2) == (0, 1, 4, 9, 16, 25)


def test_map_starts_nothing_more_after_an_error() -> None:
    started: list[int] = []

    def work(number: int) -> None:
        started.append(number)
        raise ValueError(f"number {number}")

    with pytest.raises(ValueError, match="number 0"):
        map_parallel(work, range(20), max_workers=1)

    assert started == [0]
