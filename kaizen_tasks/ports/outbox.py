"""The port of the outbox: what the team is to be told, stored with what was recorded until it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from threading import Event

    from kaizen_tasks.domain.notification.notification import Notification, OutboxContent, QueuedMessage
    from kaizen_tasks.domain.notification.thread import Thread


class Outbox(Protocol):
    """Notifications, which `Ledger.append` and `Holds` write, and the messages made of them until they are delivered.

    Several runs may send at the same time: each write is made on the condition that nobody else has made it. Safe to
    use from several threads.
    """

    @property
    def news(self) -> Event:
        """Set whenever this process has written a notification, so that somebody can wait for that."""

    @property
    def problem(self) -> str:
        """Why this process writes no notifications, or empty."""

    def do_without(self, problem: str) -> None:
        """Remember why this process writes no notifications from now on."""

    def content(self) -> OutboxContent:
        """Return everything that is not delivered yet, oldest first; a consistent read."""

    def thread(self, target: str, name: str) -> Thread:
        """Return how a thread stands; a consistent read. A thread that does not exist is returned empty."""

    @mutates("the message is queued", needs_lock=False)
    def queue(self, message: QueuedMessage, thread: Thread, notifications: Sequence[Notification]) -> bool:
        """Put a message in the place of notifications, with its thread as it stands then, all or nothing.

        Args:
            message: the message.
            thread: the thread with the message; its `revision` is one above that which is stored.
            notifications: those that the message tells, 90 at most.

        Returns:
            False if another run has done so in the meantime, and nothing is changed.
        """

    @mutates("the message is reserved", needs_lock=False)
    def reserve(self, message: QueuedMessage, *, owner: str, until: datetime) -> QueuedMessage | None:
        """Reserve a message for one attempt to send it; None if another run has it, or has delivered it.

        Args:
            message: as it was read.
            owner: a random token of this run.
            until: when others may send it, if this run dies.
        """

    @mutates("the message is delivered", needs_lock=False)
    def remove(self, message: QueuedMessage, *, reference: str = "") -> None:
        """Remove a message that was delivered, and store by what its target knows the thread.

        Args:
            message: as `reserve` returned it.
            reference: what the target has returned; empty if it is unchanged.
        """

    @mutates("the message waits", needs_lock=False)
    def postpone(self, message: QueuedMessage, *, error: str, until: datetime) -> None:
        """Count an attempt that has failed, and give the message back to all runs, for the next one.

        Args:
            message: as `reserve` returned it, or as it was read.
            error: why it failed.
            until: when the next attempt may be made.
        """
