"""Takes the locks of a run, renews them while it lasts, and gives them back: many at a time, where there are many."""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import dropwhile
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from kaizen_tasks.domain import duration
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.errors import NOTHING_CHANGED_THERE, KaizenError, Locked
from kaizen_tasks.flows.parallel import for_each_parallel
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaizen_tasks.ports.clock import Clock

RENEWALS_PER_LEASE = 3
"""Renewals within a lease."""

RENEWAL_RETRY_SECONDS = 3.0
"""Seconds after which a renewal that failed is tried again."""

LOCK_POLL_SECONDS = 2.0
"""Seconds between two looks at a lock that is waited for."""

HEARTBEAT_JOIN_SECONDS = 5.0
"""Seconds to wait for a renewal under way when the run ends; a later one cannot renew what has been released."""

MAX_CONCURRENT_LOCKS = 8
"""Locks that are asked about at the same time: one by one, those of hundreds of environments would take a lease."""


@frozen(kw_only=True)
class DualTimestamp:
    """A moment on both clocks.

    `CLOCK_MONOTONIC` stands still while a laptop sleeps (clock_gettime(2)), and the time of day can be set back: the
    longer of the two is the safe one.
    """

    monotonic: float
    realtime: datetime

    @classmethod
    def of(cls, clock: Clock) -> DualTimestamp:
        """Return this moment."""
        return cls(monotonic=clock.monotonic(), realtime=clock.now())

    def age(self, clock: Clock) -> float:
        """Return the seconds since then."""
        return max(clock.monotonic() - self.monotonic, (clock.now() - self.realtime).total_seconds())


@define(kw_only=True)
class HeldLock:
    """A lock of our own.

    Attributes:
        lock: as it was taken.
        renewed_at: when the last renewal that succeeded was asked for.
        read_at: when a look was asked for that has found it; taking it and renewing it are looks as well.
        is_lost: whether a renewal has found another owner, or none.
        renewal_error: why the last renewal failed.
    """

    lock: Lock
    renewed_at: DualTimestamp
    read_at: DualTimestamp
    is_lost: bool = False
    renewal_error: str = ""


