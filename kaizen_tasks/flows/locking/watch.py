"""Finds out whether the run that holds a lock is alive, by its heartbeat; no clocks of two machines are compared."""

from __future__ import annotations

from attrs import define, field, frozen

from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.ports.clock import Clock

ALIVE_FRACTION = 1 / 2
"""The part of a lease for which a run counts as alive after its heartbeat was seen to change."""


@define(kw_only=True)
class _Observation:
    """The heartbeat of one lock, as far as it was watched.

    Attributes:
        lock: as it was read last.
        since: when this heartbeat was first seen, in monotonic seconds of this machine.
        has_changed: whether the heartbeat was seen to change, or the lock to be acquired.
    """

    lock: Lock
    since: float
    has_changed: bool


@frozen
class HeartbeatWatch:
    """Watches the heartbeats of other runs' locks. Safe to use from several threads, one for each environment."""

    _clock: Clock
    _observations: dict[str, _Observation] = field(factory=dict)

    def observe(self, lock: Lock) -> None:
        """Take note of a lock that has just been read.

        The time is taken after the answer: its owner counts from before the renewal was sent, so it stops first.
        """
        now, last = self._clock.monotonic(), self._observations.get(lock.environment)
        if last is None:
            self._observations[lock.environment] = _Observation(lock=lock, since=now, has_changed=False)
        elif not lock.is_unchanged_since(last.lock):
            self._observations[lock.environment] = _Observation(lock=lock, since=now, has_changed=True)

    def is_dead(self, lock: Lock) -> bool:
        """Return whether the heartbeat of an observed lock has stood still for a whole lease."""
        return not lock.is_manual and self.remaining_seconds(lock) <= 0

    def is_alive(self, lock: Lock) -> bool:
        """Return whether the heartbeat of an observed lock was seen to change not long ago."""
        has_changed = self._observations[lock.environment].has_changed
        return has_changed and self._age(lock) < lock.lease * ALIVE_FRACTION

    def remaining_seconds(self, lock: Lock) -> float:
        """Return for how many seconds the heartbeat of an observed lock has to stand still until its run is dead."""
        return lock.lease - self._age(lock)

    def _age(self, lock: Lock) -> float:
        return self._clock.monotonic() - self._observations[lock.environment].since
