"""Locks that are kept in memory."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from kaizen_tasks.domain import lock as locks
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.errors import Unreachable
from kaizen_tasks.ports.state import MAX_WRITTEN_TOGETHER, Locks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

VARIABLE = "KAIZEN_LOCK"


@define
class FakeLocks(Locks):
    """Keeps locks; safe to use from several threads.

    Attributes:
        held_locks: the lock of every environment that is locked.
        environ: the variables that programs inherit.
        calls: what was asked, with the environment, in order: `("acquire", "staging")`.
        unreachable_calls: names of the calls that find nobody.
        live_tokens: of the runs that are alive: they have renewed their locks whenever somebody wants them.
    """

    held_locks: dict[str, Lock] = field(factory=dict)
    environ: dict[str, str] = field(factory=dict)
    calls: list[tuple[str, str]] = field(factory=list)
    unreachable_calls: set[str] = field(factory=set)
    live_tokens: set[str] = field(factory=set)
    _fences: dict[str, int] = field(factory=dict)
    _guard: threading.Lock = field(factory=threading.Lock, repr=False)

    def get(self, environment: str) -> Lock | None:
        with self._guard:
            self._record_call("get", environment)
            return self.held_locks.get(environment)

    def get_many(self, environments: Iterable[str]) -> dict[str, Lock]:
        locks_by_environment = {environment: self.get(environment) for environment in environments}
        return {environment: lock for environment, lock in locks_by_environment.items() if lock is not None}

    def acquire(self, lock: Lock, *, replacing: Lock | None = None) -> Lock:
        """Acquire a lock that is free or unchanged since `replacing`."""
        with self._guard:
            self._record_call("acquire", lock.environment)
            current = self.held_locks.get(lock.environment)
            if current is not None and current.token in self.live_tokens:
                current = self.held_locks[lock.environment] = evolve(current, heartbeat=current.heartbeat + 1)
            if current is None or (replacing and current.is_unchanged_since(replacing)):
                self._acquire(lock)
            return self.held_locks[lock.environment]

    def acquire_together(self, locks: Sequence[Lock]) -> dict[str, Lock]:
        names = [lock.environment for lock in locks]
        with self._guard:
            self._record_call("acquire_together", " ".join(names))
            assert len(locks) <= MAX_WRITTEN_TOGETHER
            if not any(name in self.held_locks for name in names):
                for lock in locks:
                    self._acquire(lock)
            return {name: self.held_locks[name] for name in names if name in self.held_locks}

    def _acquire(self, lock: Lock) -> None:
        fence = self._fences[lock.environment] = self._fences.get(lock.environment, 0) + 1
        self.held_locks[lock.environment] = evolve(lock, fence=fence)

    def renew(self, lock: Lock, *, expires: datetime) -> bool:
        with self._guard:
            self._record_call("renew", lock.environment)
            return self._renew((lock,), expires)

    def renew_together(self, locks: Sequence[Lock], *, expires: datetime) -> bool:
        with self._guard:
            self._record_call("renew_together", " ".join(lock.environment for lock in locks))
            assert len(locks) <= MAX_WRITTEN_TOGETHER
            return self._renew(locks, expires)

    def _renew(self, locks: Sequence[Lock], expires: datetime) -> bool:
        if not all(map(self._is_current, locks)):
            return False
        for current in [self.held_locks[lock.environment] for lock in locks]:
            self.held_locks[current.environment] = evolve(current, expires=expires, heartbeat=current.heartbeat + 1)
        return True

    def release(self, lock: Lock) -> bool:
        with self._guard:
            self._record_call("release", lock.environment)
            return self._release((lock,))

    def release_together(self, locks: Sequence[Lock]) -> bool:
        with self._guard:
            self._record_call("release_together", " ".join(lock.environment for lock in locks))
            assert len(locks) <= MAX_WRITTEN_TOGETHER
            return self._release(locks)

    def _release(self, locks: Sequence[Lock]) -> bool:
        if not all(map(self._is_current, locks)):
            return False
        for lock in locks:
            del self.held_locks[lock.environment]
        return True

    def inherited_tokens(self) -> dict[str, str]:
        return locks.parse_lock_tokens(self.environ.get(VARIABLE, ""))

    def export_tokens(self, tokens: Mapping[str, str]) -> None:
        self.environ.pop(VARIABLE, None)
        if tokens:
            self.environ[VARIABLE] = locks.format_lock_tokens(tokens)

    def _record_call(self, name: str, environment: str) -> None:
        self.calls.append((name, environment))
        if name in self.unreachable_calls:
            raise Unreachable(f"cannot {name} the lock of {environment}: nobody answers")

    def _is_current(self, lock: Lock) -> bool:
        current = self.held_locks.get(lock.environment)
        return current is not None and current.token == lock.token
