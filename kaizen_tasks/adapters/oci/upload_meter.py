"""Reports how far the upload of an image is: bytes, rate and time left."""

from __future__ import annotations

import threading
from collections.abc import Generator

from kaizen_tasks.adapters.oci.blobs import Stream
from kaizen_tasks.domain.text.transfer import describe_upload
from kaizen_tasks.ports.activity import report_activity
from kaizen_tasks.ports.clock import Clock

INTERVAL_SECONDS = 0.5  # between two reports: more often nobody can read them


class UploadMeter:
    """The bytes of an image's blobs, those sent and those to send. Safe to use from several threads.

    Args:
        total: size of all blobs that may have to be sent.
        clock: for the rate.
    """

    def __init__(self, total: int, clock: Clock) -> None:
        self._total = total
        self._sent = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._started_at = clock.monotonic()
        self._reported_at = self._started_at

    def skip(self, size: int) -> None:
        """Leave a blob out that need not be sent."""
        with self._lock:
            self._total -= size

    def count(self, chunks: Stream) -> Generator[bytes, None, None]:
        """Yield the chunks of a blob, and report how far the upload is."""
        try:
            for chunk in chunks:
                yield chunk
                self._add(len(chunk))
        finally:
            chunks.close()

    def _add(self, size: int) -> None:
        with self._lock:
            self._sent += size
            now = self._clock.monotonic()
            if now - self._reported_at < INTERVAL_SECONDS:
                return
            self._reported_at = now
            text = describe_upload(self._sent, self._total, now - self._started_at)
        report_activity(text, replaces=True)
