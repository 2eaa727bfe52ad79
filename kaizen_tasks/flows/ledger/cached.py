"""Caches the ledger of environments that this run has locked, or that only give it evidence."""

from __future__ import annotations

from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from kaizen_tasks.domain.ledger import LedgerEntry
from kaizen_tasks.flows.ledger.entries import HISTORY_LIMIT
from kaizen_tasks.ports.state import Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.domain.notification.notification import Notification


@define
class CachedLedger(Ledger):
    """A ledger that reads each environment once, and adds its own writes. Safe to use from several threads.

    Valid while the environments' locks are held: somebody else's `inv verify` may still write entries, but none that
    changes a decision. Environments that only give evidence need no lock: a rollout goes by the evidence that it began
    with, as a deployment under way is not taken back either.

    Args:
        ledger: the real ledger, which is written first.
        environments: names; the entries of other environments are not cached.
        first_limit: how many entries of an environment are read until more are asked for; None for the usual number.
    """

    _ledger: Ledger
    _environments: frozenset[str]
    _first_limit: int | None = None
    _limits: dict[str, int] = field(init=False, factory=dict)
    _entries: dict[str, tuple[LedgerEntry, ...]] = field(init=False, factory=dict)
    _lock: Lock = field(init=False, factory=Lock)

    def append(self, entry: LedgerEntry, notifications: Sequence[Notification] = ()) -> LedgerEntry:
        """Add an entry, and return it with its number."""
        written = self._ledger.append(entry, notifications)
        with self._lock:
            if entry.environment in self._entries:
                entries = (written, *self._entries[entry.environment])
                self._entries[entry.environment] = tuple(sorted(entries, key=lambda item: item.number, reverse=True))
        return written

    def set_operation(self, intent: LedgerEntry, operation: str) -> None:
        """Record which operation carries out an intent."""
        self._ledger.set_operation(intent, operation)
        with self._lock:
            if intent.environment in self._entries:
                self._entries[intent.environment] = tuple(
                    evolve(entry, operation=operation) if entry == intent else entry
                    for entry in self._entries[intent.environment]
                )

    def entries(self, environment: str, *, limit: int = 20) -> tuple[LedgerEntry, ...]:
        """Return an environment's entries, newest first."""
        if environment not in self._environments or limit > HISTORY_LIMIT:
            return self._ledger.entries(environment, limit=limit)
        with self._lock:
            cached_entries, cached_limit = self._entries.get(environment, ()), self._limits.get(environment, 0)
        if limit > cached_limit and len(cached_entries) >= cached_limit:
            first_limit = self._first_limit or HISTORY_LIMIT
            cached_limit = first_limit if limit <= first_limit else HISTORY_LIMIT
            cached_entries = self._ledger.entries(environment, limit=cached_limit)
            with self._lock:
                self._entries[environment], self._limits[environment] = cached_entries, cached_limit
        return cached_entries[:limit]

    def entries_since(self, environment: str, since: datetime) -> tuple[LedgerEntry, ...]:
        """Return an environment's entries since a time, newest first; never from the cache, which may be shorter."""
        return self._ledger.entries_since(environment, since)