@define(kw_only=True)
class LockSession:
    """Takes, renews and releases the locks of a run.

    Attributes:
        held_locks: the locks that were taken, by environment.
        inherited_locks: the locks of a run above this one.
    """

    _tools: Tools
    lease: float
    _command: str
    _reason: str
    held_locks: dict[str, HeldLock] = field(factory=dict)
    inherited_locks: dict[str, Lock] = field(factory=dict)
    _locks_to_release: dict[str, Lock] = field(factory=dict)

    def inherit(self, environment: str, token: str) -> bool:
        """Use the lock that a run above this one holds; one that has ended by now is no reason to stop."""
        current = self._tools.locks.get(environment) if token else None
        if current is None or current.token != token or current.is_expired(self._tools.clock.now()):
            return False
        self.inherited_locks[environment] = current
        return True

    def acquire_all(self, environments: Sequence[str], deadline: float) -> None:
        """Take locks, many at a time, and wait for the runs that hold some of them.

        The first is taken alone: of several runs that want the same, one gets it, and the others stop there. Whatever
        was taken behind one that another run holds is given back before that one is waited for, so that each run waits
        with locks only that come before it: two runs never wait for each other.

        Args:
            environments: which, in the order of their names.
            deadline: until when to wait, in elapsed seconds of the clock.

        Raises:
            Locked: somebody else holds one.
        """
        remaining = environments
        while remaining:
            first, *other_environments = remaining
            self.acquire(first, deadline)
            for_each_parallel(self._acquire_if_free, other_environments, max_workers=MAX_CONCURRENT_LOCKS)
            remaining = list(dropwhile(self.held_locks.__contains__, other_environments))
            for_each_parallel(
                self._release_before_waiting,
                [environment for environment in remaining if environment in self.held_locks],
                max_workers=MAX_CONCURRENT_LOCKS,
            )

    def _acquire_if_free(self, environment: str) -> None:
        self._try_acquire_or_take_over(environment, secrets.token_hex(16))

    def acquire(self, environment: str, deadline: float) -> None:
        """Take a lock, and wait for a run that holds it.

        Args:
            environment: which.
            deadline: until when to wait, in elapsed seconds of the clock.

        Raises:
            Locked: somebody else holds it.
        """
        clock, token, reported_token = self._tools.clock, secrets.token_hex(16), ""
        while (current := self._try_acquire_or_take_over(environment, token)).token != token:
            remaining = deadline - clock.monotonic()
            if current.is_manual or remaining <= 0:
                raise _locked_error(current)
            if current.token != reported_token:
                self._tools.reporter.note(
                    f"{environment} is {current}; waiting up to {duration.format_duration(remaining)}"
                )
                reported_token = current.token
            clock.sleep(min(LOCK_POLL_SECONDS, remaining))

    def _try_acquire_or_take_over(self, environment: str, token: str) -> Lock:
        """Take a lock once, and return the one that stands; nobody waits for a run that is known to have died."""
        current = self._try_acquire(environment, token)
        if current.token == token or not self._tools.host.is_dead(current.process, env_marker=current.token):
            return current
        replacement = self._try_acquire(environment, token, replacing=current)
        if replacement.token == token:
            self._tools.reporter.note(f"{environment} was {current}; that run has died, so this one takes over")
        return replacement

    def _try_acquire(self, environment: str, token: str, *, replacing: Lock | None = None) -> Lock:
        """Take a lock once, and return the one that stands; should this be cut short, it will be released."""
        now = DualTimestamp.of(self._tools.clock)
        requested = Lock(
            environment=environment,
            token=token,
            actor=self._tools.actor,
            command=self._command,
            reason=self._reason,
            since=now.realtime,
            expires=now.realtime + timedelta(seconds=self.lease),
            process=self._tools.host.process_identity(),
        )
        self._locks_to_release[environment] = requested
        current = self._tools.locks.acquire(requested, replacing=replacing)
        if current.token == token:
            self.held_locks[environment] = HeldLock(lock=current, renewed_at=now, read_at=now)
        else:
            del self._locks_to_release[environment]
        return current

    def renew(self) -> bool:
        """Renew every lease; return whether each is renewed or known to be lost."""
        results: list[bool] = []
        held_locks = [held_lock for held_lock in tuple(self.held_locks.values()) if not held_lock.is_lost]
        for_each_parallel(
            lambda held_lock: results.append(self._renew(held_lock)), held_locks, max_workers=MAX_CONCURRENT_LOCKS
        )
        return all(results)

    def _renew(self, held_lock: HeldLock) -> bool:
        now = DualTimestamp.of(self._tools.clock)
        expires = now.realtime + timedelta(seconds=self.lease)
        try:
            held_lock.is_lost = not self._tools.locks.renew(held_lock.lock, expires=expires)
        except KaizenError as error:
            held_lock.renewal_error = error.message  # the lease goes on; `check` sees when it is too old
            return False
        held_lock.renewed_at = held_lock.read_at = now
        return True

    def release(self) -> None:
        """Give back whatever was taken, and what may have been taken although no answer came."""
        errors: dict[str, str] = {}
        for_each_parallel(
            partial(self._release, errors), tuple(self._locks_to_release), max_workers=MAX_CONCURRENT_LOCKS
        )
        for environment, error in sorted(errors.items()):
            expiry = f"it ends by itself within {duration.format_duration(self.lease)}"
            self._tools.reporter.note(f"the lock of {environment} was not released, {expiry}: {error}")

    def _release(self, errors: dict[str, str], environment: str) -> None:
        try:
            self._tools.locks.release(self._locks_to_release[environment])
        except KaizenError as error:
            errors[environment] = error.message
        del self._locks_to_release[environment]

    def _release_before_waiting(self, environment: str) -> None:
        """Give back a lock that is to be taken again."""
        held_lock = self.held_locks.pop(environment)
        self._tools.locks.release(held_lock.lock)
        del self._locks_to_release[environment]


@contextmanager
def heartbeat(session: LockSession) -> Iterator[None]:
    """Renew leases in the background."""
    stop = threading.Event()
    thread = threading.Thread(target=_renew_until_stopped, args=(session, stop), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(HEARTBEAT_JOIN_SECONDS)


def _renew_until_stopped(session: LockSession, stop: threading.Event) -> None:
    """Renew until told to stop; in real time, whatever clock the run is told."""
    interval = session.lease / RENEWALS_PER_LEASE
    pause = interval
    while not stop.wait(pause):
        pause = interval if session.renew() else min(interval, RENEWAL_RETRY_SECONDS)


def _locked_error(current: Lock) -> Locked:
    wait_hint = "" if current.is_manual else "--wait 10m waits for it; "
    return Locked(
        f"{current.environment} is {current}",
        state=NOTHING_CHANGED_THERE,
        hint=f"{wait_hint}if it is left over: inv lock.release --env {current.environment} --force",
    )
