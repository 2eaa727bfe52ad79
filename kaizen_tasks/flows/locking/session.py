"""Takes the locks of a run, keeps them while it lasts, and says when they are lost."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import field, frozen

from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.errors import NOTHING_CHANGED_THERE, KaizenError, Locked
from kaizen_tasks.flows.locking.guard import MutationLog
from kaizen_tasks.flows.locking.lease import DualTimestamp, HeldLock, LockSession, heartbeat
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEASE_SECONDS = 60.0
"""Seconds after which others may take over the lock of a run that has died."""

LEASE_SAFETY_FRACTION = 1 / 6
"""The part at the end of a lease in which its owner begins nothing more: clocks differ, and an act takes time."""

LOCK_CACHE_SECONDS = 1.0
"""Seconds for which a lock that was seen to be written needs no other look. A person who releases it by force cannot
know either which calls of its run are under way."""


@frozen(kw_only=True)
class EnvironmentLockStatus:
    """What keeps others away from an environment.

    Attributes:
        environment: which.
        lock: of the run that changes it now, or of one that has died; None when it is free.
        hold: why it is to be left alone; None when it is not.
    """

    environment: str
    lock: Lock | None
    hold: Hold | None


def lock_status(environments: Iterable[str], tools: Tools) -> tuple[EnvironmentLockStatus, ...]:
    """Return who locks and who holds each environment, asking for all at once."""
    names = tuple(environments)
    locks, holds = tools.locks.get_many(names), tools.holds.get_many(names)
    return tuple(EnvironmentLockStatus(environment=name, lock=locks.get(name), hold=holds.get(name)) for name in names)


def require_no_hold(environment: str, tools: Tools) -> None:
    """Go on only when no hold keeps an environment as it is.

    Raises:
        Locked: one does.
    """
    hold = tools.holds.get(environment)
    if hold is not None:
        raise Locked(
            f"{environment} is {hold}",
            state=NOTHING_CHANGED_THERE,
            hint=f"when that no longer applies: inv hold.remove --env {environment}",
        )


@contextmanager
def acquire_locks(
    environments: Iterable[str],
    tools: Tools,
    *,
    command: str,
    reason: str = "",
    wait: float = 0,
    lease: float = LEASE_SECONDS,
) -> Iterator[LockGuard]:
    """Hold the locks of environments for as long as a run lasts: all of them, or none.

    A lock that a run above this one holds is used, and neither renewed nor released. For the main thread, where
    signals arrive.

    Args:
        environments: names.
        tools: the outside world.
        command: what was typed, for those who are kept waiting.
        reason: why, or empty.
        wait: seconds to wait in all for runs that hold a lock; one that a person has taken by hand is not waited for.
        lease: seconds after which others may take over when this run dies.

    Raises:
        Locked: somebody else holds an environment.
    """
    inherited_tokens = tools.locks.inherited_tokens()
    session = LockSession(tools=tools, lease=lease, command=_one_line(command), reason=_one_line(reason))
    deadline = tools.clock.monotonic() + wait
    try:
        with heartbeat(session):
            names = sorted(set(environments))
            session.acquire_all(
                [name for name in names if not session.inherit(name, inherited_tokens.get(name, ""))], deadline
            )
            tools.locks.export_tokens(
                {**inherited_tokens, **{name: held_lock.lock.token for name, held_lock in session.held_locks.items()}}
            )
            yield LockGuard(
                tools=tools, lease=lease, held_locks=session.held_locks, inherited_locks=session.inherited_locks
            )
    finally:
        tools.locks.export_tokens(inherited_tokens)
        try:
            session.release()
        except KeyboardInterrupt:  # whoever presses Ctrl-C twice must not leave a lock behind
            session.release()
            raise


@frozen(kw_only=True)
class LockGuard:
    """Stands before every change: are the locks still this run's own? Safe to use from several threads.

    Attributes:
        mutations: what the run has changed behind it.
    """

    _tools: Tools
    _lease: float
    _held_locks: dict[str, HeldLock]
    _inherited_locks: dict[str, Lock]
    mutations: MutationLog = field(factory=MutationLog)

    def require_lease(self, environment: str = "") -> None:
        """Go on only when a lock is still ours as far as this process knows, which costs nothing.

        A process that was stopped, or whose machine slept, finds that its last renewal is too old. An inherited lock is
        renewed by another process, so that one is looked at.

        Args:
            environment: one that this run holds; empty for all of them.

        Raises:
            Locked: the lock is lost, or its lease was not renewed in time.
        """
        for name in self._environments_for(environment):
            if name in self._inherited_locks:
                self._require_current(self._inherited_locks[name])
            elif self._held_locks[name].is_lost or self._is_stale(self._held_locks[name]):
                raise self._diagnose_loss(self._held_locks[name])

    def require_ownership(self, environment: str = "") -> None:
        """Check, and look at what is written, unless that was seen a moment ago.

        Args:
            environment: one that this run holds; empty for all of them.

        Raises:
            Locked: the lock is lost, or its lease was not renewed in time.
        """
        self.require_lease(environment)
        for name in self._environments_for(environment):
            if name in self._held_locks and self._held_locks[name].read_at.age(self._tools.clock) >= LOCK_CACHE_SECONDS:
                self._reread(self._held_locks[name])

    def _environments_for(self, environment: str) -> tuple[str, ...]:
        return (environment,) if environment else (*self._inherited_locks, *self._held_locks)

    def _reread(self, held_lock: HeldLock) -> None:
        now = DualTimestamp.of(self._tools.clock)
        self._require_current(held_lock.lock)
        held_lock.read_at = now

    def _require_current(self, lock: Lock) -> None:
        current = self._tools.locks.get(lock.environment)
        earliest_expiry = self._tools.clock.now() + timedelta(seconds=self._lease * LEASE_SAFETY_FRACTION)
        if current is None or not current.is_same_as(lock) or current.is_expired(earliest_expiry):
            raise _lock_lost_error(lock, current)

    def _is_stale(self, held_lock: HeldLock) -> bool:
        return held_lock.renewed_at.age(self._tools.clock) >= self._lease * (1 - LEASE_SAFETY_FRACTION)

    def _diagnose_loss(self, held_lock: HeldLock) -> Locked:
        try:
            return _lock_lost_error(
                held_lock.lock, self._tools.locks.get(held_lock.lock.environment), held_lock.renewal_error
            )
        except KaizenError as error:
            return _lock_lost_error(held_lock.lock, held_lock.lock, error.message)


def _lock_lost_error(lock: Lock, current: Lock | None, renewal_error: str = "") -> Locked:
    if current is None:
        cause = "somebody has released it"
    elif not current.is_same_as(lock):
        cause = f"now it is {current}"
    else:
        cause = "its lease was not renewed in time" + (f" ({renewal_error})" if renewal_error else "")
    return Locked(
        f"this run has lost the lock of {lock.environment}: {cause}",
        state="it changes nothing more there; a deployment that it began goes on by itself",
        hint="look first: inv lock.show, inv status; then type the same command again",
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
