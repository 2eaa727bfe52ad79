"""Test messages, and what waits in the outbox."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kaizen_tasks.domain.notification.target import NotifyTarget
from kaizen_tasks.domain.notification.topic import Topic
from kaizen_tasks.errors import Undelivered, UsageError
from kaizen_tasks.flows.notification.sender import MessageSender
from kaizen_tasks.flows.notification.target_test import TestDelivery, select_targets, send_test_messages, send_waiting
from tests.domain.notification.news import notification
from tests.fakes.tools import FakeTools, settings

TEAM = {"webhook_secret": "kaizen/slack", "name": "team"}
OPS = {"webhook_secret": "kaizen/ops", "name": "ops"}
ACCEPTED = (TestDelivery(target=NotifyTarget(name="ops"), seconds=0.1),)
REFUSAL = Undelivered("team: HTTP 404: no_service", hint="correct it", is_permanent=True)


@pytest.fixture
def tools() -> FakeTools:
    return FakeTools(settings=settings(notify=[TEAM, OPS]))


def test_all_targets_are_tested_unless_one_is_named(tools: FakeTools) -> None:
    assert [target.name for target in select_targets(tools.settings, "")] == ["team", "ops"]
    assert [target.name for target in select_targets(tools.settings, "ops")] == ["ops"]


@pytest.mark.parametrize(("name", "hint"), [("taem", "did you mean team?"), ("xyz", "choose from team, ops")])
def test_unknown_target_gets_a_suggestion(tools: FakeTools, name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="there is no such target") as caught:
        select_targets(tools.settings, name)

    assert hint == caught.value.hint


def test_without_targets_there_is_nobody_to_tell() -> None:
    with pytest.raises(UsageError, match="no target of messages is configured"):
        select_targets(settings(), "")


def test_each_target_is_sent_a_test_message_and_none_of_the_outbox(tools: FakeTools) -> None:
    tools.messenger.failures = {"team": [REFUSAL]}

    team, ops = send_test_messages(tools.settings.notify, tools)

    assert (team.answer, ops.answer) == ("HTTP 404: no_service", "accepted")
    [(name, message, _)] = tools.messenger.sent
    assert (name, message.topic, message.subject) == ("ops", Topic.TEST, "web: a test message")
    assert tools.outbox.content().is_empty


@pytest.mark.parametrize("days", [0, 8])
def test_what_waits_is_sent_once_its_target_works(tools: FakeTools, days: int) -> None:
    """Also what would be tried later only, or not any more."""
    tools.outbox.write([notification()])
    tools.messenger.failures = {"team": [REFUSAL]}
    MessageSender(tools=tools).send_all(is_ending=True)
    tools.clock.advance(timedelta(days=days).total_seconds())
    tools.messenger.failures = {}

    assert send_waiting(tools, ACCEPTED) == 0

    assert [name for name, _, _ in tools.messenger.sent] == ["team"]


@pytest.mark.parametrize("days", [0, 8])
def test_what_is_refused_is_tried_once_and_counted(tools: FakeTools, days: int) -> None:
    tools.outbox.write([notification()])
    tools.messenger.failures = {"team": [REFUSAL]}
    MessageSender(tools=tools).send_all(is_ending=True)
    tools.clock.advance(timedelta(days=days).total_seconds())

    assert send_waiting(tools, ACCEPTED) == 1

    (message,) = tools.outbox.content().messages
    assert message.attempts == 2


def test_what_waits_is_only_counted_if_no_target_has_accepted_its_test(tools: FakeTools) -> None:
    tools.outbox.write([notification()])

    assert send_waiting(tools, [TestDelivery(target=NotifyTarget(name="team"), seconds=8.0, error=REFUSAL)]) == 1

    assert tools.messenger.sent == []
