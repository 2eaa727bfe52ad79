"""Caches the ledger of environments that this run has locked, or that only give it evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from kaizen_tasks.domain.ledger import LedgerEntry
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.ledger.entries import HISTORY_LIMIT
from kaizen_tasks.ports.state import Ledger

if TYPE_CHECKING:
    from kaizen_tasks.domain.notification.notification import Notification


MIN_PREFETCHED = 3
"""How many environments are read together: that takes two requests, and one environment alone takes one."""


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
    _entries: dict[str, Sequence[LedgerEntry]] = field(init=False, factory=dict)
    _lock: Lock = field(init=False, factory=Lock)
    _is_prefetched: bool = field(init=False)
    _prefetch_lock: Lock = field(init=False, factory=Lock)

    @_is_prefetched.default
    def _has_few_environments(self) -> bool:
        return len(self._environments) < MIN_PREFETCHED

    def append_all(
        self, entries: Sequence[LedgerEntry], notifications: Sequence[Notification] = ()
    ) -> tuple[LedgerEntry, ...]:
        """Add entries, and return them with their numbers."""
        self._prefetch()  # not meanwhile: it might miss these
        written = self._ledger.append_all(entries, notifications)
        environment = entries[0].environment
        with self._lock:
            if environment in self._entries:
                newest_first = sorted(
                    [*written, *self._entries[environment]], key=lambda item: item.number, reverse=True
                )
                self._entries[environment] = tuple(newest_first)
        return written

    def set_operation(self, intent: LedgerEntry, operation: str) -> None:
        """Record which operation carries out an intent."""
        self._prefetch()
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
        self._prefetch()
        with self._lock:
            entries = self._entries.get(environment, ()) if self._has(environment, limit) else None
        if entries is None:
            read_limit = self._usual_limit if limit <= self._usual_limit else HISTORY_LIMIT
            entries = self._ledger.entries(environment, limit=read_limit)
            with self._lock:
                self._entries[environment], self._limits[environment] = entries, read_limit
        return tuple(entries[:limit])

    @property
    def _usual_limit(self) -> int:
        return self._first_limit or HISTORY_LIMIT

    def recent_entries(self, environments: Iterable[str], *, limit: int = 20) -> Mapping[str, Sequence[LedgerEntry]]:
        """Return the newest entries of environments, by environment; from the cache, as far as it has them."""
        self._prefetch()
        names = frozenset(environments)
        with self._lock:
            found = {
                name: self._entries[name][:limit] for name in names & self._entries.keys() if self._has(name, limit)
            }
        others = names - found.keys()
        return {**found, **self._ledger.recent_entries(others, limit=limit)} if others else found

    def _has(self, environment: str, limit: int) -> bool:
        """Return whether so many entries of an environment are cached, or all of them; only while locked."""
        cached_limit = self._limits.get(environment, 0)
        return limit <= cached_limit or len(self._entries.get(environment, ())) < cached_limit

    def _prefetch(self) -> None:
        """Read the entries of all environments at once, before those of the first; others wait for it meanwhile."""
        with self._prefetch_lock:
            if self._is_prefetched:
                return
            self._is_prefetched = True
            with suppress(KaizenError):  # each environment is then read by itself, and has its own error
                found = self._ledger.recent_entries(self._environments, limit=self._usual_limit)
                with self._lock:
                    self._entries |= found
                    self._limits |= dict.fromkeys(found, self._usual_limit)

    def entries_since(self, environment: str, since: datetime) -> tuple[LedgerEntry, ...]:
        """Return an environment's entries since a time, newest first; never from the cache, which may be shorter."""
        return self._ledger.entries_since(environment, since)
