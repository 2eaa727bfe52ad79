"""On a local cloud, only receivers on this machine get messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.notify.rehearsal import RehearsalMessenger
from kaizen_tasks.domain.notification.target import NotifyTarget
from kaizen_tasks.domain.notification.topic import Topic
from kaizen_tasks.errors import Undelivered
from tests.adapters.notify.targets import messenger_with
from tests.support.notify_messages import promoted
from tests.support.scripted_server import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(script={"POST /hook": [Reply(body=b"ok")]}) as server:
        yield server


@pytest.mark.parametrize("is_secret", [False, True])
def test_receiver_on_this_machine_gets_the_message(server: ScriptedServer, *, is_secret: bool) -> None:
    lines: list[str] = []
    address = f"{server.url}/hook"
    messenger = RehearsalMessenger(messenger_with(kaizen_hook=address), lines.append)
    by_name = NotifyTarget(name="team", webhook_secret="kaizen/hook")
    target = by_name if is_secret else NotifyTarget(name="team", webhook=address)

    messenger.require_usable(target)
    messenger.send(promoted(), target)

    assert (len(server.requests), lines) == (1, [])


@pytest.mark.parametrize(
    "target",
    [
        NotifyTarget(name="team", webhook="https://deploys.example/hook"),
        NotifyTarget(name="team", webhook_secret="kaizen/hook"),
        NotifyTarget(name="team", webhook_secret="kaizen/missing"),
        NotifyTarget(name="team", format="slack", token_secret="kaizen/bot", channel="C01"),
        NotifyTarget(name="team", format="apprise", webhook_secret="kaizen/hook"),
        NotifyTarget(name="team", webhook_secret="kaizen/broken"),
    ],
)
def test_message_to_anybody_else_is_shown_and_not_sent(target: NotifyTarget) -> None:
    lines: list[str] = []
    inner = messenger_with(kaizen_hook="https://hooks.example/x", kaizen_broken="http://[", kaizen_bot="xoxb-1")
    messenger = RehearsalMessenger(inner, lines.append)

    assert messenger.send(promoted(), target, reference="1.2") == ""
    assert lines == [f"would tell team: {promoted().subject}"]


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        ("kaizen/hook", "team: is not on this machine, and a local cloud tells nobody else"),
        ("kaizen/missing", "team: there is no secret kaizen/missing in the account and region of [aws]"),
    ],
)
def test_test_message_to_anybody_else_is_refused(secret: str, problem: str) -> None:
    lines: list[str] = []
    messenger = RehearsalMessenger(messenger_with(kaizen_hook="https://93.184.216.34/x"), lines.append)

    with pytest.raises(Undelivered) as caught:
        messenger.send(promoted(topic=Topic.TEST), NotifyTarget(name="team", webhook_secret=secret))

    assert (caught.value.message, lines) == (problem, [])


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        (NotifyTarget(name="team", webhook_secret="kaizen/missing"), "there is no secret kaizen/missing"),
        (NotifyTarget(name="team", webhook_secret="kaizen/broken"), "the secret kaizen/broken is not a URL"),
        (
            NotifyTarget(name="team", format="slack", token_secret="kaizen/hook", channel="C01"),
            "is not a token of Slack",
        ),
        (NotifyTarget(name="team", format="apprise", webhook_secret="kaizen/missing"), "there is no secret"),
    ],
)
def test_check_finds_what_is_wrong_with_a_secret(target: NotifyTarget, problem: str) -> None:
    inner = messenger_with(kaizen_hook="https://hooks.example/x", kaizen_broken="http://[")

    with pytest.raises(Undelivered, match=problem):
        RehearsalMessenger(inner, list[str]().append).require_usable(target)


def test_check_looks_up_no_name_to_which_nothing_is_sent() -> None:
    lines: list[str] = []
    messenger = RehearsalMessenger(messenger_with(kaizen_hook="https://hooks.invalid/x"), lines.append)

    messenger.require_usable(NotifyTarget(name="team", webhook_secret="kaizen/hook"))

    assert lines == []
