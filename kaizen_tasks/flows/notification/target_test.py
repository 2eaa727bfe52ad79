"""Sends a test message to targets, to each at once and not by the outbox, and then what waits in the outbox."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.notification.message import Link, Message
from kaizen_tasks.domain.notification.target import NotifyTarget
from kaizen_tasks.domain.notification.topic import Topic
from kaizen_tasks.errors import Undelivered, UsageError
from kaizen_tasks.flows.notification.sender import BackgroundSender, MessageSender
from kaizen_tasks.flows.parallel import map_parallel

if TYPE_CHECKING:
    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.ports.tools import Tools

MAX_CONCURRENT_TARGETS = 8
WAITING_SECONDS = 10.0
"""How long messages of the outbox are sent; what is left then goes out with the next command."""


@frozen(kw_only=True)
class TestDelivery:
    """What became of the message to one target.

    Attributes:
        target: the target.
        seconds: how long it took.
        error: why the target has not accepted it; None if it has.
    """

    __test__ = False  # no test of pytest's

    target: NotifyTarget
    seconds: float
    error: Undelivered | None = None

    @property
    def answer(self) -> str:
        """The answer in words."""
        return "accepted" if self.error is None else self.error.message.removeprefix(f"{self.target.name}: ")


def select_targets(settings: Settings, name: str) -> Sequence[NotifyTarget]:
    """Return the target of a name; without a name, all targets.

    Raises:
        UsageError: there is no such target, or none at all.
    """
    targets = {target.name: target for target in settings.notify}
    if not targets:
        hint = 'add [[notify]] with webhook_secret = "NAME" to kaizen.toml; the configuration reference has its keys'
        raise UsageError("no target of messages is configured, so nobody can be told", hint=hint)
    if not name:
        return tuple(targets.values())
    if name not in targets:
        matches = tuple(difflib.get_close_matches(name, targets, n=1))
        hint = f"did you mean {matches[0]}?" if matches else f"choose from {', '.join(targets)}"
        raise UsageError(f"--name {name}: there is no such target", hint=hint, wrong=name, right=matches)
    return (targets[name],)


def send_test_messages(targets: Sequence[NotifyTarget], tools: Tools) -> tuple[TestDelivery, ...]:
    """Send a message to each target, several at a time, and return the answers in the same order."""
    message = _test_message(tools)

    def send(target: NotifyTarget) -> TestDelivery:
        start, error = tools.clock.monotonic(), None
        try:
            tools.messenger.send(message, target)
        except Undelivered as refusal:
            error = refusal
        return TestDelivery(target=target, seconds=tools.clock.monotonic() - start, error=error)

    return map_parallel(send, targets, max_workers=MAX_CONCURRENT_TARGETS)


def _test_message(tools: Tools) -> Message:
    app = tools.settings.app
    return Message(
        key=f"test-{secrets.token_hex(8)}",
        app=app,
        topic=Topic.TEST,
        subject=f"{app}: a test message",
        details=(f"by {tools.actor}", "messages about releases will look like this one"),
        links=(Link(label="the run", url=tools.run_url),) if tools.run_url else (),
    )


def send_waiting(tools: Tools, deliveries: Sequence[TestDelivery]) -> int:
    """Send what waits in the outbox, each message once, if a target has accepted its test; return how many are left.

    Raises:
        KaizenError: the outbox cannot be read.
    """
    tools.outbox.content()  # in this thread, so that an error of the outbox is raised
    if any(delivery.error is None for delivery in deliveries):
        background = BackgroundSender(sender=MessageSender(tools=tools, tries_all=True))
        background.start()
        background.finish(WAITING_SECONDS)
    left = tools.outbox.content()
    return len(left.messages) + len({(news.target, news.thread) for news in left.notifications})
