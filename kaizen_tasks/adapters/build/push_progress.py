"""Reads how far a push of docker, podman or buildah is from what it writes to a terminal."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from kaizen_tasks.domain.transfer import Transfer
from kaizen_tasks.ports.activity import report_activity

_SIZE = r"(\d+(?:\.\d+)?) ?([kKMGT]?)(i?)[bB]"
BLOB_LINE = re.compile(r"(?:Copying (?:blob|config) )?([0-9a-f]{10,64})\b:?(.*)")
"""A line about a blob: docker begins with its identifier, podman and buildah have words before it."""

PROGRESS = re.compile(rf"{_SIZE} ?/ ?{_SIZE}")
NOT_SENT = re.compile(r"already exists|Mounted from|skipped", re.IGNORECASE)
SENT = re.compile(r"\b(Pushed|done)\b")


class PushProgress:
    """Reads the bytes of all blobs together, rate and time left; reports lines that are not about blobs as they are.

    Args:
        monotonic: returns the seconds of a clock that never goes back.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._transfer = Transfer(monotonic())
        self._has_begun = False

    def __call__(self, line: str) -> None:
        """Read a line."""
        match = BLOB_LINE.match(line.strip())
        if match is None:
            report_activity(line)
            return
        with self._lock:
            self._read(match[1], match[2])

    def _read(self, blob: str, state: str) -> None:
        """Read the state of a blob; until its bytes are told, its size is not known."""
        if NOT_SENT.search(state):
            self._transfer.drop(blob)
        elif progress := PROGRESS.search(state):
            sent, total = (round(_bytes(*progress.groups()[start : start + 3])) for start in (0, 3))
            self._transfer.add(blob, total)
            self._transfer.move(blob, sent, self._monotonic())
            self._has_begun = True
        elif SENT.search(state):
            self._transfer.finish(blob, self._monotonic())
        else:
            self._transfer.add_unknown(blob)

    def describe(self) -> str:
        """Return how far the push is; nothing until it sends bytes."""
        with self._lock:
            return self._transfer.describe(self._monotonic()) if self._has_begun else ""


def _bytes(number: str, prefix: str, binary: str) -> float:
    power = " KMGT".index(prefix.upper() or " ")
    unit: int = (1024 if binary else 1000) ** power
    return float(number) * unit
