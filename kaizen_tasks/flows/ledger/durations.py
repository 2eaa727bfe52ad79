"""How long a release usually takes in an environment, as far as the ledger remembers."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import KaizenError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaizen_tasks.domain.ledger import Entry
    from kaizen_tasks.ports.tools import Tools

REMEMBERED = 40
"""Entries of an environment that are looked at: those of about ten releases."""


def seconds(environment: str, tools: Tools) -> float | None:
    """Return the seconds from the intent to the proof in the middle one of the last releases; None when unknown."""
    try:
        entries = tools.ledger.entries(environment, limit=REMEMBERED)
    except KaizenError:
        return None  # it is only a remark beside the real thing
    taken = tuple(_taken(reversed(entries)))
    return statistics.median(taken) if taken else None


def _taken(entries: Iterable[Entry]) -> Iterable[float]:
    """Give the seconds of every release that went straight from its intent to its proof; oldest entry first."""
    intent: Entry | None = None
    for entry in entries:
        if entry.event is Event.STARTED:
            intent = entry
        elif entry.event in {Event.FAILED, Event.ABANDONED, Event.ROLLBACK}:
            intent = None
        elif entry.event is Event.VERIFIED and intent is not None and intent.digest == entry.digest:
            yield (entry.at - intent.at).total_seconds()
            intent = None
