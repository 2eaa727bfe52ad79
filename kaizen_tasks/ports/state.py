"""The ports of the state that everybody who releases the app shares: ledger, locks, holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from kaizen_tasks.domain.hold import Hold
    from kaizen_tasks.domain.ledger import LedgerEntry
    from kaizen_tasks.domain.lock import Lock
    from kaizen_tasks.domain.notification.notification import Notification

    HoldNotifier = Callable[[Hold], Sequence[Notification]]


class Ledger(Protocol):
    """The append-only record of what was deployed to each environment."""

    @mutates("the ledger has it")
    def append(self, entry: LedgerEntry, notifications: Sequence[Notification] = ()) -> LedgerEntry:
        """Add one entry; see `append_all`."""
        return self.append_all([entry], notifications)[0]

    @mutates("the ledger has it")
    def append_all(
        self, entries: Sequence[LedgerEntry], notifications: Sequence[Notification] = ()
    ) -> tuple[LedgerEntry, ...]:
        """Add entries after all others of their environment, all or none, and return them with their numbers.

        Args:
            entries: one or more entries of the same environment, the oldest one first.
            notifications: who is told of them; they are written to the outbox with them, all or nothing.
        """

    @mutates("the ledger has it")
    def set_operation(self, intent: LedgerEntry, operation: str) -> None:
        """Record, only once, the identifier of the platform's operation that carries out an intent.

        Args:
            intent: what `append` or `entries` returned.
            operation: the platform's identifier.
        """

    def entries(self, environment: str, *, limit: int = 20) -> tuple[LedgerEntry, ...]:
        """Return an environment's newest entries, those that were written last first."""

    def recent_entries(self, environments: Iterable[str], *, limit: int = 20) -> Mapping[str, Sequence[LedgerEntry]]:
        """Return the newest entries of environments as `entries` does, by environment, in few requests for all of them.

        Left out are environments whose entries take requests of their own: `entries` reads them.
        """

    def entries_since(self, environment: str, since: datetime) -> tuple[LedgerEntry, ...]:
        """Return an environment's entries since a time, those that were written last first, in few requests.

        The clocks of those who wrote the entries may differ, so an entry may be left out between two that are returned.
        An entry whose time is unknown is returned if an older one is.
        """


MAX_READ_TOGETHER = 50
"""Number of locks that one request reads, at most: those of the environments that are changed at the same time."""

MAX_WRITTEN_TOGETHER = 25
"""Number of locks that one request writes, at most: few enough that it is soon answered, and that few have its fate."""


class Locks(Protocol):
    """The locks by which only one run at a time changes an environment. Safe to use from several threads."""

    def get(self, environment: str) -> Lock | None:
        """Return the current lock of an environment, even if its lease has ended, or None; a consistent read."""

    def get_many(self, environments: Iterable[str]) -> Mapping[str, Lock]:
        """Return the locks of those environments that are locked, by environment, in as few requests as possible."""

    @mutates("it is locked", needs_lock=False)
    def acquire(self, lock: Lock, *, replacing: Lock | None = None) -> Lock:
        """Acquire a lock if it is free, or if it is unchanged since `replacing` was read.

        Args:
            lock: the requested lock.
            replacing: the lock of a dead run, which is taken over unless it was renewed since.

        Returns:
            The lock now in place. If its token equals `lock.token` you acquired it, and its fence is a new maximum.
            Otherwise it is another owner's lock, unchanged.
        """

    @mutates("they are locked", needs_lock=False)
    def acquire_together(self, locks: Sequence[Lock]) -> Mapping[str, Lock]:
        """Acquire several locks if all of them are free, or none; return those now in place, as `acquire` does.

        Args:
            locks: the requested locks, at most `MAX_WRITTEN_TOGETHER`.

        Returns:
            by environment, the lock now in place; an environment whose lock is free is missing.
        """

    @mutates("its lease is renewed", needs_lock=False)
    def renew(self, lock: Lock, *, expires: datetime) -> bool:
        """Renew a lock's lease: count its heartbeat; return False when the lock is free or another owner's."""

    @mutates("their leases are renewed", needs_lock=False)
    def renew_together(self, locks: Sequence[Lock], *, expires: datetime) -> bool:
        """Renew several locks in one request, all or none; return False when one of them is free or another owner's.

        Args:
            locks: at most `MAX_WRITTEN_TOGETHER`.
            expires: when the leases end.
        """

    @mutates("it is unlocked", needs_lock=False)
    def release(self, lock: Lock) -> bool:
        """Release a lock; return False, and change nothing, when the lock is free or another owner's."""

    @mutates("they are unlocked", needs_lock=False)
    def release_together(self, locks: Sequence[Lock]) -> bool:
        """Release several locks in one request, all or none; return False when one of them is free or another owner's.

        Args:
            locks: at most `MAX_WRITTEN_TOGETHER`.
        """

    def inherited_tokens(self) -> Mapping[str, str]:
        """Return the tokens of the locks that a parent run has acquired, by environment."""

    @mutates("the tokens are in the environment", needs_lock=False)
    def export_tokens(self, tokens: Mapping[str, str]) -> None:
        """Pass these tokens, and no others, to the programs that this run starts from now on."""


class Holds(Protocol):
    """The holds that make promotions skip environments; expired ones are ignored. Safe to use from several threads."""

    def get(self, environment: str) -> Hold | None:
        """Return the active hold of an environment, or None; a consistent read."""

    def get_many(self, environments: Iterable[str]) -> Mapping[str, Hold]:
        """Return the active holds of environments, by environment, in as few requests as possible."""

    @mutates("it is held")
    def add(self, hold: Hold, notifications: Sequence[Notification] = ()) -> Hold:
        """Add a hold if its environment has none; return the hold now in place, which may be somebody else's.

        Args:
            hold: the hold.
            notifications: who is told of it; they are written to the outbox with it, both or neither.
        """

    @mutates("it is no longer held")
    def remove(self, environment: str, *, notify: HoldNotifier | None = None) -> Hold | None:
        """Remove the hold of an environment and return the removed hold, or None when there was none.

        Args:
            environment: the environment's name.
            notify: returns who is told that the hold was removed; they are written to the outbox with its removal,
                both or neither. It may be called several times, if others change the hold meanwhile.
        """
