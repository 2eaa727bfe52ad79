"""Acquires, awaits and releases the locks of a run, 25 in one request; reads locks and holds for their display."""

from __future__ import annotations

import secrets
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from itertools import dropwhile
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.lock import LEASE_SECONDS, Lock
from kaizen_tasks.domain.text import duration
from kaizen_tasks.errors import NOTHING_CHANGED_THERE, KaizenError, Locked
from kaizen_tasks.flows.locking.guard import LockGuard
from kaizen_tasks.flows.locking.lease import (
    MAX_CONCURRENT_LOCKS,
    DualTimestamp,
    HeldLock,
    LeaseRenewer,
    lock_batches,
)
from kaizen_tasks.flows.locking.watch import HeartbeatWatch
from kaizen_tasks.flows.parallel import for_each_parallel
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

LOCK_POLL_SECONDS = 2.0
"""Seconds between two attempts to acquire a lock that is waited for."""


@frozen(kw_only=True)
class EnvironmentLockStatus:
    """The lock and the hold of an environment.

    Attributes:
        environment: the environment's name.
        lock: the lock of a run that is changing the environment, or has died; None when the environment is unlocked.
        hold: why promotions leave the environment alone; None when it is not held.
    """

    environment: str
    lock: Lock | None
    hold: Hold | None


def lock_status(environments: Iterable[str], tools: Tools) -> tuple[EnvironmentLockStatus, ...]:
    """Return the lock and the hold of each environment, with one request for each kind."""
    names = tuple(environments)
    locks, holds = tools.locks.get_many(names), tools.holds.get_many(names)
    return tuple(EnvironmentLockStatus(environment=name, lock=locks.get(name), hold=holds.get(name)) for name in names)


@contextmanager
def acquire_locks(
    environments: Iterable[str], tools: Tools, *, command: str, wait: float = 0, lease: float = LEASE_SECONDS
) -> Iterator[LockGuard]:
    """Acquire the locks of all environments, or raise and keep none; yield their guard, and release them in the end.

    A lock of the parent run is used and renewed, but not released. To be called in the main thread, which receives
    signals. Whether the run that holds a lock is alive shows within a part of a lease; without `wait`, that is awaited.

    Args:
        environments: names.
        tools: the ports.
        command: the command line, shown to those who have to wait.
        wait: total seconds to wait for other runs' locks; a lock that a person has acquired is not waited for.
        lease: seconds after which others may take over when this run dies.

    Raises:
        Locked: another run that is alive, or a person, has locked an environment.
    """
    inherited_tokens = tools.locks.inherited_tokens()
    watch = HeartbeatWatch(tools.clock)
    acquisition = _LockAcquisition(tools=tools, lease=lease, command=" ".join(command.split()), watch=watch)
    deadline = tools.clock.monotonic() + wait
    try:
        with LeaseRenewer(tools=tools, lease=lease, held_locks=acquisition.held_locks).heartbeat():
            names = sorted(set(environments))
            names = [name for name in names if not acquisition.inherit(name, inherited_tokens.get(name, ""))]
            acquisition.acquire_all(names, deadline)
            tokens = {name: held_lock.lock.token for name, held_lock in acquisition.held_locks.items()}
            tools.locks.export_tokens({**inherited_tokens, **tokens})
            yield LockGuard(tools=tools, lease=lease, held_locks=acquisition.held_locks)
    finally:
        tools.locks.export_tokens(inherited_tokens)
        try:
            acquisition.release_all()
        except KeyboardInterrupt:  # a second Ctrl-C must not leave a lock behind
            acquisition.release_all()
            raise


