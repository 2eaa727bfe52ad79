"""A ledger that keeps its entries in memory."""

from __future__ import annotations

import threading

from attrs import define, evolve, field

from kaizen_tasks.domain.ledger import Entry
from kaizen_tasks.ports.state import Ledger


@define
class FakeLedger(Ledger):
    """Remembers what was written; safe to use from several threads.

    Attributes:
        written: every entry, in the order in which it was written.
    """

    written: list[Entry] = field(factory=list)
    _guard: threading.Lock = field(factory=threading.Lock, repr=False)

    def append(self, entry: Entry) -> None:
        """Write one entry."""
        with self._guard:
            self.written.append(entry)

    def attach(self, intent: Entry, operation: str) -> None:
        """Complete the intent."""
        with self._guard:
            self.written[self.written.index(intent)] = evolve(intent, operation=operation)

    def entries(self, environment: str, *, limit: int = 20) -> tuple[Entry, ...]:
        """Return an environment's entries, newest first; of the same moment, the last written first."""
        with self._guard:
            mine = [entry for entry in reversed(self.written) if entry.environment == environment]
        return tuple(sorted(mine, key=lambda entry: entry.at, reverse=True)[:limit])
