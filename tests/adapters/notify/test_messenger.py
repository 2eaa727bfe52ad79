"""The contract of messengers, over real connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import frozen

from kaizen_tasks.domain.notification.target import NotifyTarget
from kaizen_tasks.ports.messenger import Messenger
from tests.adapters.notify.targets import messenger_with
from tests.contracts.messenger import MessengerContract
from tests.support.scripted_server import Reply
from tests.support.slack_server import CHANNEL_ID, TOKEN, WEBHOOK_PATH, SlackServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration


@frozen
class RealReceivers:
    """Both targets are one workspace of Slack."""

    slack: SlackServer
    messenger: Messenger
    webhook: NotifyTarget
    bot: NotifyTarget

    @property
    def message_count(self) -> int:
        return len(self.slack.hook_messages) + len(self.slack.messages) + sum(self.slack.edits.values())

    def refuse(self) -> None:
        self.slack.script[f"POST {WEBHOOK_PATH}"] = [Reply(status=404, body=b"no_service")]
        self.slack.members.clear()


class TestTargetMessengerKeepsTheContract(MessengerContract):
    @pytest.fixture
    def receivers(self) -> Iterator[RealReceivers]:
        with SlackServer() as slack:
            yield RealReceivers(
                slack,
                messenger_with(kaizen_slack=slack.webhook_url, kaizen_bot=TOKEN),
                NotifyTarget(name="team", format="slack", webhook_secret="kaizen/slack"),
                NotifyTarget(
                    name="bot", format="slack", token_secret="kaizen/bot", channel=CHANNEL_ID, webhook=slack.api_url
                ),
            )
