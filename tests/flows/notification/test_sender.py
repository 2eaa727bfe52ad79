"""Messages are made of what waits and are sent once; what is not delivered waits for a later attempt."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.domain.notification.topic import Topic
from kaizen_tasks.errors import Undelivered
from kaizen_tasks.flows.notification.sender import MAX_NOTIFICATIONS, RESERVED_SECONDS, MessageSender
from tests.domain.notification.news import GROUP, notification
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from kaizen_tasks.domain.notification.message import Message

TEAM = {"webhook_secret": "kaizen/slack", "name": "team"}
OPS = {"webhook_secret": "kaizen/ops", "name": "ops"}
BOT = {"format": "slack", "token_secret": "kaizen/bot", "channel": "C01", "name": "team"}


@pytest.fixture
def tools() -> FakeTools:
    return FakeTools(settings=settings(notify=[TEAM, OPS]))


def send(tools: FakeTools, *, is_ending: bool = True, tries_all: bool = False) -> MessageSender:
    """Send what is due, and return the sender."""
    sender = MessageSender(tools=tools, tries_all=tries_all)
    sender.send_all(is_ending=is_ending)
    return sender


def messages(tools: FakeTools, target: str = "team") -> list[Message]:
    """Return the messages that a target has accepted, in order."""
    return [message for name, message, _ in tools.messenger.sent if name == target]


def test_notification_is_sent_as_a_message_and_leaves_nothing(tools: FakeTools) -> None:
    tools.outbox.write([notification()])

    assert MessageSender(tools=tools).send_all(is_ending=False) is None
    assert [message.subject for message in messages(tools)] == ["web: v1.2.3 was promoted to prod"]
    assert tools.outbox.content().is_empty


def test_nothing_is_sent_twice(tools: FakeTools) -> None:
    tools.outbox.write([notification()])
    send(tools)
    send(tools)

    assert len(tools.messenger.sent) == 1


def test_each_target_is_sent_its_own(tools: FakeTools) -> None:
    tools.outbox.write([notification(), notification(target="ops")])
    send(tools)

    assert [len(messages(tools, name)) for name in ("team", "ops")] == [1, 1]
    assert len({message.key for _, message, _ in tools.messenger.sent}) == 2


def test_each_release_has_a_thread_of_its_own(tools: FakeTools) -> None:
    tools.outbox.write([notification(), notification(version="v1.2.4", thread="v1.2.4")])
    send(tools)

    assert sorted(message.thread for message in messages(tools)) == ["v1.2.3", "v1.2.4"]


def test_target_that_is_configured_no_more_keeps_its_messages(tools: FakeTools) -> None:
    tools.outbox.write([notification(target="former")])
    send(tools)

    assert tools.messenger.sent == []
    assert [each.target for each in tools.outbox.content().messages] == ["former"]


def test_failed_attempt_waits_and_delays_no_other_target(tools: FakeTools) -> None:
    tools.messenger.failures = {"team": [Undelivered("team: HTTP 500")]}
    tools.outbox.write([notification(), notification(target="ops")])

    sender = MessageSender(tools=tools)

    assert sender.send_all(is_ending=True) == 5.0
    assert {name: error.message for name, error in sender.errors.items()} == {"team": "team: HTTP 500"}
    assert len(messages(tools, "ops")) == 1
    (waiting,) = tools.outbox.content().messages
    assert (waiting.target, waiting.attempts, waiting.error) == ("team", 1, "team: HTTP 500")


def test_next_command_sends_what_has_waited_with_the_same_key(tools: FakeTools) -> None:
    tools.messenger.failures = {"team": [Undelivered("HTTP 500")]}
    tools.outbox.write([notification()])
    send(tools)
    (waiting,) = tools.outbox.content().messages
    tools.messenger.failures = {}

    send(tools)
    assert messages(tools) == []
    tools.clock.advance(5)
    send(tools)

    assert [message.key for message in messages(tools)] == [waiting.message.key]
    assert tools.outbox.content().is_empty


def test_news_waits_behind_a_message_of_its_thread_and_is_told_after_it(tools: FakeTools) -> None:
    tools.messenger.failures = {"team": [Undelivered("HTTP 500")]}
    tools.outbox.write([notification("staging", Topic.RELEASED)])
    send(tools)
    tools.outbox.write([notification(), notification("mark", Topic.FAILED)])
    send(tools)
    assert len(tools.outbox.content().notifications) == 2
    tools.messenger.failures = {}
    tools.clock.advance(5)

    send(tools)

    assert [message.subject for message in messages(tools)] == [
        "web: v1.2.3 was released to staging",
        "web: v1.2.3 was promoted to prod and failed in mark",
    ]


def test_message_that_another_run_is_sending_is_left_to_it(tools: FakeTools) -> None:
    tools.messenger.failures = {"team": [Undelivered("HTTP 500")]}
    tools.outbox.write([notification()])
    send(tools)
    tools.messenger.failures = {}
    tools.clock.advance(5)
    (waiting,) = tools.outbox.content().messages
    until = tools.clock.now() + timedelta(seconds=RESERVED_SECONDS)
    tools.outbox.reserve(waiting, owner="another run", until=until)

    assert MessageSender(tools=tools).send_all(is_ending=True) == RESERVED_SECONDS
    assert messages(tools) == []


def test_message_of_a_run_that_died_while_sending_is_sent_again_with_its_key(tools: FakeTools) -> None:
    class Killed(BaseException):
        """Stands for a process that ends at once."""

    tools.messenger.failures = {"team": [Killed()]}  # type: ignore[list-item]
    tools.outbox.write([notification()])
    with pytest.raises(Killed):
        send(tools)
    tools.messenger.failures = {}
    (reserved,) = tools.outbox.content().messages
    send(tools)
    assert messages(tools) == []
    tools.clock.advance(RESERVED_SECONDS)

    send(tools)

    assert [message.key for message in messages(tools)] == [reserved.message.key]


def test_progress_of_a_rollout_is_one_message_at_its_end(tools: FakeTools) -> None:
    tools.outbox.write([notification(name) for name in GROUP])

    send(tools, is_ending=False)
    assert messages(tools) == []
    send(tools)

    assert [message.subject for message in messages(tools)] == [
        "web: v1.2.3 was promoted to all 3 environments of beta"
    ]


def test_failure_of_a_tenant_is_told_at_once(tools: FakeTools) -> None:
    tools.outbox.write([notification("mark"), notification("dom", Topic.FAILED)])
    send(tools, is_ending=False)

    assert [message.subject for message in messages(tools)] == ["web: v1.2.3 failed in dom"]
    assert len(tools.outbox.content().notifications) == 1


def test_target_that_edits_is_told_of_every_step() -> None:
    tools = FakeTools(settings=settings(notify=[BOT]))
    for name in GROUP:
        tools.outbox.write([notification(name)])
        send(tools, is_ending=False)

    assert [message.summary for message in messages(tools)] == [
        ("beta: 1 of 3 promoted",),
        ("beta: 2 of 3 promoted",),
        ("beta: 3 of 3 promoted",),
    ]
    assert [reference for _, _, reference in tools.messenger.sent] == ["", "team/v1.2.3", "team/v1.2.3"]


def lock(tools: FakeTools, *, lease: float = 60.0, token: str = "theirs") -> None:
    """Lock a tenant for a run."""
    now = tools.clock.now()
    tools.locks.acquire(
        Lock(
            environment="mark",
            token=token,
            actor="bob",
            command="inv promote-beta",
            since=now,
            expires=now + timedelta(seconds=lease),
        )
    )


def test_progress_of_a_rollout_that_goes_on_elsewhere_is_left_to_it(tools: FakeTools) -> None:
    lock(tools)
    tools.outbox.write([notification("mark")])

    send(tools)

    assert messages(tools) == []


def test_progress_of_a_run_that_died_is_told_once_its_lease_has_ended(tools: FakeTools) -> None:
    lock(tools)
    tools.outbox.write([notification("mark")])
    tools.clock.advance(60)

    send(tools)

    assert len(messages(tools)) == 1


def test_progress_under_the_lock_of_the_parent_run_is_told(tools: FakeTools) -> None:
    lock(tools, token="parent")
    tools.locks.export_tokens({"mark": "parent"})
    tools.outbox.write([notification("mark")])

    send(tools)

    assert len(messages(tools)) == 1


def test_more_notifications_than_a_transaction_takes_are_several_messages(tools: FakeTools) -> None:
    many = [notification(f"t{number}") for number in range(MAX_NOTIFICATIONS + 1)]
    tools.outbox.write(many)

    send(tools)

    assert [len(message.changes) for message in messages(tools)] == [MAX_NOTIFICATIONS, 1]


def test_message_that_is_a_week_old_is_not_tried_any_more_unless_somebody_asks(tools: FakeTools) -> None:
    tools.messenger.failures = {"team": [Undelivered("HTTP 404", is_permanent=True)]}
    tools.outbox.write([notification()])
    send(tools)
    tools.messenger.failures = {}
    tools.clock.advance(timedelta(days=8).total_seconds())

    assert MessageSender(tools=tools).send_all(is_ending=True) is None
    assert messages(tools) == []
    send(tools, tries_all=True)

    assert len(messages(tools)) == 1


def test_message_that_is_a_month_old_is_dropped_and_named(tools: FakeTools) -> None:
    tools.messenger.failures = {"team": [Undelivered("HTTP 404", is_permanent=True)]}
    tools.outbox.write([notification()])
    send(tools)
    tools.clock.advance(timedelta(days=31).total_seconds())

    sender = send(tools)

    assert [each.message.subject for each in sender.dropped] == ["web: v1.2.3 was promoted to prod"]
    assert tools.outbox.content().is_empty


def test_whats_new_is_from_the_changelog_of_the_release(tools: FakeTools) -> None:
    news = notification(version="v0.1.0", thread="v0.1.0")
    tools.outbox.write([evolve(news, commit=tools.scm.head().commit)])

    send(tools)

    assert messages(tools)[0].whats_new == ("Everything",)


def test_message_goes_out_without_a_changelog(tools: FakeTools) -> None:
    tools.outbox.write([notification(version="v9.9.9")])

    send(tools)

    assert messages(tools)[0].whats_new == ()
