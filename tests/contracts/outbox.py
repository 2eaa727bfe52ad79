"""What every Outbox does, with the Ledger and the Holds that write to it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.notification.composition import compose, continue_thread
from kaizen_tasks.domain.notification.notification import QueuedMessage
from kaizen_tasks.domain.notification.thread import Thread
from kaizen_tasks.domain.notification.topic import Topic
from tests.contracts.holds import hold
from tests.contracts.ledger import entry
from tests.domain.notification.news import NOON, notification

if TYPE_CHECKING:
    from kaizen_tasks.domain.notification.notification import Notification
    from kaizen_tasks.ports.outbox import Outbox
    from kaizen_tasks.ports.state import Holds, Ledger

SOON = NOON + timedelta(seconds=30)
NEWS = (notification(reason="ünïcödé", next_step="inv promote-beta"), notification(target="ops"))


def without_ids(notifications: tuple[Notification, ...]) -> set[Notification]:
    """Return notifications as they were before they were written."""
    return {evolve(each, id="") for each in notifications}


def queue(outbox: Outbox, target: str = "team", name: str = "v1.2.3", *, token: str = "3f") -> QueuedMessage:
    """Put a message in the place of a thread's notifications, and return it as it is stored."""
    own = tuple(each for each in outbox.content().notifications if (each.target, each.thread) == (target, name))
    thread = continue_thread(outbox.thread(target, name), own, token=token, whats_new=("Plans",))
    message = QueuedMessage(message=compose("coach", thread, own), target=target, queued_at=NOON, due_at=NOON)
    assert outbox.queue(message, thread, own)
    (stored,) = (each for each in outbox.content().messages if each.message.key == message.message.key)
    return stored


