"""The lease of a lock: how long it lasts, how old its last renewal is, and its renewal in the background."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from attrs import define, frozen

from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.flows.parallel import map_parallel
from kaizen_tasks.ports.attempts import limit_attempts
from kaizen_tasks.ports.state import MAX_WRITTEN_TOGETHER
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaizen_tasks.ports.clock import Clock

Item = TypeVar("Item")

LEASE_SAFETY_FRACTION = 1 / 6
"""The last part of a lease, in which its owner starts no further change, because a change takes time."""

ATTEMPT_SAFETY_FRACTION = 1 / 12
"""The last part of a lease, before which all attempts of changes have ended; what was sent takes effect a bit later."""

RENEWALS_PER_LEASE = 6
"""A run that is alive is recognised by its next renewal, so others are refused or begin to wait within ten seconds."""

RENEWAL_RETRY_SECONDS = 3.0
"""Seconds after which a failed renewal is tried again."""

HEARTBEAT_JOIN_SECONDS = 5.0
"""Seconds to wait for a renewal in progress when the run ends; a late renewal cannot renew a released lock."""

MAX_CONCURRENT_LOCKS = 8
"""Number of concurrent requests about locks: one by one, those of hundreds of environments outlast a lease."""


@frozen(kw_only=True)
class DualTimestamp:
    """A point in time on the monotonic clock and on the wall clock.

    `CLOCK_MONOTONIC` stops while a laptop sleeps (clock_gettime(2)), and the time of day can be set back: the greater
    age is the safe one.
    """

    monotonic: float
    realtime: datetime

    @classmethod
    def of(cls, clock: Clock) -> DualTimestamp:
        """Return the current time."""
        return cls(monotonic=clock.monotonic(), realtime=clock.now())

    def age(self, clock: Clock) -> float:
        """Return the seconds since this point in time."""
        return max(clock.monotonic() - self.monotonic, (clock.now() - self.realtime).total_seconds())


@define(kw_only=True)
class HeldLock:
    """A lock that this run has acquired or inherited.

    Attributes:
        lock: as it was acquired.
        renewed_at: when the last successful renewal was sent.
        read_at: when the last request that found the lock was sent; acquiring and renewing it count.
        is_lost: whether a renewal found the lock free or another owner's.
        renewal_error: why the last renewal failed.
    """

    lock: Lock
    renewed_at: DualTimestamp
    read_at: DualTimestamp
    is_lost: bool = False
    renewal_error: str = ""

    def is_stale(self, lease: float, clock: Clock) -> bool:
        """Return whether the last renewal is so old that the owner must start no further change."""
        return self.renewed_at.age(clock) >= lease * (1 - LEASE_SAFETY_FRACTION)

    def attempt_seconds(self, lease: float, clock: Clock) -> float:
        """Return for how many seconds an attempt of a change may go on."""
        return lease * (1 - ATTEMPT_SAFETY_FRACTION) - self.renewed_at.age(clock)


@frozen(kw_only=True)
class LeaseRenewer:
    """Renews the leases of locks.

    Attributes:
        tools: the ports.
        lease: length of a lease in seconds.
        held_locks: by environment; locks may be added and removed in other threads.
    """

    tools: Tools
    lease: float
    held_locks: dict[str, HeldLock]

    def renew_all(self) -> bool:
        """Renew every lease; return whether every lock is now either renewed or known to be lost."""
        held_locks = [held_lock for held_lock in tuple(self.held_locks.values()) if not held_lock.is_lost]
        renewals = map_parallel(self._renew_batch, lock_batches(held_locks), max_workers=MAX_CONCURRENT_LOCKS)
        remaining = chain.from_iterable(renewals)
        return all(map_parallel(self._renew, remaining, max_workers=MAX_CONCURRENT_LOCKS))

    def _renew_batch(self, held_locks: Sequence[HeldLock]) -> Sequence[HeldLock]:
        """Renew locks in one request; return those that are to be renewed one by one: all of them, or none.

        One lock that is lost, or one request that fails, must not cost the others their lease.
        """
        if len(held_locks) == 1:
            return held_locks
        now = DualTimestamp.of(self.tools.clock)
        locks = [held_lock.lock for held_lock in held_locks]
        try:
            with self._limit_attempts():
                is_renewed = self.tools.locks.renew_together(locks, expires=self._expiry(now))
        except KaizenError:
            return held_locks
        if not is_renewed:
            return held_locks
        for held_lock in held_locks:
            held_lock.renewed_at = held_lock.read_at = now
        return ()

    def _renew(self, held_lock: HeldLock) -> bool:
        now = DualTimestamp.of(self.tools.clock)
        try:
            with self._limit_attempts():
                held_lock.is_lost = not self.tools.locks.renew(held_lock.lock, expires=self._expiry(now))
        except KaizenError as error:
            held_lock.renewal_error = error.message  # the lease runs on; `is_stale` tells when it is too old
            return False
        held_lock.renewed_at = held_lock.read_at = now
        return True

    def _expiry(self, now: DualTimestamp) -> datetime:
        return now.realtime + timedelta(seconds=self.lease)

    def _limit_attempts(self) -> AbstractContextManager[None]:
        """Limit the attempts of a renewal: one that hangs must not use up the lease."""
        return limit_attempts(lambda: self.lease / RENEWALS_PER_LEASE)

    @contextmanager
    def heartbeat(self) -> Iterator[None]:
        """Renew the leases in the background while the context lasts."""
        stop = threading.Event()
        thread = threading.Thread(target=self._renew_until, args=(stop,), name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(HEARTBEAT_JOIN_SECONDS)

    def _renew_until(self, stop: threading.Event) -> None:
        """Renew the leases at intervals until `stop` is set; in real time, whatever clock the tools have."""
        interval = self.lease / RENEWALS_PER_LEASE
        pause = interval
        while not stop.wait(pause):
            pause = interval if self.renew_all() else min(interval, RENEWAL_RETRY_SECONDS)


def lock_batches(items: Sequence[Item]) -> list[Sequence[Item]]:
    """Return the items in the order given, in parts of which one request writes the locks."""
    return [items[start : start + MAX_WRITTEN_TOGETHER] for start in range(0, len(items), MAX_WRITTEN_TOGETHER)]
