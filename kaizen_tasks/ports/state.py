"""The ports of the state that everybody who releases the app shares: ledger, locks, holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from kaizen_tasks.domain.hold import Hold
    from kaizen_tasks.domain.ledger import LedgerEntry
    from kaizen_tasks.domain.lock import Lock


class Ledger(Protocol):
    """The append-only record of releases."""

    @mutates("the ledger has it")
    def append(self, entry: LedgerEntry) -> None:
        """Add an entry."""

    @mutates("the ledger has it")
    def set_operation(self, intent: LedgerEntry, operation: str) -> None:
        """Record, once, which operation of the platform carries out an intent that was appended before."""

    def entries(self, environment: str, *, limit: int = 20) -> tuple[LedgerEntry, ...]:
        """Return an environment's entries, newest first."""


class Locks(Protocol):
    """One run at a time in each environment. Safe to use from several threads."""

    def get(self, environment: str) -> Lock | None:
        """Return the current lock, whether its lease has run out or not; a consistent read."""

    def get_many(self, environments: Iterable[str]) -> Mapping[str, Lock]:
        """Return the locks of the environments that are locked, in as few requests as possible."""

    @mutates("it is locked", needs_lock=False)
    def acquire(self, lock: Lock, *, replacing: Lock | None = None) -> Lock:
        """Acquire a lock that is free, or whose lease had run out by `lock.since`.

        Args:
            lock: the requested lock.
            replacing: the lock of a dead run, which is taken over before its lease has run out.

        Returns:
            The lock now in place. If its token equals `lock.token` you acquired it, and its fence is a new maximum.
            Otherwise it is another owner's lock, unchanged.
        """

    @mutates("its lease is renewed", needs_lock=False)
    def renew(self, lock: Lock, *, expires: datetime) -> bool:
        """Extend a lease; return False, and change nothing, when the lock is free or another owner's."""

    @mutates("it is unlocked", needs_lock=False)
    def release(self, lock: Lock) -> bool:
        """Release a lock; return False, and change nothing, when it is free or another owner's."""

    def inherited_tokens(self) -> Mapping[str, str]:
        """Return the tokens of the locks that a parent run holds, by environment."""

    @mutates("the tokens are in the environment", needs_lock=False)
    def export_tokens(self, tokens: Mapping[str, str]) -> None:
        """Pass these tokens, and no others, to the programs that this run starts from now on."""


class Holds(Protocol):
    """Environments that promotions leave alone. A hold that has ended is absent. Safe to use from several threads."""

    def get(self, environment: str) -> Hold | None:
        """Return the hold of an environment, or None; a consistent read."""

    def get_many(self, environments: Iterable[str]) -> Mapping[str, Hold]:
        """Return the holds of the environments that are held, in as few requests as possible."""

    @mutates("it is held")
    def add(self, hold: Hold) -> Hold:
        """Hold an environment that is not held; return the hold now in place, which may be somebody else's."""

    @mutates("it is no longer held")
    def remove(self, environment: str) -> Hold | None:
        """Remove the hold of an environment and return it; None when there was none."""
