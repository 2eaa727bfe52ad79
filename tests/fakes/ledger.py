"""A ledger that keeps its entries in memory."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from kaizen_tasks.domain.ledger import LedgerEntry, written_since
from kaizen_tasks.ports.state import Ledger
from tests.fakes.outbox import FakeOutbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaizen_tasks.domain.notification.notification import Notification


@define
class FakeLedger(Ledger):
    """Keeps entries; safe to use from several threads.

    Attributes:
        all_entries: every entry, in the order in which it was written.
        outbox: where notifications are written.
    """

    all_entries: list[LedgerEntry] = field(factory=list)
    outbox: FakeOutbox = field(factory=FakeOutbox)
    _guard: threading.Lock = field(factory=threading.Lock, repr=False)

    def append_all(
        self, entries: Sequence[LedgerEntry], notifications: Sequence[Notification] = ()
    ) -> tuple[LedgerEntry, ...]:
        self.outbox.write(notifications)
        with self._guard:
            count = sum(each.environment == entries[0].environment for each in self.all_entries)
            numbered = [evolve(entry, number=number) for number, entry in enumerate(entries, start=count + 1)]
            self.all_entries += numbered
            return tuple(numbered)

    def set_operation(self, intent: LedgerEntry, operation: str) -> None:
        with self._guard:
            index = self.all_entries.index(intent)
            self.all_entries[index] = evolve(self.all_entries[index], operation=operation)

    def entries(self, environment: str, *, limit: int = 20) -> tuple[LedgerEntry, ...]:
        """Return an environment's entries, the last written first."""
        with self._guard:
            matches = [entry for entry in reversed(self.all_entries) if entry.environment == environment]
        return tuple(matches[:limit])

    def recent_entries(self, environments: Iterable[str], *, limit: int = 20) -> dict[str, tuple[LedgerEntry, ...]]:
        """Return the entries of each environment, the last written first."""
        return {name: self.entries(name, limit=limit) for name in environments}

    def entries_since(self, environment: str, since: datetime) -> tuple[LedgerEntry, ...]:
        """Return an environment's entries since a time, the last written first."""
        return written_since(self.entries(environment, limit=len(self.all_entries)), since)
