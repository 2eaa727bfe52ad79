"""Holds that are kept in memory."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from attrs import define, field

from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.ports.clock import Clock
from kaizen_tasks.ports.state import Holds
from tests.fakes.outbox import FakeOutbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaizen_tasks.domain.notification.notification import Notification
    from kaizen_tasks.ports.state import HoldNotifier


@define(kw_only=True)
class FakeHolds(Holds):
    """Keeps holds; safe to use from several threads.

    Attributes:
        clock: says which holds have ended.
        stored_holds: the last hold of every environment, ended or not.
        outbox: where notifications are written.
    """

    clock: Clock
    outbox: FakeOutbox = field(factory=FakeOutbox)
    stored_holds: dict[str, Hold] = field(factory=dict)
    _guard: threading.Lock = field(factory=threading.Lock, repr=False)

    def get(self, environment: str) -> Hold | None:
        with self._guard:
            return self._active_hold(environment)

    def get_many(self, environments: Iterable[str]) -> dict[str, Hold]:
        holds = {environment: self.get(environment) for environment in environments}
        return {environment: hold for environment, hold in holds.items() if hold is not None}

    def add(self, hold: Hold, notifications: Sequence[Notification] = ()) -> Hold:
        with self._guard:
            current = self._active_hold(hold.environment)
            if current is None:
                self.stored_holds[hold.environment] = hold
                self.outbox.write(notifications)
            return current or hold

    def remove(self, environment: str, *, notify: HoldNotifier | None = None) -> Hold | None:
        with self._guard:
            current = self._active_hold(environment)
            self.stored_holds.pop(environment, None)
            if current is not None and notify is not None:
                self.outbox.write(notify(current))
            return current

    def _active_hold(self, environment: str) -> Hold | None:
        hold = self.stored_holds.get(environment)
        return None if hold is None or hold.is_expired(self.clock.now()) else hold
