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
        release: name of the release whose thread it belongs to: of a rollback, the release that was left.
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
    intent_index = _intent_index(entry, earlier)
    intent = None if intent_index is None else earlier[intent_index]
    seconds = (entry.at - intent.at).total_seconds() if intent and entry.event is not Event.STARTED else 0.0
    if entry.event in OWN_TOPICS:
        return News(topic=OWN_TOPICS[entry.event], release=entry.version, seconds=max(seconds, 0.0))
    if entry.event is not Event.VERIFIED or (intent_index is not None and _is_verified(entry, earlier[:intent_index])):
        return None
    if intent_index is None and any(each.event is Event.VERIFIED and each.digest == entry.digest for each in earlier):
        return None
    cause = None if intent_index is None else _cause(entry, earlier[intent_index + 1 :])
    if cause is None:
        topic = Topic.HOTFIXED if is_hotfix else Topic.RELEASED if is_first_stage else Topic.PROMOTED
        return News(topic=topic, release=entry.version, seconds=max(seconds, 0.0))
    left = release_to_leave(earlier[earlier.index(cause) + 1 :]) if cause.event is Event.ROLLBACK else None
    return News(topic=CAUSES[cause.event], release=left.version if left else entry.version, seconds=max(seconds, 0.0))


def _intent_index(entry: LedgerEntry, earlier: Sequence[LedgerEntry]) -> int | None:
    """Return where the intent of the deployment is that an entry is about, or None."""
    intents = (
        index for index, each in enumerate(earlier) if each.event is Event.STARTED and each.digest == entry.digest
    )
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
