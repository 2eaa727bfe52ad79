"""What a message says of the notifications that it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.notification.composition import compose, continue_thread
from kaizen_tasks.domain.notification.message import Link, Message
from kaizen_tasks.domain.notification.thread import Thread
from kaizen_tasks.domain.notification.topic import TOPICS, Topic
from kaizen_tasks.domain.notification.wording import short_entries, short_reason
from tests.domain.notification.news import GROUP, notification

if TYPE_CHECKING:
    from kaizen_tasks.domain.notification.notification import Notification

NOTES = ("Weekly plans", "A typo")


def told(*notifications: Notification, before: tuple[Notification, ...] = ()) -> Message:
    """Return the message about notifications, after others were told in the same thread."""
    thread = Thread(target="team", name=notifications[0].thread)
    if before:
        thread = continue_thread(thread, before, token="3f")
    return compose("coach", continue_thread(thread, notifications, token="3f", whats_new=NOTES), notifications)


SUBJECTS = {
    Topic.STARTED: "v1.2.3 is being deployed to prod",
    Topic.DEPLOYED: "v1.2.3 was deployed to prod",
    Topic.RELEASED: "v1.2.3 was released to prod",
    Topic.PROMOTED: "v1.2.3 was promoted to prod",
    Topic.HOTFIXED: "v1.2.3 was released as a hotfix to prod",
    Topic.CONFIGURED: "prod runs v1.2.3 with a new configuration",
    Topic.FAILED: "v1.2.3 failed in prod",
    Topic.ROLLED_BACK: "prod was rolled back to v1.2.3",
    Topic.ABANDONED: "another deployment has replaced that of v1.2.3 in prod",
    Topic.WITHDRAWN: "v1.2.3 was given up in prod",
    Topic.HELD: "prod is held: promotions leave it alone",
    Topic.HOLD_REMOVED: "prod is no longer held",
    Topic.COMMAND_FAILED: "a command before the deployment of v1.2.3 has failed in prod; nothing was deployed",
    Topic.COMMAND_RUN: "a command was started by hand in prod, with v1.2.3",
    Topic.MIGRATING: "prod is moving to another platform",
    Topic.RETIRED: "the former service of prod is paused",
    Topic.MIGRATED: "prod has moved to another platform",
    Topic.UNMIGRATED: "prod stays where it was: the move was given up",
}


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_its_sentence(topic: Topic) -> None:
    assert told(notification(topic=topic)).subject == f"coach: {SUBJECTS[topic]}"


def test_message_says_by_whom_how_long_and_what_to_type_next() -> None:
    message = told(notification(next_step="inv promote-beta"))

    assert message.details == ("by ada, in 2m 10s",)
    assert message.next_step == "inv promote-beta"
    assert message.whats_new == NOTES
    assert (message.thread, message.summary) == ("v1.2.3", ("prod: promoted",))


def test_failure_says_why_and_not_what_is_new() -> None:
    message = told(notification(topic=Topic.FAILED, reason="it answers v1.2.2", next_step="inv history --env prod"))

    assert message.details == ("by ada, in 2m 10s", "why: it answers v1.2.2")
    assert (message.whats_new, message.next_step) == ((), "inv history --env prod")


def test_rollback_names_the_release_that_was_left() -> None:
    back = notification(topic=Topic.ROLLED_BACK, version="v1.2.2", thread="v1.2.3")

    assert told(back).subject == "coach: prod was rolled back from v1.2.3 to v1.2.2"


@pytest.mark.parametrize(
    ("topic", "sentence"),
    [
        (Topic.STARTED, "prod is being rolled back from v1.2.3 to v1.2.2"),
        (Topic.DEPLOYED, "v1.2.2 was deployed to prod again"),
        (Topic.FAILED, "the rollback of prod from v1.2.3 to v1.2.2 failed"),
    ],
)
def test_steps_of_a_rollback_are_told_as_such(topic: Topic, sentence: str) -> None:
    assert told(notification(topic=topic, version="v1.2.2", thread="v1.2.3")).subject == f"coach: {sentence}"


def test_failure_and_rollback_of_one_environment_are_both_told() -> None:
    failed = notification(topic=Topic.FAILED, reason="it answers v1.2.2")
    back = notification(topic=Topic.ROLLED_BACK, version="v1.2.2", thread="v1.2.3", minute=1)

    message = told(failed, back)

    assert message.subject == "coach: v1.2.3 failed in prod; prod was rolled back from v1.2.3 to v1.2.2"
    assert message.topic is Topic.FAILED
    assert len(message.changes) == 2


def test_what_has_led_to_the_news_is_not_told_any_more() -> None:
    message = told(notification(topic=Topic.STARTED), notification(topic=Topic.DEPLOYED), notification())

    assert message.subject == "coach: v1.2.3 was promoted to prod"


def test_whole_group_is_one_sentence() -> None:
    message = told(*(notification(name, next_step="inv promote-all") for name in GROUP))

    assert message.subject == "coach: v1.2.3 was promoted to all 3 environments of beta"
    assert message.details == ("by ada, each in 2m 10s or less",)
    assert message.next_step == "inv promote-all"
    assert message.summary == ("beta: 3 of 3 promoted",)


def test_part_of_a_group_has_no_next_stage() -> None:
    message = told(*(notification(name, next_step="inv promote-all") for name in GROUP[:2]))

    assert message.subject == "coach: v1.2.3 was promoted to 2 of 3 environments of beta"
    assert message.next_step == ""


def test_one_of_a_group_is_named() -> None:
    assert told(notification("mark")).subject == "coach: v1.2.3 was promoted to mark (1 of 3 environments of beta)"


def test_one_of_a_group_that_is_held_is_named() -> None:
    assert told(notification("dom", Topic.HELD)).subject == (
        "coach: dom (1 of 3 environments of beta) is held: promotions leave it alone"
    )


def test_those_told_before_are_counted() -> None:
    before = (notification("mark"), notification("shane"))

    message = told(notification("dom"), before=before)

    assert message.subject == "coach: v1.2.3 was promoted to all 3 environments of beta"
    assert [change.environment for change in message.changes] == ["dom"]
    assert message.key == "3f-2"


def test_failures_in_a_group_are_named_beside_the_others() -> None:
    message = told(
        notification("mark"),
        notification("shane", Topic.FAILED, reason="no answer"),
        notification("dom", Topic.FAILED, reason="HTTP 500"),
    )

    assert message.subject == (
        "coach: v1.2.3 was promoted to mark (1 of 3 environments of beta) and failed in shane, dom"
    )
    assert message.details == ("by ada, each in 2m 10s or less", "shane: no answer", "dom: HTTP 500")
    assert message.summary == ("beta: 1 of 3 promoted; failed: shane, dom",)


def test_several_stages_are_told_together_when_they_have_waited() -> None:
    message = told(notification("staging", Topic.RELEASED), notification("prod"))

    assert message.subject == "coach: v1.2.3 was released to staging and was promoted to prod"
    assert message.summary == ("staging: released", "prod: promoted")


def test_hold_of_a_group_is_told_once_and_removed_once() -> None:
    command = "inv hold.remove --env {}"
    message = told(
        *(notification(name, Topic.HELD, reason="holiday", next_step=command.format(name)) for name in GROUP)
    )

    assert message.subject == "coach: all 3 environments of beta are held: promotions leave them alone"
    assert message.details[1:] == ("why: holiday",)
    assert message.next_step == "inv hold.remove --env beta"


def test_hold_of_some_names_each() -> None:
    command = "inv hold.remove --env {}"
    message = told(*(notification(name, Topic.HELD, next_step=command.format(name)) for name in GROUP[:2]))

    assert message.next_step == "inv hold.remove --env mark --env shane"


def test_many_reasons_are_shortened() -> None:
    failures = (notification(f"t{number}", Topic.FAILED, reason=f"reason {number}") for number in range(7))

    message = told(*failures)

    assert message.details[-2:] == ("t4: reason 4", "and 2 other reasons")


def test_run_and_apps_are_linked() -> None:
    news = notification()
    change = evolve(news.change, run_url="https://ci.example/7", url="https://www.example")

    assert told(evolve(news, change=change)).links == (
        Link(label="the run", url="https://ci.example/7"),
        Link(label="prod", url="https://www.example"),
    )


def test_apps_of_many_environments_are_not_linked() -> None:
    many = tuple(notification(f"t{number}") for number in range(4))
    linked = (evolve(each, change=evolve(each.change, url="https://t.example")) for each in many)

    assert told(*linked).links == ()


def test_key_differs_from_message_to_message_and_from_thread_to_thread() -> None:
    thread = Thread(target="team", name="v1.2.3")
    first = continue_thread(thread, [notification()], token="3f")
    second = continue_thread(first, [notification()], token="99")
    other = continue_thread(thread, [notification()], token="99")

    assert [each.key for each in (first, second, other)] == ["3f-1", "3f-2", "99-1"]


def test_reason_is_one_line_that_no_terminal_obeys() -> None:
    assert short_reason("it\nfailed\x1b[2J " + "x" * 400) == "it failed?[2J …"


def test_entries_are_plain_short_and_few() -> None:
    entries = ["**Plans** by [week](https://x.example) or [month][m]\nand year", *map(str, range(6))]

    assert short_entries(entries) == ("Plans by week or month and year", "0", "1", "2", "3", "and 2 more changes")
