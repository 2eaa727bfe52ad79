"""When a message is sent again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from kaizen_tasks.domain.notification.message import Message
from kaizen_tasks.domain.notification.notification import QueuedMessage
from kaizen_tasks.domain.notification.retry import is_dropped, is_due, is_given_up, next_attempt
from kaizen_tasks.domain.notification.topic import Topic
from kaizen_tasks.errors import Undelivered
from tests.domain.notification.news import NOON

MESSAGE = QueuedMessage(
    message=Message(key="3f-1", app="coach", topic=Topic.HELD, subject="coach: prod is held"),
    target="team",
    queued_at=NOON,
    due_at=NOON,
)


def pause(attempts: int, error: Undelivered) -> float:
    """Return the seconds until the next attempt."""
    return (next_attempt(evolve(MESSAGE, attempts=attempts), error, NOON) - NOON).total_seconds()


def test_pause_doubles_up_to_an_hour() -> None:
    assert [pause(attempts, Undelivered("HTTP 500")) for attempts in (0, 1, 2, 9, 10, 500)] == [
        5,
        10,
        20,
        2560,
        3600,
        3600,
    ]


def test_target_may_ask_for_a_longer_pause_but_not_for_more_than_an_hour() -> None:
    assert [pause(0, Undelivered("HTTP 429", retry_after=each)) for each in (1, 60, 1e9)] == [5, 60, 3600]


def test_refusal_that_will_be_repeated_is_not_tried_soon() -> None:
    assert pause(0, Undelivered("HTTP 404", is_permanent=True)) == 3600


def test_message_is_due_when_its_pause_is_over_and_nobody_is_sending_it() -> None:
    soon = NOON + timedelta(seconds=1)

    assert is_due(MESSAGE, NOON)
    assert not is_due(evolve(MESSAGE, due_at=soon), NOON)
    assert not is_due(evolve(MESSAGE, reserved_until=soon), NOON)
    assert is_due(evolve(MESSAGE, reserved_until=NOON), NOON)


@pytest.mark.parametrize(("days", "given_up", "dropped"), [(6, False, False), (8, True, False), (31, True, True)])
def test_message_is_given_up_after_a_week_and_dropped_after_a_month(days: int, given_up: bool, dropped: bool) -> None:
    now = NOON + timedelta(days=days)

    assert (is_given_up(MESSAGE, now), is_dropped(MESSAGE, now)) == (given_up, dropped)
