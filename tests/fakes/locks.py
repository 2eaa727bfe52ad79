"""Locks that are kept in memory."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from kaizen_tasks.domain import lock as locks
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.errors import Unreachable
from kaizen_tasks.ports.state import Locks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

VARIABLE = "KAIZEN_LOCK"


@define
class FakeLocks(Locks):
    """Remembers who holds what; safe to use from several threads.

    Attributes:
        standing: the lock of every environment that is locked.
        environ: the variables that programs inherit.
        calls: what was asked, with the environment, in order: `("take", "staging")`.
        unreachable: names of the calls that find nobody.
    """

    standing: dict[str, Lock] = field(factory=dict)
    environ: dict[str, str] = field(factory=dict)
    calls: list[tuple[str, str]] = field(factory=list)
    unreachable: set[str] = field(factory=set)
    _fences: dict[str, int] = field(factory=dict)
    _guard: threading.Lock = field(factory=threading.Lock, repr=False)

    def find(self, environment: str) -> Lock | None:
        """Return the lock that stands."""
        with self._guard:
            self._called("find", environment)
            return self.standing.get(environment)

    def all_of(self, environments: Iterable[str]) -> dict[str, Lock]:
        """Return the locks that stand."""
        found = {environment: self.find(environment) for environment in environments}
        return {environment: lock for environment, lock in found.items() if lock is not None}

    def take(self, wanted: Lock, *, over: Lock | None = None) -> Lock:
        """Take a lock that is free, has expired, or is to be taken over."""
        with self._guard:
            self._called("take", wanted.environment)
            standing = self.standing.get(wanted.environment)
            if standing is not None and not standing.expired(wanted.since) and not standing.same(over):
                return standing
            fence = self._fences[wanted.environment] = self._fences.get(wanted.environment, 0) + 1
            self.standing[wanted.environment] = evolve(wanted, fence=fence)
            return self.standing[wanted.environment]

    def renew(self, lock: Lock, *, expires: datetime) -> bool:
        """Move the end of a lease."""
        with self._guard:
            self._called("renew", lock.environment)
            if not self._is_standing(lock):
                return False
            self.standing[lock.environment] = evolve(self.standing[lock.environment], expires=expires)
            return True

    def release(self, lock: Lock) -> bool:
        """Give a lock back."""
        with self._guard:
            self._called("release", lock.environment)
            if not self._is_standing(lock):
                return False
            del self.standing[lock.environment]
            return True

    def inherited(self) -> dict[str, str]:
        """Return what the variable says."""
        return locks.read(self.environ.get(VARIABLE, ""))

    def pass_on(self, tokens: Mapping[str, str]) -> None:
        """Set the variable, or take it away."""
        self.environ.pop(VARIABLE, None)
        if tokens:
            self.environ[VARIABLE] = locks.written(tokens)

    def _called(self, name: str, environment: str) -> None:
        self.calls.append((name, environment))
        if name in self.unreachable:
            raise Unreachable(f"cannot {name} the lock of {environment}: nobody answers")

    def _is_standing(self, lock: Lock) -> bool:
        standing = self.standing.get(lock.environment)
        return standing is not None and standing.token == lock.token
