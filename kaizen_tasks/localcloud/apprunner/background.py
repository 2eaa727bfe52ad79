"""Background threads of App Runner, which end before it is closed."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from kaizen_tasks.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.localcloud.clock import MonotonicClock

_CLOSE_SECONDS = 15.0


class BackgroundThreads:
    """Threads that `close` asks to end, by the event `closing`, and waits for.

    Args:
        clock: the clock of deadlines.
    """

    def __init__(self, clock: MonotonicClock) -> None:
        self.closing = threading.Event()
        self._clock = clock
        self._threads: set[threading.Thread] = set()

    def start(self, work: Callable[[], None]) -> None:
        """Run a function in a thread of its own."""
        thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._threads.add(thread)
        thread.start()

    def wait_until(self, deadline: float) -> None:
        """Wait until the clock reads `deadline`.

        Raises:
            Interrupted: App Runner is being closed.
        """
        if self._clock.wait(self.closing, deadline):
            raise Interrupted("the local cloud is stopping")

    def close(self) -> None:
        """Wait for all threads, also for those that others start while they end; `closing` must be set."""
        deadline = time.monotonic() + _CLOSE_SECONDS
        while (threads := tuple(self._threads)) and time.monotonic() < deadline:
            for thread in threads:
                thread.join(timeout=max(0.0, deadline - time.monotonic()))

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            self._threads.discard(threading.current_thread())
