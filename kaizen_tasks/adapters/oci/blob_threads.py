"""Works on the blobs of an image in several threads, few enough for the registry's rate limits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from threading import Event, Semaphore
from typing import Generic, TypeVar

from kaizen_tasks.adapters.oci.manifest import Descriptor

MAX_CONCURRENT_BLOBS = 10
"""For all repositories: ECR allows 100 started uploads a second, and mounts count as uploads. As many as a rollout has
threads by default, so that none of them waits for another."""

Result = TypeVar("Result")


class _Batch(Generic[Result]):
    """The blobs of one image, which several threads take one by one."""

    def __init__(self, work: Callable[[Descriptor, Event], Result], blobs: Collection[Descriptor]) -> None:
        self.stop = Event()
        self._work = work
        self._pending = deque(blobs)
        self._results: list[Result] = []
        self._errors: list[BaseException] = []

    def run(self) -> None:
        """Work on one blob after the other until none is left, or one has failed."""
        while not self.stop.is_set() and (blob := self._take()):
            try:
                self._results.append(self._work(blob, self.stop))
            except BaseException as error:  # noqa: BLE001 - `results` raises it in the calling thread
                self._errors.append(error)
                self.stop.set()

    def results(self) -> list[Result]:
        """Return the results, or raise the first error."""
        if self._errors:
            raise self._errors[0]
        return self._results

    def _take(self) -> Descriptor | None:
        try:
            return self._pending.popleft()
        except IndexError:
            return None


class BlobThreads:
    """Threads for the blobs of all images that go to one registry. Safe to use from several threads.

    The calling thread does the work itself. Its image has a fair share of the others as helpers: all of them if it is
    the only one; none when many images are pushed at once, which spares the time of handing blobs over.
    """

    def __init__(self) -> None:
        self._helpers = ThreadPoolExecutor(MAX_CONCURRENT_BLOBS, thread_name_prefix="blobs")
        self._free = Semaphore(MAX_CONCURRENT_BLOBS)
        self._batches: set[object] = set()

    def map(self, work: Callable[[Descriptor, Event], Result], blobs: Collection[Descriptor]) -> list[Result]:
        """Return the results of a function for each blob, in any order; raise the first error, and begin no more blobs.

        Args:
            work: called with a blob, and with an event that is set once another blob has failed.
            blobs: what to work on.
        """
        batch = _Batch(work, blobs)
        self._batches.add(batch)
        try:
            with self._free:
                self._run(batch, len(blobs))
        finally:
            self._batches.remove(batch)
        return batch.results()

    def _run(self, batch: _Batch[Result], size: int) -> None:
        """Work on a batch in this thread, and in its share of the others that are free."""
        share = min(size, MAX_CONCURRENT_BLOBS // len(self._batches))
        helpers: list[Future[None]] = []
        while len(helpers) < share - 1 and self._free.acquire(blocking=False):
            helpers.append(self._helpers.submit(copy_context().run, batch.run))
            helpers[-1].add_done_callback(lambda _: self._free.release())
        try:
            batch.run()
            wait(helpers)
        finally:
            batch.stop.set()  # Ctrl-C may have ended the wait
            wait(helpers)
