"""Messages on a local cloud: nobody hears of a rehearsal but receivers on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.notify.messenger import TargetMessenger
from kaizen_tasks.domain.notification.topic import Topic
from kaizen_tasks.errors import Undelivered
from kaizen_tasks.ports.messenger import Messenger

if TYPE_CHECKING:
    from kaizen_tasks.domain.notification.message import Message
    from kaizen_tasks.domain.notification.target import NotifyTarget


class RehearsalMessenger(Messenger):
    """Sends messages to receivers on this machine, and shows what the others would get.

    Args:
        messenger: sends messages; its secrets are those of the local cloud.
        show: shows a line of text.
    """

    def __init__(self, messenger: TargetMessenger, show: Callable[[str], None]) -> None:
        self._messenger = messenger
        self._show = show

    def send(self, message: Message, target: NotifyTarget, *, reference: str = "") -> str:
        """Send a message to a receiver on this machine; show another one's, and refuse it if it is a test."""
        if self._messenger.is_on_this_machine(target):
            return self._messenger.send(message, target, reference=reference)
        if message.topic is Topic.TEST:
            self._messenger.require_usable(target)
            raise Undelivered(
                f"{target.name}: is not on this machine, and a local cloud tells nobody else",
                hint="send the message without the variables of the local cloud",
                is_permanent=True,
            )
        self._show(f"would tell {target.name}: {message.subject}")
        return ""

    def require_usable(self, target: NotifyTarget) -> None:
        """Check what a message needs; the names of receivers elsewhere are not looked up, since these get none."""
        if self._messenger.is_on_this_machine(target):
            self._messenger.require_usable(target)
        else:
            self._messenger.require_valid(target)
