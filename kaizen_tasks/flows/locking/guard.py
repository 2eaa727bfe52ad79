"""Checks that a run still owns its locks: before each step with a request, before each change without one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from threading import Lock as Mutex

from attrs import field, frozen

from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.errors import KaizenError, Locked
from kaizen_tasks.flows.locking.lease import DualTimestamp, HeldLock
from kaizen_tasks.flows.locking.mutations import MutationLog
from kaizen_tasks.ports.state import MAX_READ_TOGETHER
from kaizen_tasks.ports.tools import Tools

LOCK_CACHE_SECONDS = 1.0
"""Seconds for which a read of the lock item is trusted. Somebody who force-releases the lock in that second cannot tell
which calls are in flight anyway."""


@frozen(kw_only=True)
class LockGuard:
    """Checks before each change that this run still owns its locks. Safe to use from several threads.

    Attributes:
        mutations: what the run has changed so far.
    """

    _tools: Tools
    _lease: float
    _held_locks: Mapping[str, HeldLock]
    mutations: MutationLog = field(factory=MutationLog)
    _reading: Mutex = field(factory=Mutex, eq=False)

    def require_lease(self, environment: str = "") -> float:
        """Return for how many seconds a change that begins now may go on; send no request.

        A renewal is too old after the process was suspended, the machine slept or the network was gone.

        Args:
            environment: an environment that this run has locked; empty for all of them.

        Raises:
            Locked: the lock is lost, or its lease was not renewed in time.
        """
        seconds = math.inf
        for name in self._environments_for(environment):
            held_lock = self._held_locks[name]
            if held_lock.is_lost or held_lock.is_stale(self._lease, self._tools.clock):
                raise self._diagnose_loss(held_lock)
            seconds = min(seconds, held_lock.attempt_seconds(self._lease, self._tools.clock))
        return seconds

    def require_ownership(self, environment: str = "") -> None:
        """Raise if a lock is lost, by `require_lease` or by its item, which is read again after `LOCK_CACHE_SECONDS`.

        One request reads the other locks of the run too, so that many environments need no more requests than a few.

        Args:
            environment: an environment that this run has locked; empty for all of them.

        Raises:
            Locked: the lock is lost, or its lease was not renewed in time.
        """
        self.require_lease(environment)
        for name in self._environments_for(environment):
            with self._reading:
                if self._read_age(name) >= LOCK_CACHE_SECONDS:
                    self._read_locks(name)

    def _environments_for(self, environment: str) -> tuple[str, ...]:
        return (environment,) if environment else tuple(self._held_locks)

    def _read_age(self, environment: str) -> float:
        return self._held_locks[environment].read_at.age(self._tools.clock)

    def _read_locks(self, environment: str) -> None:
        """Read the lock of an environment, and those beside it by name; raise if the first is lost.

        A rollout goes by name, so it changes the environments beside this one at the same time, or soon.
        """
        names, now = sorted(self._held_locks), DualTimestamp.of(self._tools.clock)
        start = max(0, names.index(environment) - MAX_READ_TOGETHER // 2)
        neighbours = names[start : start + MAX_READ_TOGETHER]
        locks = self._tools.locks.get_many(neighbours)
        for name in neighbours:
            held_lock, current = self._held_locks[name], locks.get(name)
            if current is not None and current.is_same_as(held_lock.lock):
                held_lock.read_at = now
            elif name == environment:
                raise _lock_lost_error(held_lock.lock, current)

    def _diagnose_loss(self, held_lock: HeldLock) -> Locked:
        try:
            current = self._tools.locks.get(held_lock.lock.environment)
        except KaizenError as error:
            return _lock_lost_error(held_lock.lock, held_lock.lock, error.message)
        return _lock_lost_error(held_lock.lock, current, held_lock.renewal_error)


def _lock_lost_error(lock: Lock, current: Lock | None, renewal_error: str = "") -> Locked:
    if current is None:
        cause = "somebody has released it"
    elif not current.is_same_as(lock):
        cause = f"now it is {current}"
    else:
        cause = "its lease was not renewed in time" + (f" ({renewal_error})" if renewal_error else "")
    return Locked(
        f"this run has lost the lock of {lock.environment}: {cause}",
        state="it changes nothing more there; a deployment that it started goes on by itself",
        hint="look first: inv lock.show && inv status, then run the same command again",
    )
