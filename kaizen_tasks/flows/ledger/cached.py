"""The ledger as a run remembers it, for environments that only this run changes or that give it evidence."""

from __future__ import annotations

from threading import Lock

from attrs import define, evolve, field

from kaizen_tasks.domain.ledger import Entry
from kaizen_tasks.flows.ledger.entries import HISTORY
from kaizen_tasks.ports.state import Ledger


@define
class Recollection(Ledger):
    """Reads each of its environments once and keeps up with what is written through it. Safe for several threads.

    It is for as long as the environments' locks are held: what else may be written meanwhile, by `inv verify` of
    somebody else, changes nothing that a flow decides. Of environments that only give evidence no lock is needed: an
    entry that proves something is never taken back.

    Args:
        ledger: the real one, which every entry reaches before it is remembered.
        environments: names; any other environment is read anew each time.
    """

    _ledger: Ledger
    _environments: frozenset[str]
    _known: dict[str, tuple[Entry, ...]] = field(init=False, factory=dict)
    _guard: Lock = field(init=False, factory=Lock)

    def append(self, entry: Entry) -> None:
        """Write one entry."""
        self._ledger.append(entry)
        with self._guard:
            if entry.environment in self._known:
                written = (entry, *self._known[entry.environment])
                self._known[entry.environment] = tuple(sorted(written, key=lambda each: each.at, reverse=True))

    def attach(self, intent: Entry, operation: str) -> None:
        """Write down which operation carries out an intent."""
        self._ledger.attach(intent, operation)
        with self._guard:
            known = self._known.get(intent.environment, ())
            if intent in known:
                complete = evolve(intent, operation=operation)
                self._known[intent.environment] = tuple(complete if each == intent else each for each in known)

    def entries(self, environment: str, *, limit: int = 20) -> tuple[Entry, ...]:
        """Return an environment's entries, newest first."""
        if environment not in self._environments or limit > HISTORY:
            return self._ledger.entries(environment, limit=limit)
        with self._guard:
            known = self._known.get(environment)
        if known is None:
            known = self._ledger.entries(environment, limit=HISTORY)
            with self._guard:
                self._known[environment] = known
        return known[:limit]
