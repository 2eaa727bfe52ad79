"""A message as JSON: what a receiver gets is what the outbox stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from kaizen_tasks.domain.notification.message import Change, Link, Message, message_from_json
from kaizen_tasks.domain.notification.topic import Topic

MESSAGE = Message(
    key="3f-2",
    app="coach",
    topic=Topic.PROMOTED,
    subject="coach: v1.2.3 was promoted to prod",
    details=("by ada, in 2m 10s",),
    whats_new=("Weekly plans, ünïcödé",),
    next_step="inv promote-beta",
    links=(Link(label="the run", url="https://ci.example/7"),),
    thread="v1.2.3",
    summary=("staging: released", "prod: promoted"),
    changes=(
        Change(
            environment="prod",
            topic=Topic.PROMOTED,
            at=datetime(2026, 11, 20, 12, tzinfo=UTC),
            actor="ada",
            version="v1.2.3",
            seconds=130.0,
            url="https://www.example",
        ),
    ),
)


def test_message_survives_the_outbox() -> None:
    assert message_from_json(MESSAGE.to_json()) == MESSAGE


def test_document_has_a_schema_number_and_plain_values() -> None:
    document = json.loads(MESSAGE.to_json())

    assert (document["schema"], document["key"], document["topic"]) == (1, "3f-2", "promoted")
    assert document["changes"][0]["at"] == "2026-11-20T12:00:00+00:00"


def test_text_has_all_parts_in_order() -> None:
    assert MESSAGE.text.splitlines() == [
        "coach: v1.2.3 was promoted to prod",
        "by ada, in 2m 10s",
        "What's new:",
        "- Weekly plans, ünïcödé",
        "next: inv promote-beta",
        "the run: https://ci.example/7",
    ]


def test_text_of_a_message_without_parts_is_its_subject() -> None:
    message = Message(key="a-1", app="coach", topic=Topic.HELD, subject="coach: prod is held")

    assert message.text == "coach: prod is held"


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"topic": "sung"}', "null"])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        message_from_json(text)
