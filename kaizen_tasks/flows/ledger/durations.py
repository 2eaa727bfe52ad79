"""Reads from the ledger how long a release usually takes in an environment."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.errors import KaizenError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaizen_tasks.ports.tools import Tools

DURATION_SAMPLE_ENTRIES = 40
"""Number of ledger entries that are read: those of about ten releases."""


def median_release_seconds(environment: str, tools: Tools) -> float | None:
    """Return the median seconds from intent to verification of the last releases; None when unknown."""
    try:
        entries = tools.ledger.entries(environment, limit=DURATION_SAMPLE_ENTRIES)
    except KaizenError:
        return None  # the estimate is not worth an error
    durations = tuple(_release_durations(reversed(entries)))
    return statistics.median(durations) if durations else None


def _release_durations(entries: Iterable[LedgerEntry]) -> Iterable[float]:
    """Yield the seconds from intent to verification of each release without failure; expects the oldest entry first."""
    intent: LedgerEntry | None = None
    for entry in entries:
        if entry.event is Event.STARTED:
            intent = entry
        elif entry.event in {Event.FAILED, Event.ABANDONED, Event.ROLLBACK}:
            intent = None
        elif entry.event is Event.VERIFIED and intent is not None and intent.digest == entry.digest:
            yield (entry.at - intent.at).total_seconds()
            intent = None
