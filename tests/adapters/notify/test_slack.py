"""Slack's incoming webhooks and its Web API, as a server answers that refuses what Slack refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from kaizen_tasks.domain.notification.message import Link, Message
from kaizen_tasks.domain.notification.target import NotifyTarget
from kaizen_tasks.domain.notification.topic import Topic
from kaizen_tasks.errors import Undelivered
from tests.adapters.notify.targets import messenger_with
from tests.support.notify_messages import HOSTILE, promoted
from tests.support.scripted_server import Reply
from tests.support.slack_server import CHANNEL, CHANNEL_ID, TOKEN, SlackServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

POST, UPDATE = "POST /api/chat.postMessage", "POST /api/chat.update"

LONG = promoted(
    subject=f"coach: v1.2.3 was promoted to {', '.join(f'tenant-{number:03}' for number in range(500))}",
    details=(HOSTILE * 200,),
    whats_new=tuple(f"{number}: {'ünïcode 🎉 ' * 40}" for number in range(200)),
    summary=tuple(f"stage-{number:03}: promoted" for number in range(1_000)),
    links=tuple(Link(label=f"tenant-{number}", url=f"https://{number}.coach.example/") for number in range(500)),
)
"""What has made other tools fail: notes of a large release, and hundreds of tenants."""


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as slack:
        yield slack


def send(slack: SlackServer, message: Message, reference: str = "", **changes: Any) -> str:
    target = NotifyTarget(
        name="team", format="slack", token_secret="kaizen/bot", channel=CHANNEL, webhook=slack.api_url
    )
    return messenger_with(kaizen_bot=TOKEN).send(message, evolve(target, **changes), reference=reference)


def refusal(slack: SlackServer, message: Message | None = None, reference: str = "", **changes: Any) -> Undelivered:
    with pytest.raises(Undelivered) as caught:
        send(slack, message or promoted(), reference, **changes)
    return caught.value


def error_reply(code: str, *notes: str) -> Reply:
    return Reply(body=json.dumps({"ok": False, "error": code, "response_metadata": {"messages": notes}}).encode())


def test_text_that_is_no_utf8_has_question_marks(slack: SlackServer) -> None:
    send(slack, promoted(details=("by ad\udce9",)))

    assert "by ad?" in slack.first_messages[0]["text"]


@pytest.mark.parametrize("message", [promoted(), promoted(details=(HOSTILE,)), LONG], ids=["short", "hostile", "long"])
def test_webhook_accepts_every_message(slack: SlackServer, message: Message) -> None:
    target = NotifyTarget(name="team", format="slack", webhook_secret="kaizen/slack")

    assert messenger_with(kaizen_slack=slack.webhook_url).send(message, target) == ""

    [payload] = slack.hook_messages
    assert payload["text"].startswith("✅ coach: v1.2.3 was promoted to ")


@pytest.mark.parametrize("message", [promoted(), promoted(details=(HOSTILE,)), LONG], ids=["short", "hostile", "long"])
def test_api_accepts_every_message_and_every_edit(slack: SlackServer, message: Message) -> None:
    reference = send(slack, message)

    assert send(slack, evolve(message, key="k3y-3"), reference) == reference


def test_release_is_one_message_that_is_edited_with_its_news_in_a_thread(slack: SlackServer) -> None:
    """A channel's name becomes its ID, since edits know no names."""
    released = promoted(key="k-1", topic=Topic.RELEASED, summary=("staging: released",))
    reference = send(slack, released)
    send(slack, promoted(key="k-2"), reference)

    [first] = slack.first_messages
    [timestamp] = slack.edits
    assert f"{CHANNEL_ID}/{timestamp}" == reference
    assert "prod: promoted" in first["text"]
    [reply] = slack.replies(timestamp)
    assert reply["text"].startswith("✅ coach: v1.2.3 was promoted to prod")
    assert reply["reply_broadcast"] is False


@pytest.mark.parametrize("topic", [Topic.FAILED, Topic.COMMAND_FAILED, Topic.ROLLED_BACK])
def test_failure_is_shown_in_the_channel_too(slack: SlackServer, topic: Topic) -> None:
    reference = send(slack, promoted(key="k-1"))
    send(slack, promoted(key="k-2", topic=topic), reference)

    [reply] = slack.replies(reference.partition("/")[2])
    assert reply["reply_broadcast"] is True


