"""Holds that are kept in memory."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from attrs import define, field

from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.state import Holds

if TYPE_CHECKING:
    from collections.abc import Iterable


@define(kw_only=True)
class FakeHolds(Holds):
    """Remembers what is held; safe to use from several threads.

    Attributes:
        clock: says which holds have ended.
        written: the last hold of every environment, ended or not.
    """

    clock: Clock
    written: dict[str, Hold] = field(factory=dict)
    _guard: threading.Lock = field(factory=threading.Lock, repr=False)

    def find(self, environment: str) -> Hold | None:
        """Return the hold that counts."""
        with self._guard:
            return self._counting(environment)

    def all_of(self, environments: Iterable[str]) -> dict[str, Hold]:
        """Return the holds that count."""
        found = {environment: self.find(environment) for environment in environments}
        return {environment: hold for environment, hold in found.items() if hold is not None}

    def add(self, hold: Hold) -> Hold:
        """Write a hold where none counts."""
        with self._guard:
            standing = self._counting(hold.environment)
            if standing is None:
                self.written[hold.environment] = hold
            return standing or hold

    def remove(self, environment: str) -> Hold | None:
        """End a hold."""
        with self._guard:
            standing = self._counting(environment)
            self.written.pop(environment, None)
            return standing

    def _counting(self, environment: str) -> Hold | None:
        hold = self.written.get(environment)
        return None if hold is None or hold.ended(self.clock.now()) else hold
