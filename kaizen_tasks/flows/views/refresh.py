"""Refreshes what several readers look at: once for all of them, and only while somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Generic, TypeVar

from attrs import evolve, field, frozen

from kaizen_tasks.errors import KaizenError
from kaizen_tasks.ports.clock import Clock

T = TypeVar("T")

IDLE_SHARE = 4
"""How many times as long as the last refresh took the next one waits, so that a slow one does not follow on itself."""


@frozen(kw_only=True)
class Snapshot(Generic[T]):
    """The last value that could be read.

    Attributes:
        value: the value.
        number: how many values have been read.
        at: when it was read, in UTC.
        error: why the last attempt to read a newer one failed, in one line; empty if it did not fail.
    """

    value: T
    number: int
    at: datetime
    error: str = ""


@frozen
class SharedRefresh(Generic[T]):
    """Reads a value again when somebody asks for it and it is too old. Safe to use from several threads.

    Those who ask during a refresh wait for it, and share what it has read.

    Args:
        read: reads the value; its errors are in the snapshot, beside the last value.
        clock: measures the age.
        interval_seconds: age from which a value is read again.
    """

    _read: Callable[[], T]
    _clock: Clock
    _interval_seconds: float
    _state: _State[T] = field(init=False)
    _lock: Lock = field(init=False, factory=Lock)

    @_state.default
    def _first_state(self) -> _State[T]:
        """Read for the first time, in the thread of the caller, who gets the error."""
        started_at = self._clock.monotonic()
        value = self._read()
        snapshot = Snapshot(value=value, number=1, at=self._clock.now())
        return _State(snapshot, self._next_time(started_at))

    def get(self) -> Snapshot[T]:
        """Return the newest snapshot, after a refresh if it is too old."""
        with self._lock:
            if self._clock.monotonic() >= self._state.next_time:
                started_at = self._clock.monotonic()
                self._state.snapshot = self._refreshed(self._state.snapshot)
                self._state.next_time = self._next_time(started_at)
            return self._state.snapshot

    def _refreshed(self, last: Snapshot[T]) -> Snapshot[T]:
        try:
            value = self._read()
        except KaizenError as error:
            return evolve(last, error=error.message.partition("\n")[0])
        except Exception as error:  # noqa: BLE001 - shown to those who look; the next refresh may succeed
            return evolve(last, error=f"unexpected {type(error).__name__}: {error}".partition("\n")[0])
        return Snapshot(value=value, number=last.number + 1, at=self._clock.now())

    def _next_time(self, started_at: float) -> float:
        """Return when the next refresh may start, by the monotonic clock."""
        ended_at = self._clock.monotonic()
        return ended_at + max(self._interval_seconds, IDLE_SHARE * (ended_at - started_at))


class _State(Generic[T]):
    """What changes with each refresh."""

    def __init__(self, snapshot: Snapshot[T], next_time: float) -> None:
        self.snapshot, self.next_time = snapshot, next_time
