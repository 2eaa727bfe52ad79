"""The sentences of messages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import TYPE_CHECKING

from kaizen_tasks.domain.notification.message import Change, Link
from kaizen_tasks.domain.notification.topic import TOPICS, Topic
from kaizen_tasks.domain.text.duration import format_duration
from kaizen_tasks.domain.text.listing import counted, list_names
from kaizen_tasks.domain.text.printable import printable

if TYPE_CHECKING:
    from kaizen_tasks.domain.notification.notification import Notification
    from kaizen_tasks.domain.notification.thread import Thread

MAX_REASON_LENGTH = 300
MAX_REASONS = 5
MAX_ENTRY_LENGTH = 160
MAX_ENTRIES = 5
MAX_LINKED_ENVIRONMENTS = 3
MARKDOWN_LINK = re.compile(r"\[([^\[\]]+)\](?:\([^()]*\)|\[[^\[\]]*\])")

SENTENCES: Mapping[Topic, str] = {
    Topic.CONFIGURED: "{where} {runs} {version} with a new configuration",
    Topic.ROLLED_BACK: "{where} {was} rolled back{from_left} to {version}",
    Topic.ABANDONED: "another deployment has replaced that of {version} in {where}",
    Topic.HELD: "{where} {is_} held: promotions leave {it} alone",
    Topic.HOLD_REMOVED: "{where} {is_} no longer held",
    Topic.COMMAND_FAILED: "a command before the deployment of {version} has failed in {where}; nothing was deployed",
    Topic.COMMAND_RUN: "a command was started by hand in {where}, with {version}",
    Topic.MIGRATING: "{where} {is_} moving to another platform",
    Topic.RETIRED: "the former service of {where} is paused",
    Topic.MIGRATED: "{where} {has} moved to another platform",
    Topic.UNMIGRATED: "{where} {stays} where {it} {was}: the move was given up",
}
"""Sentences of topics without a verb for the release."""

ROLLBACK_SENTENCES: Mapping[Topic, str] = {
    Topic.STARTED: "{where} {is_} being rolled back{from_left} to {version}",
    Topic.DEPLOYED: "{version} was deployed to {where} again",
    Topic.FAILED: "the rollback of {where}{from_left} to {version} failed",
}
"""Sentences about a release that comes back, in the thread of the one that is left."""

SINGULAR = {"is_": "is", "was": "was", "has": "has", "runs": "runs", "stays": "stays", "it": "it"}
PLURAL = {"is_": "are", "was": "were", "has": "have", "runs": "run", "stays": "stay", "it": "them"}

SUMMARIES: Mapping[Topic, str] = {Topic.HOTFIXED: "hotfix", Topic.ROLLED_BACK: "rolled back"}
"""What a summary says of a topic, where its name is not the word for it."""


def subject(app: str, thread: Thread, notifications: Sequence[Notification]) -> str:
    """Return one sentence about everything that has happened: `coach: v1.2.3 was promoted to prod`."""
    groups: dict[tuple[str, str, Topic], list[Notification]] = {}
    for news in _without_outdated(notifications):
        groups.setdefault((news.change.version, news.stage, news.change.topic), []).append(news)
    sentences: list[str] = []
    phrases: dict[str, list[str]] = {}  # about a release, by its name
    for (version, _, topic), members in groups.items():
        where, is_plural = _where(members, topic, thread)
        is_rollback = version not in {"", thread.name} and topic in ROLLBACK_SENTENCES
        sentence = ROLLBACK_SENTENCES[topic] if is_rollback else SENTENCES.get(topic)
        if sentence:
            from_left = "" if thread.name == version else f" from {thread.name}"
            words = PLURAL if is_plural else SINGULAR
            sentences.append(sentence.format(where=where, version=version, from_left=from_left, **words))
        else:
            phrases.setdefault(version, []).append(f"{TOPICS[topic].verb} {where}")
    releases = (f"{version} {' and '.join(parts)}" for version, parts in phrases.items())
    return f"{app}: {'; '.join((*releases, *sentences))}"


def _without_outdated(notifications: Sequence[Notification]) -> tuple[Notification, ...]:
    """Return the latest news of each environment, and all failures: what has led to it is not told any more."""
    latest = {news.change.environment: index for index, news in enumerate(notifications)}
    return tuple(
        news
        for index, news in enumerate(notifications)
        if news.change.topic.is_failure or index == latest[news.change.environment]
    )


def _where(members: Sequence[Notification], topic: Topic, thread: Thread) -> tuple[str, bool]:
    """Return where it happened, and whether that is a plural: an environment, all of a stage, or how many of it.

    Those that were told before count too.
    """
    names = list(dict.fromkeys(news.change.environment for news in members))
    size, stage = members[0].stage_size, members[0].stage
    told = [name for name, place in thread.places.items() if (place.stage, place.topic) == (stage, topic)]
    if topic.is_failure or size == 1:
        return list_names(names), len(names) > 1
    if len(told) >= size:
        return f"all {counted(size, 'environment')} of {stage}", True
    if len(told) == len(names) == 1:
        return f"{names[0]} (1 of {counted(size, 'environment')} of {stage})", False
    return f"{len(told)} of {counted(size, 'environment')} of {stage}", True


def details(changes: Sequence[Change]) -> tuple[str, ...]:
    """Return by whom it was done and how long it took, and why it failed, or the reason that somebody gave."""
    actors = tuple(dict.fromkeys(change.actor for change in changes if change.actor))
    durations = [change.seconds for change in changes if change.seconds]
    took = f", in {format_duration(max(durations))}" if durations and len(changes) == 1 else ""
    if durations and len(changes) > 1:
        took = f", each in {format_duration(max(durations))} or less"
    who = (f"by {list_names(actors)}{took}",) if actors else ()
    reasons = [change for change in changes if change.reason]
    if len(reasons) == len(changes) and len({change.reason for change in reasons}) == 1:
        return (*who, f"why: {reasons[0].reason}")
    lines = tuple(f"{change.environment}: {change.reason}" for change in reasons[:MAX_REASONS])
    more = len(reasons) - len(lines)
    return (*who, *lines, *((f"and {counted(more, 'other reason')}",) if more else ()))


def links(changes: Sequence[Change]) -> tuple[Link, ...]:
    """Return the CI runs, and the apps if they are few."""
    runs = dict.fromkeys(change.run_url for change in changes if change.run_url)
    apps = {change.environment: change.url for change in changes if change.url}
    shown = apps if len(apps) <= MAX_LINKED_ENVIRONMENTS else {}
    return (
        *(Link(label="the run", url=url) for url in runs),
        *(Link(label=name, url=url) for name, url in shown.items()),
    )


def summary(thread: Thread) -> tuple[str, ...]:
    """Return how a thread stands, one line for each stage: `beta: 57 of 60 promoted; failed: mark, dom`."""
    stages: dict[str, dict[Topic, list[str]]] = {}
    sizes: dict[str, int] = {}
    for name, place in thread.places.items():
        stages.setdefault(place.stage, {}).setdefault(place.topic, []).append(name)
        sizes[place.stage] = place.stage_size
    return tuple(f"{stage}: {_stage_summary(topics, sizes[stage])}" for stage, topics in stages.items())


def _stage_summary(topics: Mapping[Topic, Sequence[str]], size: int) -> str:
    return "; ".join(
        _topic_word(topic)
        if size == 1
        else f"{_topic_word(topic)}: {list_names(names)}"
        if topic.is_failure
        else f"{len(names)} of {size} {_topic_word(topic)}"
        for topic, names in topics.items()
    )


def _topic_word(topic: Topic) -> str:
    return SUMMARIES.get(topic, str(topic).replace("-", " "))


def short_reason(text: str) -> str:
    """Return a reason as one line that a message can have."""
    return shorten(printable(text.replace("\n", " ")), MAX_REASON_LENGTH, placeholder=" …")


def short_entries(entries: Sequence[str]) -> tuple[str, ...]:
    """Return the first entries of a changelog as lines that a message can have, and how many more there are."""
    plain = (MARKDOWN_LINK.sub(r"\1", entry.replace("\n", " ").replace("**", "")) for entry in entries)
    texts = [shorten(printable(entry), MAX_ENTRY_LENGTH, placeholder=" …") for entry in plain]
    shown, more = texts[:MAX_ENTRIES], len(texts) - MAX_ENTRIES
    return (*shown, *((f"and {counted(more, 'more change')}",) if more > 0 else ()))
