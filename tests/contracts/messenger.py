"""What everything that sends messages must do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest
from attrs import evolve

from kaizen_tasks.errors import Undelivered
from tests.support.notify_messages import promoted

if TYPE_CHECKING:
    from kaizen_tasks.domain.notification.target import NotifyTarget
    from kaizen_tasks.ports.messenger import Messenger


class Receivers(Protocol):
    """A messenger, and two targets: a webhook, and a bot that edits its messages."""

    messenger: Messenger
    webhook: NotifyTarget
    bot: NotifyTarget

    @property
    def message_count(self) -> int:
        """How many messages both have received, edits included."""

    def refuse(self) -> None:
        """Refuse every message from now on."""


class MessengerContract:
    """Subclasses provide the fixture `receivers`."""

    def test_message_is_received(self, receivers: Receivers) -> None:
        assert receivers.messenger.send(promoted(), receivers.webhook) == ""

        assert receivers.message_count == 1

    def test_message_that_is_edited_has_a_reference_that_stays(self, receivers: Receivers) -> None:
        reference = receivers.messenger.send(promoted(), receivers.bot)

        assert 0 < len(reference) <= 1_000
        news = evolve(promoted(), key="k3y-3")
        assert receivers.messenger.send(news, receivers.bot, reference=reference) == reference

    def test_refusal_is_an_error(self, receivers: Receivers) -> None:
        receivers.refuse()

        for target in (receivers.webhook, receivers.bot):
            with pytest.raises(Undelivered, match=f"^{target.name}: "):
                receivers.messenger.send(promoted(), target)

    def test_check_sends_nothing(self, receivers: Receivers) -> None:
        for target in (receivers.webhook, receivers.bot):
            receivers.messenger.require_usable(target)

        assert receivers.message_count == 0
