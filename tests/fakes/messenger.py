"""Targets of messages that keep what they are sent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from attrs import define, field

from kaizen_tasks.domain.notification.message import Message
from kaizen_tasks.errors import Undelivered
from kaizen_tasks.ports.messenger import Messenger

if TYPE_CHECKING:
    from kaizen_tasks.domain.notification.target import NotifyTarget


@define
class FakeMessenger(Messenger):
    """Keeps messages by target. Safe to use from several threads.

    Attributes:
        sent: target, message and reference of each message that was accepted, in order.
        failures: errors by the target's name: one is raised by each attempt, the last one by all that follow.
    """

    sent: list[tuple[str, Message, str]] = field(factory=list)
    failures: dict[str, list[Undelivered]] = field(factory=dict)
    _guard: threading.Lock = field(factory=threading.Lock, repr=False)

    def send(self, message: Message, target: NotifyTarget, *, reference: str = "") -> str:
        """Keep the message, and return the name of its thread if the target edits messages."""
        with self._guard:
            self._raise_failure(target)
            self.sent.append((target.name, message, reference))
        return (reference or f"{target.name}/{message.thread}") if target.edits else ""

    def require_usable(self, target: NotifyTarget) -> None:
        with self._guard:
            self._raise_failure(target)

    def _raise_failure(self, target: NotifyTarget) -> None:
        failures = self.failures.get(target.name, [])
        if failures:
            raise failures.pop(0) if len(failures) > 1 else failures[0]
