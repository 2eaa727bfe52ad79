"""How far the transfer of an image is: bytes, rate and time left of all its blobs together."""

from __future__ import annotations

from collections import deque

from kaizen_tasks.domain.text import transfer

WINDOW_SECONDS = 10.0
"""For how long back the rate is measured: long enough to be steady, short enough to show what the network does now."""

STALL_SECONDS = 20.0
"""Seconds without a byte after which that is said in place of a rate."""


class Transfer:
    """The blobs of an image that are sent. Times are seconds of a clock that never goes back.

    Bytes that are sent again after a broken connection count for the rate, and not for how much has arrived.

    Args:
        now: when the transfer begins.
    """

    def __init__(self, now: float) -> None:
        self._sizes: dict[str, int | None] = {}
        self._positions: dict[str, int] = {}
        self._marks: dict[str, int] = {}
        self._moved = 0
        self._last_move_at = now
        self._samples = deque([(now, 0)])

    def add(self, blob: str, size: int) -> None:
        """Add a blob, or correct its size in bytes."""
        self._sizes[blob] = size

    def add_unknown(self, blob: str) -> None:
        """Add a blob whose size is not known yet."""
        self._sizes.setdefault(blob, None)

    def drop(self, blob: str) -> None:
        """Leave out a blob that need not be sent."""
        self._sizes.pop(blob, None)

    def move(self, blob: str, position: int, now: float) -> None:
        """Store how many bytes of a blob have been sent; fewer than before if it is sent again."""
        step = position - self._positions.get(blob, 0)
        self._positions[blob] = position
        self._marks[blob] = max(self._marks.get(blob, 0), position)
        if step > 0:
            self._moved += step
            self._last_move_at = now
            self._sample(now)

    def finish(self, blob: str, now: float) -> None:
        """Store that all bytes of a blob have arrived."""
        size = self._sizes.get(blob)
        if size is None:
            size = self._marks.get(blob, 0)
            self.add(blob, size)
        self.move(blob, size, now)

    def describe(self, now: float) -> str:
        """Return `uploaded 34 MB of 110 MB, 12 MB/s, 6.3s left`, with a bar behind it."""
        self._sample(now)
        known = {blob: size for blob, size in self._sizes.items() if size is not None}
        total = sum(known.values())
        sent = sum(min(self._marks.get(blob, 0), size) for blob, size in known.items())
        remaining = sum(max(size - self._positions.get(blob, 0), 0) for blob, size in known.items())
        is_complete = len(known) == len(self._sizes)
        silence = now - self._last_move_at
        return transfer.describe_upload(
            sent,
            total,
            rate=self._rate(now),
            remaining=remaining if is_complete else None,
            silence=silence if silence >= STALL_SECONDS else 0,
        )

    def _sample(self, now: float) -> None:
        self._samples.append((now, self._moved))
        while len(self._samples) > 2 and self._samples[1][0] <= now - WINDOW_SECONDS:
            self._samples.popleft()

    def _rate(self, now: float) -> float:
        since, moved = self._samples[0]
        return (self._moved - moved) / (now - since) if now > since else 0
