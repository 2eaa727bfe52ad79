"""An outbox in memory."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from kaizen_tasks.domain.notification.notification import Notification, OutboxContent, QueuedMessage
from kaizen_tasks.domain.notification.thread import Thread
from kaizen_tasks.ports.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@define
class FakeOutbox(Outbox):
    """Keeps what is not delivered; safe to use from several threads.

    Attributes:
        notifications: those that are no message yet, by id.
        messages: those that are not delivered, by id.
        threads: by target and name.
        problem: why notifications are not written.
    """

    notifications: dict[str, Notification] = field(factory=dict)
    messages: dict[str, QueuedMessage] = field(factory=dict)
    threads: dict[tuple[str, str], Thread] = field(factory=dict)
    problem: str = ""
    _news: threading.Event = field(factory=threading.Event, repr=False)
    _guard: threading.Lock = field(factory=threading.Lock, repr=False)
    _count: int = 0

    @property
    def news(self) -> threading.Event:
        return self._news

    def do_without(self, problem: str) -> None:
        self.problem = self.problem or problem

    def write(self, notifications: Sequence[Notification]) -> None:
        """Add notifications, as `Ledger.append` and `Holds` do."""
        with self._guard:
            for notification in notifications:
                self._count += 1
                written = evolve(notification, id=f"n#{self._count:06}")
                self.notifications[written.id] = written
        if notifications:
            self._news.set()

    def content(self) -> OutboxContent:
        with self._guard:
            oldest_first = sorted(self.notifications.values(), key=lambda each: (each.change.at, each.id))
            messages = sorted(self.messages.values(), key=lambda each: each.queued_at)
        return OutboxContent(notifications=tuple(oldest_first), messages=tuple(messages))

    def thread(self, target: str, name: str) -> Thread:
        with self._guard:
            return self.threads.get((target, name), Thread(target=target, name=name))

    def queue(self, message: QueuedMessage, thread: Thread, notifications: Sequence[Notification]) -> bool:
        key = thread.target, thread.name
        with self._guard:
            current = self.threads.get(key, Thread(target=thread.target, name=thread.name))
            is_next = current.revision == thread.revision - 1 and current.token in {"", thread.token}
            if not is_next or any(each.id not in self.notifications for each in notifications):
                return self.messages.get(f"m#{message.message.key}") == evolve(message, id=f"m#{message.message.key}")
            for each in notifications:
                del self.notifications[each.id]
            self.threads[key] = evolve(thread, reference=current.reference)
            self.messages[f"m#{message.message.key}"] = evolve(message, id=f"m#{message.message.key}")
        return True

    def reserve(self, message: QueuedMessage, *, owner: str, until: datetime) -> QueuedMessage | None:
        with self._guard:
            current = self.messages.get(message.id)
            if current is None or current.owner not in {message.owner, owner}:
                return None
            self.messages[message.id] = evolve(current, owner=owner, reserved_until=until)
            return self.messages[message.id]

    def remove(self, message: QueuedMessage, *, reference: str = "") -> None:
        key = message.target, message.message.thread
        with self._guard:
            if reference and key in self.threads:
                self.threads[key] = evolve(self.threads[key], reference=reference)
            self.messages.pop(message.id, None)

    def postpone(self, message: QueuedMessage, *, error: str, until: datetime) -> None:
        with self._guard:
            current = self.messages.get(message.id)
            if current is not None and message.owner in {"", current.owner}:
                self.messages[message.id] = evolve(
                    current,
                    due_at=until,
                    error=error,
                    attempts=current.attempts + 1,
                    owner="",
                    reserved_until=None,
                )