@pytest.mark.parametrize("topic", [Topic.STARTED, Topic.DEPLOYED])
def test_progress_edits_the_message_alone(slack: SlackServer, topic: Topic) -> None:
    reference = send(slack, promoted(key="k-1"))
    send(slack, promoted(key="k-2", topic=topic), reference)

    assert len(slack.messages) == 1
    assert list(slack.edits.values()) == [1]


def test_message_that_is_sent_again_is_there_once(slack: SlackServer) -> None:
    """As after a kill between Slack's answer and the end of the run."""
    first = [send(slack, promoted(key="k-1")) for _ in range(2)]
    for _ in range(2):
        send(slack, promoted(key="k-2"), first[0])

    assert first[0] == first[1]
    assert len(slack.first_messages) == 1
    assert len(slack.replies(first[0].partition("/")[2])) == 1


def test_message_that_somebody_has_deleted_is_written_anew(slack: SlackServer) -> None:
    reference = send(slack, promoted(key="k-1"))
    slack.messages.clear()

    assert send(slack, promoted(key="k-2"), reference)
    assert [message["text"].splitlines()[0] for message in slack.first_messages] == ["✅ coach v1.2.3"]


@pytest.mark.parametrize("code", ["message_not_found", "cant_update_message", "edit_window_closed"])
def test_message_that_can_no_longer_be_edited_is_written_anew(slack: SlackServer, code: str) -> None:
    reference = send(slack, promoted(key="k-1"))
    slack.script[UPDATE] = [error_reply(code)]

    assert send(slack, promoted(key="k-2"), reference) != reference


def test_line_of_a_thread_that_fails_leaves_the_edit(slack: SlackServer) -> None:
    """The whole is tried again, and edits are repeatable."""
    reference = send(slack, promoted(key="k-1"))
    slack.script[POST] = [error_reply("ratelimited")]

    assert not refusal(slack, promoted(key="k-2"), reference).is_permanent
    del slack.script[POST]
    send(slack, promoted(key="k-2"), reference)

    assert list(slack.edits.values()) == [2]
    assert len(slack.replies(reference.partition("/")[2])) == 1


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("channel_not_found", "write the ID of the channel, such as C0123456789, and invite the bot: /invite @NAME"),
        ("not_in_channel", "invite the bot in that channel: /invite @NAME"),
        ("is_archived", "write another channel in [[notify]]"),
        ("missing_scope", "give the app the scope chat:write, and install it again"),
        ("token_revoked", "write the token of the bot, which begins with xoxb-, into the secret kaizen/bot"),
        ("restricted_action", "correct what it names in [[notify]]"),
    ],
)
def test_error_with_status_200_is_one(slack: SlackServer, code: str, hint: str) -> None:
    slack.script[POST] = [error_reply(code)]

    error = refusal(slack)

    assert error.message == f"team: Slack answers {code}"
    assert hint == error.hint
    assert error.is_permanent


def test_bot_that_is_not_in_the_channel_is_told_so(slack: SlackServer) -> None:
    slack.members.clear()

    assert refusal(slack).message == "team: Slack answers not_in_channel"
    assert refusal(slack, channel="#nowhere").message == "team: Slack answers channel_not_found"


def test_details_of_an_error_are_shown(slack: SlackServer) -> None:
    slack.script[POST] = [error_reply("invalid_blocks", "must be less than 3001 characters [json-pointer:/blocks/1]")]

    assert "invalid_blocks: must be less than 3001 characters" in refusal(slack).message


def test_rate_limit_says_how_long_to_wait(slack: SlackServer) -> None:
    slack.script[POST] = [Reply(status=429, headers={"Retry-After": "30"}, body=b'{"ok":false,"error":"ratelimited"}')]

    error = refusal(slack)

    assert error.retry_after == 30.0
    assert not error.is_permanent


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>login</html>", b"[]", b'"ok"', b"null", b"[" * 60_000, b"\xff", b'{"ok": "yes"}', b'{"ok": true'],
)
def test_answer_that_is_not_slacks_is_no_success(slack: SlackServer, body: bytes) -> None:
    slack.script[POST] = [Reply(body=body)]

    assert "team: " in refusal(slack).message


def test_answer_without_a_channel_or_time_is_not_edited_later(slack: SlackServer) -> None:
    slack.script[POST] = [Reply(body=b'{"ok": true}')]

    assert send(slack, promoted()) == ""
