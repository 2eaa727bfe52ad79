"""Messages are sent beside a command: they never fail it, and what is left is named at its end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from kaizen_tasks.domain.notification.topic import Topic
from kaizen_tasks.errors import DeployFailed, Undelivered, Unreachable
from kaizen_tasks.flows.notification import session
from kaizen_tasks.flows.notification.session import sending_messages
from tests.domain.notification.news import FLEET, notification
from tests.fakes.messenger import FakeMessenger
from tests.fakes.outbox import FakeOutbox
from tests.fakes.tools import FakeTools, settings
from tests.support.waiting import HANG_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.domain.notification.message import Message
    from kaizen_tasks.domain.notification.target import NotifyTarget

PROD = (settings().environments["prod"],)
SLOW_OUTBOX = {
    "queue": "1 message waits for team; it goes out with the next command",
    "content": "the messages of this command may not all have been sent; what is left goes out with the next command",
}
"""What a command says at its end, by the request that has no answer yet."""

NOTIFY = [{"webhook_secret": "kaizen/slack", "name": "team"}]


@pytest.fixture
def tools() -> FakeTools:
    return FakeTools(settings=settings(notify=NOTIFY))


def fail(error: Exception) -> Callable[..., None]:
    """Return a function that fails."""

    def call(*_: object, **__: object) -> None:
        raise error

    return call


def test_news_of_a_command_is_sent_before_it_ends(tools: FakeTools) -> None:
    with sending_messages(tools, PROD):
        tools.outbox.write([notification()])

    assert len(tools.messenger.sent) == 1
    assert tools.reporter.lines == []


def test_what_an_earlier_command_has_left_is_sent_too(tools: FakeTools) -> None:
    tools.outbox.write([notification()])
    with sending_messages(tools, PROD):
        pass

    assert len(tools.messenger.sent) == 1


def test_news_of_a_command_that_fails_is_sent(tools: FakeTools) -> None:
    def run() -> None:
        with sending_messages(tools, PROD):
            tools.outbox.write([notification()])
            raise DeployFailed("prod: it failed")

    with pytest.raises(DeployFailed):
        run()
    assert len(tools.messenger.sent) == 1


def test_news_of_a_command_that_is_interrupted_is_sent(tools: FakeTools) -> None:
    def run() -> None:
        with sending_messages(tools, PROD):
            tools.outbox.write([notification()])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert len(tools.messenger.sent) == 1


def test_dry_run_sends_nothing(tools: FakeTools) -> None:
    tools.dry = True
    tools.outbox.write([notification()])
    with sending_messages(tools, PROD):
        pass

    assert tools.messenger.sent == []
    assert len(tools.outbox.content().notifications) == 1
    assert tools.reporter.lines == ["would tell team what becomes of it"]


def test_dry_run_names_nobody_who_does_not_care_about_the_environment() -> None:
    tools = FakeTools(settings=settings(notify=[{**NOTIFY[0], "stages": ["beta"]}]), dry=True)
    with sending_messages(tools, PROD):
        pass

    assert tools.reporter.lines == []


def test_without_targets_the_outbox_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = FakeTools()
    monkeypatch.setattr(type(tools.outbox), "content", fail(AssertionError("the outbox was read")))
    with sending_messages(tools, PROD):
        pass

    assert tools.reporter.lines == []


def test_message_that_is_not_delivered_is_one_line(tools: FakeTools) -> None:
    tools.messenger.failures = {"team": [Undelivered("team: chat.example answers HTTP 500")]}
    with sending_messages(tools, PROD):
        tools.outbox.write([notification(), notification(version="v1.2.4", thread="v1.2.4")])

    assert tools.reporter.lines == [
        "2 messages wait for team: chat.example answers HTTP 500; they go out with the next command"
    ]


def test_outbox_that_cannot_be_read_is_one_line(tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(tools.outbox), "content", fail(Unreachable("cannot read the outbox: no answer")))
    with sending_messages(tools, PROD):
        pass

    assert tools.reporter.lines == [
        "messages were not sent: cannot read the outbox: no answer; they go out with the next command"
    ]


def test_bug_while_sending_does_not_fail_the_command(tools: FakeTools) -> None:
    tools.messenger.failures = {"team": [ValueError("bad")]}  # type: ignore[list-item]
    with sending_messages(tools, PROD):
        tools.outbox.write([notification()])

    assert tools.reporter.lines == [
        "1 message waits for team: unexpected ValueError: bad; it goes out with the next command"
    ]


def test_missing_permission_is_one_line_with_what_it_takes(tools: FakeTools) -> None:
    with sending_messages(tools, PROD):
        tools.outbox.do_without("cannot write to the ledger: AccessDeniedException")

    assert tools.reporter.lines == [
        "nobody is told: cannot write to the ledger: AccessDeniedException; inv setup --print-iam prints what it takes"
    ]


def test_target_that_hangs_is_the_only_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others have their message, though the run ends before it knows what became of all."""
    released = threading.Event()

    class HangingMessenger(FakeMessenger):
        def send(self, message: Message, target: NotifyTarget, *, reference: str = "") -> str:
            if target.name == "ops":
                released.wait()
            return super().send(message, target, reference=reference)

    monkeypatch.setattr(session, "END_SECONDS", 0.1)
    tools = FakeTools(settings=settings(notify=[*NOTIFY, {"webhook_secret": "kaizen/ops", "name": "ops"}]))
    tools.messenger = HangingMessenger()
    with sending_messages(tools, PROD):
        tools.outbox.write([notification(), notification(target="ops")])
        wait_for(lambda: [each.target for each in tools.outbox.content().messages] == ["ops"])

    assert tools.reporter.lines == ["1 message waits for ops: no answer yet; it goes out with the next command"]
    released.set()


