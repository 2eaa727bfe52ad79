"""Checks of the targets of messages and of the outbox; nothing is sent, and no release is prevented."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.doctor import Finding, Subject, Verdict
from kaizen_tasks.domain.notification.retry import is_given_up
from kaizen_tasks.domain.text.duration import format_age
from kaizen_tasks.domain.text.listing import counted
from kaizen_tasks.flows.doctor.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.notification.notification import QueuedMessage
    from kaizen_tasks.domain.notification.target import NotifyTarget
    from kaizen_tasks.ports.tools import Tools

NORMAL_AGE = timedelta(hours=1)
"""How old a message may be without a word of `doctor`."""


def checks(tools: Tools) -> Iterator[Check]:
    """Return a check of each target, and of what waits for them."""
    for target in tools.settings.notify:
        yield Check(
            subject=Subject("messages"), probe=partial(_check_target, target, tools), error_verdict=Verdict.WARNING
        )
    if tools.settings.notify:
        yield Check(subject=Subject("messages"), probe=partial(_check_outbox, tools), error_verdict=Verdict.WARNING)


def _check_outbox(tools: Tools, subject: Subject) -> Iterator[Finding]:
    """Report what waits for longer than an hour: what is younger may be on its way."""
    now = tools.clock.now()
    waiting: dict[str, list[QueuedMessage]] = {}
    for message in tools.outbox.content().messages:
        if now - message.queued_at > NORMAL_AGE:
            waiting.setdefault(message.target, []).append(message)
    names = {target.name for target in tools.settings.notify}
    for name, messages in waiting.items():
        fix = "inv notify.test" if name in names else f"call a [[notify]] {name!r}; else they are dropped after a month"
        yield subject.warning(_describe_waiting(name, messages, now), fix=fix)


def _describe_waiting(target: str, messages: Sequence[QueuedMessage], now: datetime) -> str:
    """Return how many messages wait for a target, since when, and why."""
    oldest, newest = messages[0], messages[-1]
    verb = "waits" if len(messages) == 1 else "wait"
    age = format_age((now - oldest.queued_at).total_seconds()).removesuffix(" ago")
    why = f": {newest.error.removeprefix(f'{target}: ')}" if newest.error else ""
    end = "; nobody tries any more" if is_given_up(newest, now) else ""
    return f"{counted(len(messages), 'message')} {verb} for {target}, the oldest for {age}{why}{end}"


def _check_target(target: NotifyTarget, tools: Tools, subject: Subject) -> Iterator[Finding]:
    tools.messenger.require_usable(target)
    yield subject.ok(f"{target.name} can be told; nothing was sent")
