"""The fake messenger keeps the contract."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.notification.target import NotifyTarget
from kaizen_tasks.errors import Undelivered
from tests.contracts.messenger import MessengerContract
from tests.fakes.messenger import FakeMessenger


class FakeReceivers:
    """The contract's targets in memory."""

    def __init__(self) -> None:
        self.messenger = FakeMessenger()
        self.webhook = NotifyTarget(name="team", format="slack", webhook_secret="kaizen/slack")
        self.bot = NotifyTarget(name="bot", format="slack", token_secret="kaizen/bot", channel="C0123456789")

    @property
    def message_count(self) -> int:
        return len(self.messenger.sent)

    def refuse(self) -> None:
        for target in (self.webhook, self.bot):
            self.messenger.failures[target.name] = [Undelivered(f"{target.name}: HTTP 404", is_permanent=True)]


class TestFakeMessengerKeepsTheContract(MessengerContract):
    @pytest.fixture
    def receivers(self) -> FakeReceivers:
        return FakeReceivers()
