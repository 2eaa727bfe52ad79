"""Finds who is told of a ledger entry or a hold, and what: the notifications that are written with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.ledger import LedgerEntry
from kaizen_tasks.domain.notification import wording
from kaizen_tasks.domain.notification.classify import find_news, possible_topics
from kaizen_tasks.domain.notification.message import Change
from kaizen_tasks.domain.notification.notification import Notification
from kaizen_tasks.domain.notification.topic import Topic
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Denied, KaizenError
from kaizen_tasks.flows.outcome import next_promotion

if TYPE_CHECKING:
    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Stage
    from kaizen_tasks.domain.hold import Hold
    from kaizen_tasks.ports.tools import Tools

Written = TypeVar("Written")

SEARCHED_ENTRIES = 200
"""Number of an environment's entries among which the deployment is found that a new entry is about."""

HISTORY_TOPICS = frozenset({Topic.FAILED, Topic.COMMAND_FAILED, Topic.ROLLED_BACK, Topic.ABANDONED})
"""News after which one looks at the history of the environment."""


def write_with(
    notifications: Sequence[Notification], write: Callable[[Sequence[Notification]], Written], tools: Tools
) -> Written:
    """Write something with its notifications; without them if these credentials may not write to the outbox.

    Args:
        notifications: who is told.
        write: writes it, and notifications with it, both or neither.
        tools: the ports.
    """
    if not notifications or tools.outbox.problem:
        return write(())
    try:
        return write(notifications)
    except Denied as error:
        written = write(())
        tools.outbox.do_without(error.message)
        return written


def entry_notifications(entry: LedgerEntry, tools: Tools, *, is_hotfix: bool = False) -> tuple[Notification, ...]:
    """Return who is told of an entry that is about to be written; nothing is read if nobody wants to know.

    Args:
        entry: the entry, without its number.
        tools: the ports.
        is_hotfix: whether it verifies a hotfix.
    """
    settings, name = tools.settings, entry.environment
    topics = possible_topics(entry.event)
    if not any(target.wants(topic, name) for target in settings.notify for topic in topics):
        return ()
    earlier: Sequence[LedgerEntry] = ()
    with suppress(KaizenError):
        earlier = tools.ledger.entries(name, limit=SEARCHED_ENTRIES)
    is_first = bool(settings.pipeline) and name in {each.name for each in settings.first_stage.environments}
    news = find_news(entry, earlier, is_first_stage=is_first, is_hotfix=is_hotfix)
    if news is None:
        return ()
    change = Change(
        environment=name,
        topic=news.topic,
        at=entry.at,
        actor=entry.actor,
        version=entry.version,
        reason=wording.short_reason(": ".join(filter(None, (entry.command, entry.reason.removeprefix(f"{name}: "))))),
        seconds=news.seconds,
        run_url=entry.run_url,
        url=settings.environments[name].url,
    )
    return _address(change, thread=news.release, tools=tools, commit=entry.commit)


def hold_notifications(hold: Hold, tools: Tools, *, is_removal: bool = False) -> tuple[Notification, ...]:
    """Return who is told that an environment is held, or is no longer.

    Args:
        hold: the hold that is added or removed.
        tools: the ports.
        is_removal: whether it is removed.
    """
    until = f" (until {hold.until:%Y-%m-%d %H:%M} UTC)" if hold.until else ""
    change = Change(
        environment=hold.environment,
        topic=Topic.HOLD_REMOVED if is_removal else Topic.HELD,
        at=tools.clock.now() if is_removal else hold.since,
        actor=tools.actor if is_removal else hold.actor,
        reason=wording.short_reason(f"it was held: {hold.reason}" if is_removal else f"{hold.reason}{until}"),
        run_url=tools.run_url if is_removal else hold.run_url,
    )
    return _address(change, thread=f"hold since {hold.since:%Y-%m-%d %H:%M:%S} UTC", tools=tools)


def _address(change: Change, *, thread: str, tools: Tools, commit: str = "") -> tuple[Notification, ...]:
    """Return one notification for each target that wants to know of a change."""
    settings = tools.settings
    names = [target.name for target in settings.notify if target.wants(change.topic, change.environment)]
    if not names:
        return ()
    stage = stage_of(change.environment, settings)
    next_step = _next_step(change, stage, settings)
    return tuple(
        Notification(
            target=name,
            thread=thread,
            change=change,
            stage=stage.name,
            stage_size=len(stage.environments),
            commit=commit,
            next_step=next_step,
        )
        for name in names
    )


def stage_of(environment: str, settings: Settings) -> Stage:
    """Return the stage of the pipeline that an environment is in; the environment alone if it is in none."""
    stages = map(settings.stage, settings.pipeline)
    own = (stage for stage in stages if environment in {each.name for each in stage.environments})
    return next(own, None) or settings.stage(environment)


def _next_step(change: Change, stage: Stage, settings: Settings) -> str:
    """Return what to type next after a change; empty if nothing follows."""
    if change.topic in {Topic.HELD, Topic.HOTFIXED}:
        return f"inv hold.remove --env {change.environment}"
    if change.topic in HISTORY_TOPICS:
        return f"inv history --env {change.environment}"
    if change.topic.brings_release:
        release = Release(version=versions.parse_version(change.version))
        return next_promotion(stage, release, settings).partition(": ")[2]
    return ""
