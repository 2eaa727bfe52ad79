"""The port of those who are told: it sends a message to a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from kaizen_tasks.domain.notification.message import Message
    from kaizen_tasks.domain.notification.target import NotifyTarget


class Messenger(Protocol):
    """Sends messages. Safe to use from several threads; used beside releases, so each call ends within seconds."""

    @mutates("the message is sent", needs_lock=False)
    def send(self, message: Message, target: NotifyTarget, *, reference: str = "") -> str:
        """Send a message with its idempotency key; it may have been sent before, by a run that has died since.

        Args:
            message: the message.
            target: the receiver.
            reference: what an earlier call has returned for the same target and `message.thread`, by another run on
                another machine perhaps; empty for the first one.

        Returns:
            by what the target knows the thread or the message that is edited, at most 1,000 characters without
            secrets; empty if it has neither.

        Raises:
            Undelivered: the target has not accepted it, or nobody knows; the message names no secret.
        """

    def require_usable(self, target: NotifyTarget) -> None:
        """Check what a message to a target needs, its secrets and where they lead; nothing is sent.

        Raises:
            Undelivered: no message could be sent.
        """