class OutboxContract:
    """Subclasses provide the fixtures `outbox`, which is empty, and `ledger` and `holds` that write to it."""

    def test_is_empty_at_first(self, outbox: Outbox) -> None:
        assert outbox.content().is_empty
        assert outbox.thread("team", "v1.2.3") == Thread(target="team", name="v1.2.3")

    def test_entry_and_notifications_are_written_together(self, outbox: Outbox, ledger: Ledger) -> None:
        written = ledger.append(entry(), NEWS)

        assert ledger.entries("staging") == (written,)
        assert without_ids(outbox.content().notifications) == {*NEWS}
        assert len({each.id for each in outbox.content().notifications}) == 2

    def test_entry_without_notifications_tells_nobody(self, outbox: Outbox, ledger: Ledger) -> None:
        outbox.news.clear()
        ledger.append(entry())

        assert outbox.content().is_empty
        assert not outbox.news.is_set()

    def test_writer_wakes_who_waits_for_news(self, outbox: Outbox, ledger: Ledger, holds: Holds) -> None:
        outbox.news.clear()
        ledger.append(entry(), NEWS)
        woken = [outbox.news.is_set()]
        outbox.news.clear()
        holds.add(hold(), NEWS)
        woken.append(outbox.news.is_set())
        outbox.news.clear()
        holds.remove("mark", notify=lambda _: NEWS)

        assert [*woken, outbox.news.is_set()] == [True, True, True]

    def test_entries_of_several_writers_have_numbers_and_notifications(self, outbox: Outbox, ledger: Ledger) -> None:
        with ThreadPoolExecutor(max_workers=4) as pool:
            written = list(pool.map(lambda _: ledger.append(entry(), NEWS[:1]), range(8)))

        assert sorted(each.number for each in written) == list(range(1, 9))
        assert len(outbox.content().notifications) == 8

    def test_hold_and_notifications_are_written_together(self, outbox: Outbox, holds: Holds) -> None:
        assert holds.add(hold(), NEWS) == hold()

        assert holds.get("mark") == hold()
        assert without_ids(outbox.content().notifications) == {*NEWS}

    def test_hold_that_is_not_added_tells_nobody(self, outbox: Outbox, holds: Holds) -> None:
        holds.add(hold())

        assert holds.add(hold(reason="another"), NEWS) == hold()
        assert outbox.content().is_empty

    def test_removal_of_a_hold_tells_of_that_hold(self, outbox: Outbox, holds: Holds) -> None:
        holds.add(hold())

        removed = holds.remove(
            "mark", notify=lambda old: (notification("mark", Topic.HOLD_REMOVED, reason=old.reason),)
        )

        assert (removed, holds.get("mark")) == (hold(), None)
        (told,) = outbox.content().notifications
        assert told.change.reason == hold().reason

    def test_removal_of_no_hold_tells_nobody(self, outbox: Outbox, holds: Holds) -> None:
        assert holds.remove("mark", notify=lambda _: NEWS) is None
        assert outbox.content().is_empty

    def test_oldest_notification_comes_first(self, outbox: Outbox, ledger: Ledger) -> None:
        for minute in (2, 0, 1):
            ledger.append(entry(), (notification(minute=minute),))

        minutes = [each.change.at.minute for each in outbox.content().notifications]
        assert minutes == [0, 1, 2]

    def test_message_takes_the_place_of_its_notifications(self, outbox: Outbox, ledger: Ledger) -> None:
        ledger.append(entry(), NEWS)

        stored = queue(outbox)

        content = outbox.content()
        assert [each.target for each in content.notifications] == ["ops"]
        assert content.messages == (stored,)
        assert (stored.attempts, stored.error, stored.owner, stored.reserved_until) == (0, "", "", None)
        thread = outbox.thread("team", "v1.2.3")
        assert (thread.token, thread.revision, thread.whats_new) == ("3f", 1, ("Plans",))
        assert thread.places["prod"].topic is Topic.PROMOTED

    def test_only_one_of_two_runs_tells_notifications(self, outbox: Outbox, ledger: Ledger) -> None:
        ledger.append(entry(), NEWS)
        own = outbox.content().notifications[:1]
        empty = outbox.thread("team", own[0].thread)
        threads = [continue_thread(empty, own, token=token) for token in ("3f", "99")]
        messages = [
            QueuedMessage(message=compose("coach", thread, own), target="team", queued_at=NOON, due_at=NOON)
            for thread in threads
        ]

        results = [outbox.queue(*each, own) for each in zip(messages, threads, strict=True)]

        assert results == [True, False]
        assert [each.message.key for each in outbox.content().messages] == ["3f-1"]

    def test_message_is_queued_once_when_the_answer_was_lost(self, outbox: Outbox, ledger: Ledger) -> None:
        ledger.append(entry(), NEWS)
        own = outbox.content().notifications
        thread = continue_thread(outbox.thread("team", "v1.2.3"), own, token="3f")
        message = QueuedMessage(message=compose("coach", thread, own), target="team", queued_at=NOON, due_at=NOON)

        assert outbox.queue(message, thread, own)
        assert outbox.queue(message, thread, own)
        assert len(outbox.content().messages) == 1

    def test_thread_goes_on_with_the_next_message(self, outbox: Outbox, ledger: Ledger) -> None:
        ledger.append(entry(), NEWS[:1])
        outbox.remove(queue(outbox), reference="1732104000.1")
        ledger.append(entry(), (notification("mark"),))
        second = queue(outbox, token="unused")

        thread = outbox.thread("team", "v1.2.3")
        assert (second.message.key, thread.revision, thread.reference) == ("3f-2", 2, "1732104000.1")
        assert set(thread.places) == {"prod", "mark"}

    def test_message_is_reserved_by_one_run_only(self, outbox: Outbox, ledger: Ledger) -> None:
        ledger.append(entry(), NEWS)
        stored = queue(outbox)

        ours = outbox.reserve(stored, owner="us", until=SOON)

        assert outbox.reserve(stored, owner="others", until=SOON) is None
        assert outbox.content().messages == (ours,)
        assert ours is not None
        assert (ours.owner, ours.reserved_until) == ("us", SOON)

    def test_reserving_again_after_a_lost_answer_succeeds(self, outbox: Outbox, ledger: Ledger) -> None:
        ledger.append(entry(), NEWS)
        stored = queue(outbox)

        assert outbox.reserve(stored, owner="us", until=SOON) == outbox.reserve(stored, owner="us", until=SOON)

    def test_reservation_of_a_dead_run_is_taken_over_once(self, outbox: Outbox, ledger: Ledger) -> None:
        ledger.append(entry(), NEWS)
        outbox.reserve(queue(outbox), owner="dead", until=SOON)
        (seen,) = outbox.content().messages

        ours = outbox.reserve(seen, owner="us", until=SOON)

        assert ours is not None
        assert outbox.reserve(seen, owner="others", until=SOON) is None

    def test_delivered_message_is_gone_and_its_thread_stays(self, outbox: Outbox, ledger: Ledger) -> None:
        ledger.append(entry(), NEWS[:1])
        stored = queue(outbox)
        reserved = outbox.reserve(stored, owner="us", until=SOON)
        assert reserved is not None

        outbox.remove(reserved, reference="1732104000.1")
        outbox.remove(reserved)

        assert outbox.content().is_empty
        assert outbox.thread("team", "v1.2.3").reference == "1732104000.1"
        assert outbox.reserve(stored, owner="others", until=SOON) is None

    def test_postponed_message_counts_its_attempts_and_is_free_again(self, outbox: Outbox, ledger: Ledger) -> None:
        ledger.append(entry(), NEWS)
        for attempt in ("first", "second"):
            (stored,) = outbox.content().messages or (queue(outbox),)
            reserved = outbox.reserve(stored, owner=attempt, until=SOON)
            assert reserved is not None
            outbox.postpone(reserved, error=f"{attempt}: HTTP 500", until=SOON)

        (waiting,) = outbox.content().messages
        assert (waiting.attempts, waiting.error, waiting.due_at) == (2, "second: HTTP 500", SOON)
        assert (waiting.owner, waiting.reserved_until) == ("", None)

    def test_run_that_was_too_slow_changes_nothing_that_another_has_taken_over(
        self, outbox: Outbox, ledger: Ledger
    ) -> None:
        ledger.append(entry(), NEWS)
        slow = outbox.reserve(queue(outbox), owner="slow", until=SOON)
        (seen,) = outbox.content().messages
        outbox.reserve(seen, owner="us", until=SOON)
        assert slow is not None

        outbox.postpone(slow, error="HTTP 500", until=SOON)

        (stored,) = outbox.content().messages
        assert (stored.owner, stored.attempts) == ("us", 0)
