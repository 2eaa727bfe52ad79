"""What everybody who releases the app shares: the record, the locks, the holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from kaizen_tasks.domain.hold import Hold
    from kaizen_tasks.domain.ledger import LedgerEntry
    from kaizen_tasks.domain.lock import Lock


class Ledger(Protocol):
    """The append-only record."""

    @mutates("the ledger has it")
    def append(self, entry: LedgerEntry) -> None:
        """Write one entry."""
        ...

    @mutates("the ledger has it")
    def set_operation(self, intent: LedgerEntry, operation: str) -> None:
        """Write down which operation carries out an intent that was appended before; once."""
        ...

    def entries(self, environment: str, *, limit: int = 20) -> tuple[LedgerEntry, ...]:
        """Return an environment's entries, newest first."""
        ...


class Locks(Protocol):
    """One run at a time in each environment. Safe to use from several threads."""

    def get(self, environment: str) -> Lock | None:
        """Return the lock that stands, whether its lease has run out or not, as it is at this moment."""
        ...

    def get_many(self, environments: Iterable[str]) -> Mapping[str, Lock]:
        """Return what `find` returns for each environment that is locked, with as few questions as can be."""
        ...

    @mutates("it is locked", needs_lock=False)
    def acquire(self, lock: Lock, *, replacing: Lock | None = None) -> Lock:
        """Take a lock that is free, or whose lease had run out by `wanted.since`.

        Args:
            lock: the lock.
            replacing: one of a run that has died, which is taken over before its lease has run out.

        Returns:
            The lock that stands afterwards: with the token that was wanted when it was taken, and with a fence that
            is higher than ever before; else somebody else's, of which nothing was changed.
        """
        ...

    @mutates("its lease is renewed", needs_lock=False)
    def renew(self, lock: Lock, *, expires: datetime) -> bool:
        """Move the end of a lease; return False, and change nothing, when the lock is another's or nobody's by now."""
        ...

    @mutates("it is unlocked", needs_lock=False)
    def release(self, lock: Lock) -> bool:
        """Give a lock back; return False, and change nothing, when it is another's or nobody's by now."""
        ...

    def inherited_tokens(self) -> Mapping[str, str]:
        """Return the tokens of the locks that a run above this one holds, by environment."""
        ...

    @mutates("the tokens are in the environment", needs_lock=False)
    def export_tokens(self, tokens: Mapping[str, str]) -> None:
        """Let the programs that this run starts from now on inherit these tokens, and no others."""
        ...


class Holds(Protocol):
    """What people want left as it is. A hold that has ended counts as absent. Safe to use from several threads."""

    def get(self, environment: str) -> Hold | None:
        """Return an environment's hold, as it is at this moment."""
        ...

    def get_many(self, environments: Iterable[str]) -> Mapping[str, Hold]:
        """Return what `find` returns for each environment that is held, with as few questions as can be."""
        ...

    @mutates("it is held")
    def add(self, hold: Hold) -> Hold:
        """Hold an environment that is not held, and return the hold that stands afterwards, whoever's it is."""
        ...

    @mutates("it is no longer held")
    def remove(self, environment: str) -> Hold | None:
        """End an environment's hold, and return the one that was ended."""
        ...
