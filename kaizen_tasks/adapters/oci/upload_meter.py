"""Measures how far the upload of an image is: bytes, rate and time left."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping

from kaizen_tasks.adapters.oci.blobs import Stream
from kaizen_tasks.domain.transfer import Transfer
from kaizen_tasks.ports.clock import Clock


class UploadMeter:
    """The bytes of an image's blobs, those sent and those to send. Safe to use from several threads.

    Args:
        sizes: bytes of the blobs that may have to be sent, by digest.
        clock: for the rate.
    """

    def __init__(self, sizes: Mapping[str, int], clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._has_begun = False
        self._transfer = Transfer(clock.monotonic())
        for digest, size in sizes.items():
            self._transfer.add(digest, size)

    def skip(self, digest: str) -> None:
        """Leave a blob out that need not be sent."""
        with self._lock:
            self._transfer.drop(digest)

    def count(self, digest: str, offset: int, chunks: Stream) -> Generator[bytes, None, None]:
        """Yield the chunks of a blob from an offset on, and count each one once it has been sent."""
        position = offset
        self._move(digest, position)
        try:
            for chunk in chunks:
                yield chunk
                position += len(chunk)
                self._move(digest, position)
        finally:
            chunks.close()

    def _move(self, digest: str, position: int) -> None:
        with self._lock:
            self._has_begun = True
            self._transfer.move(digest, position, self._clock.monotonic())

    def describe(self) -> str:
        """Return how far the upload is; nothing until it is known that a blob has to be sent."""
        with self._lock:
            return self._transfer.describe(self._clock.monotonic()) if self._has_begun else ""
