"""Does the same to many things at a time, in threads that keep no process from ending.

A `ThreadPoolExecutor` that is interrupted while it starts a thread forgets that one, and does not wait for it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Iterable

Item = TypeVar("Item")


def for_each_parallel(work: Callable[[Item], object], items: Iterable[Item], *, max_workers: int) -> None:
    """Do the work for every item, and come back when all of it has ended; one item alone needs no other thread.

    Whoever interrupts this waits for what is under way: nothing goes on behind his back, and nothing more is begun.

    Args:
        work: safe to do in several threads.
        items: what for.
        max_workers: threads, at most.

    Raises:
        BaseException: what the work for the first of the items raised, after all others have had their turn.
    """
    all_items = tuple(items)
    if len(all_items) == 1:
        work(all_items[0])
    elif all_items:
        _WorkerPool(work, all_items).run(max_workers)


@define
class _WorkerPool(Generic[Item]):
    _work: Callable[[Item], object]
    _items: Sequence[Item]
    _pending_indices: deque[int] = field(init=False)
    _finished_indices: list[int] = field(init=False, factory=list)
    _errors: dict[int, BaseException] = field(init=False, factory=dict)
    _condition: threading.Condition = field(init=False, factory=threading.Condition)

    def __attrs_post_init__(self) -> None:
        self._pending_indices = deque(range(len(self._items)))

    def run(self, max_workers: int) -> None:
        expected_count = len(self._items)
        try:
            for _ in range(min(max_workers, expected_count)):
                threading.Thread(target=self._run_worker, name="abreast", daemon=True).start()
            self._wait_for(expected_count)
        except BaseException:
            while self._next_index() is not None:
                expected_count -= 1
            self._wait_for(expected_count)
            raise
        if self._errors:
            raise self._errors[min(self._errors)]

    def _wait_for(self, count: int) -> None:
        with self._condition:
            self._condition.wait_for(lambda: len(self._finished_indices) == count)

    def _run_worker(self) -> None:
        while (index := self._next_index()) is not None:
            try:
                self._work(self._items[index])
            except BaseException as error:  # noqa: BLE001 - it is raised where the work was ordered
                self._errors[index] = error
            with self._condition:
                self._finished_indices.append(index)
                self._condition.notify()

    def _next_index(self) -> int | None:
        try:
            return self._pending_indices.popleft()
        except IndexError:
            return None
