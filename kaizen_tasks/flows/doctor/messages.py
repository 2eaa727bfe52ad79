"""Checks of the targets of messages and of the outbox; nothing is sent, and no release is prevented."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

from kaizen_tasks.domain.doctor import Finding, Subject, Verdict
from kaizen_tasks.domain.notification.retry import is_given_up
from kaizen_tasks.domain.text.duration import format_age
from kaizen_tasks.domain.text.listing import counted
from kaizen_tasks.flows.doctor.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.notification.notification import Notification, QueuedMessage
    from kaizen_tasks.domain.notification.target import NotifyTarget
    from kaizen_tasks.ports.tools import Tools

NORMAL_AGE = timedelta(hours=1)
"""How old news may be that nobody has refused: until then it may be on its way."""


def checks(tools: Tools) -> Iterator[Check]:
    """Return a check of each target, and of what waits for them."""
    for target in tools.settings.notify:
        yield Check(
            subject=Subject("messages"), probe=partial(_check_target, target, tools), error_verdict=Verdict.WARNING
        )
    if tools.settings.notify:
        yield Check(subject=Subject("messages"), probe=partial(_check_outbox, tools), error_verdict=Verdict.WARNING)


def _check_outbox(tools: Tools, subject: Subject) -> Iterator[Finding]:
    """Report what waits for each target: a warning if a target has refused it, or if it is older than an hour."""
    now, content = tools.clock.now(), tools.outbox.content()
    waiting: dict[str, list[QueuedMessage]] = {}
    untold: dict[str, list[Notification]] = {}
    for message in content.messages:
        waiting.setdefault(message.target, []).append(message)
    for news in content.notifications:
        untold.setdefault(news.target, []).append(news)
    names = {target.name for target in tools.settings.notify}
    for name, messages in waiting.items():
        text, is_normal = _describe_waiting(name, messages, now), not any(map(attrgetter("error"), messages))
        yield _report(subject, name, text, is_normal=is_normal and _is_young(messages[0].queued_at, now), names=names)
    for name, all_news in untold.items():
        text = f"{counted(len(all_news), 'change')} not told to {name} yet"
        yield _report(subject, name, text, is_normal=_is_young(all_news[0].change.at, now), names=names)


def _is_young(at: datetime, now: datetime) -> bool:
    return now - at <= NORMAL_AGE


def _report(subject: Subject, target: str, text: str, *, is_normal: bool, names: Collection[str]) -> Finding:
    if is_normal and target in names:
        return subject.ok(f"{text}; the next command that changes anything sends what is due")
    fix = "inv notify.test" if target in names else f"call a [[notify]] {target!r}; else they are dropped after a month"
    return subject.warning(text, fix=fix)


def _describe_waiting(target: str, messages: Sequence[QueuedMessage], now: datetime) -> str:
    """Return how many messages wait for a target, since when, and why."""
    oldest, newest = messages[0], messages[-1]
    verb = "waits" if len(messages) == 1 else "wait"
    seconds = (now - oldest.queued_at).total_seconds()
    since = f", the oldest for {format_age(seconds).removesuffix(' ago')}" if seconds >= 1 else ""
    why = f": {newest.error.removeprefix(f'{target}: ')}" if newest.error else ""
    end = "; nobody tries any more" if is_given_up(newest, now) else ""
    return f"{counted(len(messages), 'message')} {verb} for {target}{since}{why}{end}"


def _check_target(target: NotifyTarget, tools: Tools, subject: Subject) -> Iterator[Finding]:
    tools.messenger.require_usable(target)
    yield subject.ok(f"{target.name}: secrets and address look right; nothing was sent")
