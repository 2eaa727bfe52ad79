"""Runs a function for many items at a time, in daemon threads.

An interrupted call always waits for the work that has started; a `ThreadPoolExecutor` does not wait for a thread that
it was starting when the interruption came.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from attrs import Factory, define, field

Item = TypeVar("Item")
Result = TypeVar("Result")


def for_each_parallel(
    work: Callable[[Item], object], items: Iterable[Item], *, max_workers: int, fail_fast: bool = False
) -> None:
    """Call `work` for every item, and return when all calls have ended. A single item is done in the calling thread.

    After an interruption no further call starts, and the calls that have started are waited for.

    Args:
        work: the function; it must be safe to call from several threads.
        items: the arguments of `work`, in order.
        max_workers: number of threads, at most.
        fail_fast: whether no further call starts after an error.

    Raises:
        BaseException: what the work raised for the first of the items that failed, after all started work has ended.
    """
    all_items = tuple(items)
    if len(all_items) == 1:
        work(all_items[0])
    elif all_items:
        _WorkerPool(work, all_items, fail_fast).run(max_workers)


def map_parallel(work: Callable[[Item], Result], items: Iterable[Item], *, max_workers: int) -> tuple[Result, ...]:
    """Return the result of `work` for every item, in order; after an error no further call starts.

    Args:
        work: the function; it must be safe to call from several threads.
        items: the arguments of `work`.
        max_workers: number of threads, at most.

    Raises:
        BaseException: what the work raised for the first of the items that failed, after all started work has ended.
    """
    results: dict[int, Result] = {}

    def store(indexed_item: tuple[int, Item]) -> None:
        index, item = indexed_item
        results[index] = work(item)

    for_each_parallel(store, enumerate(items), max_workers=max_workers, fail_fast=True)
    return tuple(results[index] for index in sorted(results))


@define
class _WorkerPool(Generic[Item]):
    _work: Callable[[Item], object]
    _items: Sequence[Item]
    _fail_fast: bool
    _pending_indices: deque[int] = Factory(lambda self: deque(range(len(self._items))), takes_self=True)
    _finished_count: int = field(init=False, default=0)
    _errors: dict[int, BaseException] = field(init=False, factory=dict)
    _condition: threading.Condition = field(init=False, factory=threading.Condition)

    def run(self, max_workers: int) -> None:
        try:
            for _ in range(min(max_workers, len(self._items))):
                threading.Thread(target=self._run_worker, name="parallel", daemon=True).start()
            self._wait()
        except BaseException:
            self._cancel_pending()
            self._wait()
            raise
        if self._errors:
            raise self._errors[min(self._errors)]

    def _wait(self) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._finished_count == len(self._items))

    def _run_worker(self) -> None:
        while (index := self._next_index()) is not None:
            try:
                self._work(self._items[index])
            except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
                self._errors[index] = error
                if self._fail_fast:
                    self._cancel_pending()
            self._finish()

    def _cancel_pending(self) -> None:
        while self._next_index() is not None:
            self._finish()

    def _next_index(self) -> int | None:
        try:
            return self._pending_indices.popleft()
        except IndexError:
            return None

    def _finish(self) -> None:
        with self._condition:
            self._finished_count += 1
            self._condition.notify()
