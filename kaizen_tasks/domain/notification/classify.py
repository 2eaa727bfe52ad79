"""What a new entry of the ledger is news of: its topic, the release that it concerns, and how long that took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from kaizen_tasks.domain.ledger import Event, LedgerEntry, release_to_leave
from kaizen_tasks.domain.notification.topic import Topic

OWN_TOPICS: Mapping[Event, Topic] = {
    Event.STARTED: Topic.STARTED,
    Event.DEPLOYED: Topic.DEPLOYED,
    Event.FAILED: Topic.FAILED,
    Event.ABANDONED: Topic.ABANDONED,
    Event.WITHDRAWN: Topic.WITHDRAWN,
    Event.COMMAND_FAILED: Topic.COMMAND_FAILED,
    Event.RAN: Topic.COMMAND_RUN,
    Event.MIGRATING: Topic.MIGRATING,
    Event.RETIRED: Topic.RETIRED,
    Event.MIGRATED: Topic.MIGRATED,
    Event.UNMIGRATED: Topic.UNMIGRATED,
}
"""Events that are news by themselves. A verification is news of what was deployed; the others only announce."""

VERIFIED_TOPICS = frozenset(
    {Topic.RELEASED, Topic.PROMOTED, Topic.HOTFIXED, Topic.CONFIGURED, Topic.ROLLED_BACK},
)
"""What a verification may be news of."""

CAUSES: Mapping[Event, Topic] = {
    Event.ROLLBACK: Topic.ROLLED_BACK,
    Event.CONFIGURED: Topic.CONFIGURED,
    Event.RESTORED: Topic.CONFIGURED,
}
"""Entries before a deployment that say what it is for, when it is for no new release."""


@frozen(kw_only=True)
class News:
    """What an entry is news of.

    Attributes:
        topic: what has happened.
        release: name of the release whose thread it belongs to: during a rollback, the release that is left.
        seconds: from the beginning of the deployment to the entry; 0 when unknown.
    """

    topic: Topic
    release: str
    seconds: float = 0.0


def possible_topics(event: Event) -> frozenset[Topic]:
    """Return what an entry with an event may be news of, whatever was before it; empty for none."""
    if event is Event.VERIFIED:
        return VERIFIED_TOPICS
    return frozenset({OWN_TOPICS[event]}) if event in OWN_TOPICS else frozenset()


def find_news(
    entry: LedgerEntry, earlier: Sequence[LedgerEntry], *, is_first_stage: bool, is_hotfix: bool = False
) -> News | None:
    """Return what an entry is news of; None for one that nobody needs to be told of.

    A release that is verified again, with no deployment in between, is not news.

    Args:
        entry: the new entry.
        earlier: the environment's entries before it, newest first.
        is_first_stage: whether its environment is in the first stage.
        is_hotfix: whether it verifies a hotfix.
    """
    history = (entry, *earlier)
    intent_index = _intent_index(history)
    intent = None if intent_index is None else history[intent_index]
    since_intent = history[1:intent_index] if intent_index is not None else earlier
    if entry.event is Event.VERIFIED and _is_verified(entry, since_intent):
        return None
    cause = None if intent_index is None else _cause(entry, history[intent_index + 1 :])
    topic = _topic(entry, cause, is_first_stage=is_first_stage, is_hotfix=is_hotfix)
    if topic is None:
        return None
    is_rollback = cause is not None and cause.event is Event.ROLLBACK and entry.event.concerns_deployment
    left = release_to_leave(history[history.index(cause) + 1 :]) if cause is not None and is_rollback else None
    seconds = (entry.at - intent.at).total_seconds() if intent is not None else 0.0
    return News(topic=topic, release=left.version if left else entry.version, seconds=max(seconds, 0.0))


def _topic(entry: LedgerEntry, cause: LedgerEntry | None, *, is_first_stage: bool, is_hotfix: bool) -> Topic | None:
    """Return what an entry tells, given the entry that says what its deployment is for; None for nothing."""
    if entry.event is not Event.VERIFIED:
        return OWN_TOPICS.get(entry.event)
    if cause is not None:
        return CAUSES[cause.event]
    if is_hotfix:
        return Topic.HOTFIXED
    return Topic.RELEASED if is_first_stage else Topic.PROMOTED


def _intent_index(history: Sequence[LedgerEntry]) -> int | None:
    """Return where the intent of the deployment is that the first entry is about, or None."""
    digest = history[0].digest
    intents = (index for index, each in enumerate(history) if each.event is Event.STARTED and each.digest == digest)
    return next(intents, None)


def _is_verified(entry: LedgerEntry, since: Sequence[LedgerEntry]) -> bool:
    """Return whether the image was verified since its deployment began, and has not failed after that."""
    outcomes = (each for each in since if each.digest == entry.digest and each.event in {Event.VERIFIED, Event.FAILED})
    latest = next(outcomes, None)
    return latest is not None and latest.event is Event.VERIFIED


def _cause(entry: LedgerEntry, before: Sequence[LedgerEntry]) -> LedgerEntry | None:
    """Return the entry that says what a deployment is for, right before its intent; None for a new release."""
    latest = next(_without_commands(before), None)
    if latest is None or latest.event not in CAUSES or latest.digest != entry.digest:
        return None
    return latest


def _without_commands(entries: Sequence[LedgerEntry]) -> Iterator[LedgerEntry]:
    """Yield the entries that are about the deployed release: neither commands, nor what another deployment became."""
    for entry in entries:
        if not entry.event.concerns_command and entry.event not in {Event.ABANDONED, Event.UNKNOWN}:
            yield entry
