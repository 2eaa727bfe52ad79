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


def abreast(work: Callable[[Item], object], items: Iterable[Item], *, at_once: int) -> None:
    """Do the work for every item, and come back when all of it has ended; one item alone needs no other thread.

    Whoever interrupts this waits for what is under way: nothing goes on behind his back, and nothing more is begun.

    Args:
        work: safe to do in several threads.
        items: what for.
        at_once: threads, at most.

    Raises:
        BaseException: what the work for the first of the items raised, after all others have had their turn.
    """
    wanted = tuple(items)
    if len(wanted) == 1:
        work(wanted[0])
    elif wanted:
        _Gang(work, wanted).run(at_once)


@define
class _Gang(Generic[Item]):
    _work: Callable[[Item], object]
    _items: Sequence[Item]
    _left: deque[int] = field(init=False)
    _ended: list[int] = field(init=False, factory=list)
    _raised: dict[int, BaseException] = field(init=False, factory=dict)
    _changed: threading.Condition = field(init=False, factory=threading.Condition)

    def __attrs_post_init__(self) -> None:
        self._left = deque(range(len(self._items)))

    def run(self, at_once: int) -> None:
        begun = len(self._items)
        try:
            for _ in range(min(at_once, begun)):
                threading.Thread(target=self._labour, name="abreast", daemon=True).start()
            self._wait_for(begun)
        except BaseException:
            while self._next() is not None:
                begun -= 1
            self._wait_for(begun)
            raise
        if self._raised:
            raise self._raised[min(self._raised)]

    def _wait_for(self, begun: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._ended) == begun)

    def _labour(self) -> None:
        while (number := self._next()) is not None:
            try:
                self._work(self._items[number])
            except BaseException as error:  # noqa: BLE001 - it is raised where the work was ordered
                self._raised[number] = error
            with self._changed:
                self._ended.append(number)
                self._changed.notify()

    def _next(self) -> int | None:
        try:
            return self._left.popleft()
        except IndexError:
            return None