@define(kw_only=True)
class _LockAcquisition:
    """The acquired and inherited locks of a run, by environment."""

    _tools: Tools
    _lease: float
    _command: str
    _watch: HeartbeatWatch
    held_locks: dict[str, HeldLock] = field(factory=dict)
    _locks_to_release: dict[str, Lock] = field(factory=dict)

    def inherit(self, environment: str, token: str) -> bool:
        """Use the parent run's lock if it is still in place, and renew it; return whether it is.

        Its last renewal may be almost a lease old. Only who renews a lock knows how much of the lease is left.
        """
        current = self._tools.locks.get(environment) if token else None
        if current is None or current.token != token:
            return False
        now = DualTimestamp.of(self._tools.clock)
        if not self._tools.locks.renew(current, expires=now.realtime + timedelta(seconds=self._lease)):
            return False
        self.held_locks[environment] = HeldLock(lock=current, renewed_at=now, read_at=now)
        return True

    def acquire_all(self, environments: Sequence[str], deadline: float) -> None:
        """Acquire locks, many in one request, and wait for the runs that hold some of them.

        Deadlock-free by ordering: the first lock is acquired alone, so competing runs queue there. If a later lock is
        taken, every lock after it is released before we wait for it, so a waiting run only ever holds locks that sort
        before the one it waits for.

        Args:
            environments: names, sorted.
            deadline: when to stop waiting, in monotonic seconds.
        """
        remaining = environments
        while remaining:
            first, *other_environments = remaining
            self._acquire(first, deadline, behind=other_environments)
            self._acquire_free(other_environments)
            remaining = list(dropwhile(self.held_locks.__contains__, other_environments))
            surplus = [environment for environment in remaining if environment in self.held_locks]
            for_each_parallel(self._release_before_waiting, surplus, max_workers=MAX_CONCURRENT_LOCKS)

    def _acquire(self, environment: str, deadline: float, *, behind: Sequence[str]) -> None:
        """Acquire a lock; while another run holds it, find out whether that is alive, and wait for it if it is.

        Args:
            environment: the environment to lock.
            deadline: when to stop waiting for a run that is alive, in monotonic seconds.
            behind: further environments, whose locks are watched at the same time: the same dead run may hold them.
        """
        clock, token, reported = self._tools.clock, secrets.token_hex(16), ("", False)
        while (current := self._try_acquire_or_take_over(environment, token)).token != token:
            remaining = deadline - clock.monotonic()
            is_alive = self._watch.is_alive(current) or self._tools.host.is_running(current.process)
            if current.is_manual or (is_alive and remaining <= 0):
                raise _locked_error(current)
            watch_seconds = self._watch.remaining_seconds(current)
            is_waiting = remaining > watch_seconds or is_alive
            if reported != (current.token, is_waiting):
                reported = (current.token, is_waiting)
                self._report_wait(current, remaining if is_waiting else watch_seconds, is_waiting=is_waiting)
            for lock in self._tools.locks.get_many(behind).values() if behind else ():
                self._watch.observe(lock)
            clock.sleep(min(LOCK_POLL_SECONDS, remaining if is_waiting else watch_seconds))

    def _report_wait(self, lock: Lock, seconds: float, *, is_waiting: bool) -> None:
        timeout = duration.format_duration(seconds)
        wait = f"waiting up to {timeout}" if is_waiting else f"checking for up to {timeout} whether that run is alive"
        self._tools.reporter.note(f"{lock.environment} is {lock}; {wait}")

    def _acquire_free(self, environments: Sequence[str]) -> None:
        """Acquire the locks that are free or a dead run's: in batches, and one by one where a lock is not free."""
        _for_each_batch(self._acquire_together, environments)
        missing = [environment for environment in environments if environment not in self.held_locks]
        for_each_parallel(self._acquire_if_free, missing, max_workers=MAX_CONCURRENT_LOCKS)

    def _acquire_together(self, environments: Sequence[str]) -> None:
        now = DualTimestamp.of(self._tools.clock)
        requested = [self._request(environment, secrets.token_hex(16), now) for environment in environments]
        locks = self._tools.locks.acquire_together(requested)
        for lock in requested:
            self._keep_own(lock, locks.get(lock.environment), now)

    def _acquire_if_free(self, environment: str) -> None:
        self._try_acquire_or_take_over(environment, secrets.token_hex(16))

    def _try_acquire_or_take_over(self, environment: str, token: str) -> Lock:
        """Try once to acquire a lock, or to take over a dead run's lock; return the lock now in place."""
        current = self._try_acquire(environment, token)
        if current.token == token:
            return current
        self._watch.observe(current)
        is_dead_here = self._tools.host.is_dead(current.process, env_marker=current.token)
        if not is_dead_here and not self._watch.is_dead(current):
            return current
        replacement = self._try_acquire(environment, token, replacing=current)
        if replacement.token == token:
            self._tools.reporter.note(f"{environment} was {current}; that run has died, so this one takes over")
        else:
            self._watch.observe(replacement)
        return replacement

    def _try_acquire(self, environment: str, token: str, *, replacing: Lock | None = None) -> Lock:
        """Try once to acquire a lock and return the lock now in place; without an answer, release it in the end."""
        now = DualTimestamp.of(self._tools.clock)
        requested = self._request(environment, token, now)
        current = self._tools.locks.acquire(requested, replacing=replacing)
        self._keep_own(requested, current, now)
        return current

    def _request(self, environment: str, token: str, now: DualTimestamp) -> Lock:
        """Return the lock to acquire, which is released in the end unless it turns out to be another owner's."""
        requested = Lock(
            environment=environment,
            token=token,
            actor=self._tools.actor,
            run_url=self._tools.run_url,
            command=self._command,
            since=now.realtime,
            expires=now.realtime + timedelta(seconds=self._lease),
            lease=self._lease,
            process=self._tools.host.process_identity(),
        )
        self._locks_to_release[environment] = requested
        return requested

    def _keep_own(self, requested: Lock, current: Lock | None, now: DualTimestamp) -> None:
        if current is not None and current.token == requested.token:
            self.held_locks[current.environment] = HeldLock(lock=current, renewed_at=now, read_at=now)
        else:
            del self._locks_to_release[requested.environment]

    def release_all(self) -> None:
        """Release all acquired locks, and those that may have been acquired although no answer came."""
        errors: dict[str, str] = {}
        _for_each_batch(self._release_together, tuple(self._locks_to_release))
        names = tuple(self._locks_to_release)
        for_each_parallel(partial(self._release, errors), names, max_workers=MAX_CONCURRENT_LOCKS)
        for environment, error in sorted(errors.items()):
            expiry = f"others take it over after {duration.format_duration(self._lease)}"
            self._tools.reporter.note(f"the lock of {environment} was not released, {expiry}: {error}")

    def _release_together(self, environments: Sequence[str]) -> None:
        """Release locks in one request; if one is lost, or the request fails, they are left to be released alone."""
        with suppress(KaizenError):
            if self._tools.locks.release_together([self._locks_to_release[name] for name in environments]):
                for environment in environments:
                    del self._locks_to_release[environment]

    def _release(self, errors: dict[str, str], environment: str) -> None:
        try:
            self._tools.locks.release(self._locks_to_release[environment])
        except KaizenError as error:
            errors[environment] = error.message
        del self._locks_to_release[environment]

    def _release_before_waiting(self, environment: str) -> None:
        held_lock = self.held_locks.pop(environment)
        self._tools.locks.release(held_lock.lock)
        del self._locks_to_release[environment]


def _for_each_batch(write: Callable[[Sequence[str]], None], environments: Sequence[str]) -> None:
    """Call `write` for as many environments as one request writes; one that is left over needs no transaction."""
    batches = [batch for batch in lock_batches(environments) if len(batch) > 1]
    for_each_parallel(write, batches, max_workers=MAX_CONCURRENT_LOCKS)


def _locked_error(current: Lock) -> Locked:
    wait_hint = "" if current.is_manual else "--wait 10m waits for it; "
    message = f"{current.environment} is {current}"
    hint = f"{wait_hint}if it is left over: inv lock.release --env {current.environment} --force"
    return Locked(message, state=NOTHING_CHANGED_THERE, hint=hint)