@pytest.mark.parametrize("failed", [(), FLEET[:2]])
def test_rollout_to_many_tenants_is_told_at_its_end(tools: FakeTools, failed: tuple[str, ...]) -> None:
    with sending_messages(tools, PROD):
        for name in FLEET:
            tools.outbox.write([notification(name, Topic.FAILED if name in failed else Topic.PROMOTED)])

    told = {change.environment for _, message, _ in tools.messenger.sent for change in message.changes}
    summary = "fleet: failed: tenant00, tenant01; 58 of 60 promoted" if failed else "fleet: 60 of 60 promoted"
    assert told == set(FLEET)
    assert tools.messenger.sent[-1][1].summary[0] == summary
    assert tools.reporter.lines == []


@pytest.mark.parametrize("call", ["queue", "content"])
def test_outbox_that_is_too_slow_is_one_line(tools: FakeTools, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    called, released = threading.Event(), threading.Event()
    original = getattr(FakeOutbox, call)

    def answer_late(*arguments: Any) -> Any:
        called.set()
        released.wait()
        return original(*arguments)

    monkeypatch.setattr(session, "END_SECONDS", 0.1)
    monkeypatch.setattr(FakeOutbox, call, answer_late)
    with sending_messages(tools, PROD):
        tools.outbox.write([notification(FLEET[0], Topic.FAILED), *(notification(name) for name in FLEET[1:])])
        called.wait(HANG_SECONDS)
    released.set()

    assert tools.reporter.lines == [SLOW_OUTBOX[call]]


def test_each_target_that_waits_is_a_line_with_its_own_reason_and_what_helps() -> None:
    """A redirect does not pass by itself, so that it would be no help to wait for the next command."""
    tools = FakeTools(settings=settings(notify=[*NOTIFY, {"webhook_secret": "kaizen/ops", "name": "ops"}]))
    tools.messenger.failures = {
        "team": [Undelivered("team: chat.example redirects to itself (HTTP 302)", hint="-", is_permanent=True)],
        "ops": [Undelivered(f"ops: ops.example answers HTTP 500: {'no ' * 40}")],
    }
    with sending_messages(tools, PROD):
        tools.outbox.write([notification(), notification(target="ops")])

    assert sorted(tools.reporter.lines) == [
        f"1 message waits for ops: ops.example answers HTTP 500:{' no' * 16} …; it goes out with the next command",
        "1 message waits for team: chat.example redirects to itself (HTTP 302); inv notify.test says what to correct",
    ]


def test_reason_of_an_earlier_command_is_told_too(tools: FakeTools) -> None:
    tools.messenger.failures = {"team": [Undelivered("team: HTTP 404", is_permanent=True)]}
    with sending_messages(tools, PROD):
        tools.outbox.write([notification()])
    tools.messenger.failures.clear()
    tools.reporter.lines.clear()

    with sending_messages(tools, PROD):
        pass

    assert tools.reporter.lines == ["1 message waits for team: HTTP 404; inv notify.test tries again at once"]


def test_many_targets_that_wait_are_counted() -> None:
    names = ("team", "ops", "sales", "board")
    tools = FakeTools(settings=settings(notify=[{"webhook_secret": "kaizen/x", "name": name} for name in names]))
    tools.messenger.failures = {name: [Undelivered(f"{name}: HTTP 500")] for name in names}
    with sending_messages(tools, PROD):
        tools.outbox.write([notification(target=name) for name in names])

    assert tools.reporter.lines == ["4 messages wait for 4 targets: inv doctor says why"]
