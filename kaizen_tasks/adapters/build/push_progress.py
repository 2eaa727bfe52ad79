"""Reads how far a push of docker, podman or buildah is from what it writes to a terminal."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from kaizen_tasks.domain.text.transfer import describe_upload
from kaizen_tasks.ports.activity import report_activity

_SIZE = r"(\d+(?:\.\d+)?) ?([kKMGT]?)(i?)[bB]"
BLOB_LINE = re.compile(r"(?:Copying (?:blob|config) )?([0-9a-f]{10,64})\b:?(.*)")
"""A line about a blob: docker begins with its identifier, podman and buildah have words before it."""

PROGRESS = re.compile(rf"{_SIZE} ?/ ?{_SIZE}")
INTERVAL_SECONDS = 0.5  # between two reports: more often nobody can read them


class PushProgress:
    """Reports the bytes of all blobs together, rate and time left; lines that are not about blobs as they are.

    Args:
        monotonic: returns the seconds of a clock that never goes back.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._started_at = self._reported_at = monotonic()
        self._blobs: dict[str, tuple[float, float]] = {}

    def __call__(self, line: str) -> None:
        """Read a line."""
        match = BLOB_LINE.match(line.strip())
        if match is None:
            report_activity(line)
            return
        progress = PROGRESS.search(match[2])
        if progress is None:
            return
        sent, total = (_bytes(*progress.groups()[start : start + 3]) for start in (0, 3))
        self._blobs[match[1]] = (sent, total)
        now = self._monotonic()
        if now - self._reported_at >= INTERVAL_SECONDS:
            self._reported_at = now
            sent, total = (sum(values) for values in zip(*self._blobs.values(), strict=True))
            text = describe_upload(round(sent), round(total), now - self._started_at)
            report_activity(text, replaces=True)


def _bytes(number: str, prefix: str, binary: str) -> float:
    power = " KMGT".index(prefix.upper() or " ")
    unit: int = (1024 if binary else 1000) ** power
    return float(number) * unit
