"""Background threads of a platform, which end before it is closed."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from kaizen_tasks.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.localcloud.clock import MonotonicClock

_Value = TypeVar("_Value")

_CLOSE_SECONDS = 15.0
_RETRY_SECONDS = 1.0
_log = logging.getLogger(__name__)


class BackgroundThreads:
    """Threads that `close` asks to end, by the event `closing`, and waits for.

    Args:
        clock: the clock of deadlines.
    """

    def __init__(self, clock: MonotonicClock) -> None:
        self.closing = threading.Event()
        self._clock = clock
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def start(self, work: Callable[[], None]) -> None:
        """Run a function in a thread of its own."""
        thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        with self._lock:  # `close` joins known threads, which must have been started
            thread.start()
            self._threads.add(thread)

    def wait_until(self, deadline: float) -> None:
        """Wait until the clock reads `deadline`.

        Raises:
            Interrupted: the platform is being closed.
        """
        if self._clock.wait(self.closing, deadline):
            raise Interrupted("the local cloud is stopping")

    def save(self, change: Callable[[], _Value]) -> _Value:
        """Call a function that writes to the disk, again and again while the disk is full; return its result.

        An operation has not ended before its end is on the disk.

        Raises:
            Interrupted: the platform is being closed.
        """
        while True:
            try:
                return change()
            except OSError as error:
                _log.warning("trying again to write: %s", error)
            self.wait_until(self._clock.now() + _RETRY_SECONDS)

    def close(self) -> None:
        """Wait for all threads, also for those that others start while they end; `closing` must be set."""
        deadline = time.monotonic() + _CLOSE_SECONDS
        while (threads := self._running_threads()) and time.monotonic() < deadline:
            for thread in threads:
                thread.join(timeout=max(0.0, deadline - time.monotonic()))

    def _running_threads(self) -> tuple[threading.Thread, ...]:
        with self._lock:
            return tuple(self._threads)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
