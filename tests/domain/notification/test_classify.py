"""What an entry of the ledger is news of."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.notification.classify import VERIFIED_TOPICS, News, find_news, possible_topics
from kaizen_tasks.domain.notification.topic import TOPICS, Topic
from tests.domain.notification.news import NOON

A, B = "v1.2.2", "v1.2.3"


def history(*events: tuple[Event, str]) -> list[LedgerEntry]:
    """Return entries, one a minute, newest first; releases are told apart by their version."""
    entries = [
        LedgerEntry(
            environment="prod",
            event=event,
            version=version,
            commit="c" * 40,
            digest=f"sha256:{version}",
            at=NOON + timedelta(minutes=minute),
            actor="ada",
        )
        for minute, (event, version) in enumerate(events)
    ]
    return entries[::-1]


def news(*events: tuple[Event, str], is_first_stage: bool = False, is_hotfix: bool = False) -> News | None:
    """Return what the last of some events is news of."""
    newest, *earlier = history(*events)
    return find_news(newest, earlier, is_first_stage=is_first_stage, is_hotfix=is_hotfix)


STARTED, DEPLOYED, VERIFIED, FAILED = Event.STARTED, Event.DEPLOYED, Event.VERIFIED, Event.FAILED
FIRST = ((STARTED, A), (DEPLOYED, A), (VERIFIED, A))
SECOND = ((STARTED, B), (DEPLOYED, B))


def test_verification_of_a_new_release_is_news_of_its_stage() -> None:
    assert news(*FIRST, *SECOND, (VERIFIED, B)) == News(topic=Topic.PROMOTED, release=B, seconds=120.0)
    assert news(*FIRST, *SECOND, (VERIFIED, B), is_first_stage=True) == News(
        topic=Topic.RELEASED, release=B, seconds=120.0
    )
    assert news(*FIRST, *SECOND, (VERIFIED, B), is_hotfix=True) == News(topic=Topic.HOTFIXED, release=B, seconds=120.0)


def test_verification_without_a_deployment_is_news_once() -> None:
    assert news((VERIFIED, A)) == News(topic=Topic.PROMOTED, release=A)
    assert news((VERIFIED, A), (VERIFIED, A)) is None


def test_release_that_is_verified_again_is_no_news() -> None:
    assert news(*FIRST, (VERIFIED, A)) is None


def test_release_that_has_failed_in_between_is_news_again() -> None:
    found = news(*FIRST, (FAILED, A), (VERIFIED, A))

    assert found is not None
    assert found.topic is Topic.PROMOTED


def test_release_that_is_deployed_again_is_news_again() -> None:
    assert news(*FIRST, *FIRST[:2], (VERIFIED, A)) == News(topic=Topic.PROMOTED, release=A, seconds=120.0)


def test_failure_is_news_of_the_release_that_failed() -> None:
    assert news(*FIRST, *SECOND, (FAILED, B)) == News(topic=Topic.FAILED, release=B, seconds=120.0)


def test_rollback_after_a_failure_belongs_to_the_release_that_was_left() -> None:
    back = ((Event.ROLLBACK, A), (STARTED, A), (DEPLOYED, A), (VERIFIED, A))

    assert news(*FIRST, *SECOND, (FAILED, B), *back) == News(topic=Topic.ROLLED_BACK, release=B, seconds=120.0)


def test_rollback_by_hand_belongs_to_the_release_that_was_serving() -> None:
    back = ((Event.ROLLBACK, A), (Event.ABANDONED, B), (STARTED, A), (VERIFIED, A))

    assert news(*FIRST, *SECOND, (VERIFIED, B), *back) == News(topic=Topic.ROLLED_BACK, release=B, seconds=60.0)


@pytest.mark.parametrize(
    ("events", "topic"), [((), Topic.STARTED), ((DEPLOYED,), Topic.DEPLOYED), ((FAILED,), Topic.FAILED)]
)
def test_all_of_a_rollback_belongs_to_the_release_that_is_left(events: tuple[Event, ...], topic: Topic) -> None:
    back = ((Event.ROLLBACK, A), (STARTED, A), *((event, A) for event in events))

    found = news(*FIRST, *SECOND, (FAILED, B), *back)

    assert found is not None
    assert (found.topic, found.release) == (topic, B)


def test_rollback_without_a_release_before_belongs_to_the_one_that_came_back() -> None:
    assert news((Event.ROLLBACK, A), (STARTED, A), (VERIFIED, A)) == News(
        topic=Topic.ROLLED_BACK, release=A, seconds=60.0
    )


@pytest.mark.parametrize("cause", [Event.CONFIGURED, Event.RESTORED])
def test_new_configuration_is_no_new_release(cause: Event) -> None:
    assert news(*FIRST, (cause, A), (STARTED, A), (VERIFIED, A)) == News(
        topic=Topic.CONFIGURED, release=A, seconds=60.0
    )


def test_release_after_a_rollback_is_a_release_again() -> None:
    back = ((Event.ROLLBACK, A), (STARTED, A), (VERIFIED, A))

    assert news(*FIRST, *SECOND, (FAILED, B), *back, *SECOND, (VERIFIED, B)) == News(
        topic=Topic.PROMOTED, release=B, seconds=120.0
    )


def test_command_between_a_rollback_and_its_deployment_hides_nothing() -> None:
    command = ((Event.COMMAND_STARTED, A), (Event.COMMAND_SUCCEEDED, A))
    back = ((Event.ROLLBACK, A), *command, (STARTED, A), (VERIFIED, A))

    found = news(*FIRST, *SECOND, (VERIFIED, B), *back)

    assert found is not None
    assert (found.topic, found.release) == (Topic.ROLLED_BACK, B)


@pytest.mark.parametrize("event", [event for event in Event if not possible_topics(event)])
def test_what_only_announces_is_no_news(event: Event) -> None:
    assert news(*FIRST, (event, A)) is None


def test_every_topic_of_entries_has_an_event() -> None:
    found = {topic for event in Event for topic in possible_topics(event)}

    assert found == set(TOPICS) - {Topic.HELD, Topic.HOLD_REMOVED}
    assert not possible_topics(Event.ROLLBACK)
    assert possible_topics(Event.VERIFIED) == VERIFIED_TOPICS


@pytest.mark.parametrize("event", [event for event in Event if possible_topics(event)])
def test_news_is_among_what_is_possible(event: Event) -> None:
    found = news((event, A))

    assert found is not None
    assert found.topic in possible_topics(event)
