"""What every Ledger does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.ledger import Event, LedgerEntry

if TYPE_CHECKING:
    from kaizen_tasks.ports.state import Ledger

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WRITERS = 8


def entry(environment: str = "staging", *, at: datetime = NOON, event: Event = Event.DEPLOYED) -> LedgerEntry:
    """Return an entry with a value in every attribute."""
    return LedgerEntry(
        environment=environment,
        event=event,
        version="v1.2.3",
        commit="4f2a9c81" * 5,
        digest="sha256:" + "ab" * 32,
        at=at,
        actor="ada@workshop",
        operation="6c7e1a",
        reason="because, she said: ünïcödé",
        took=238.25,
    )


class LedgerContract:
    """Subclasses provide the fixture `ledger`, which is empty."""

    def test_appended_entry_is_returned(self, ledger: Ledger) -> None:
        written = entry(at=NOON.replace(microsecond=123456))

        ledger.append(written)

        assert ledger.entries("staging") == (written,)

    def test_run_of_an_entry_is_returned(self, ledger: Ledger) -> None:
        written = evolve(entry(), run_url="https://ci.example/runs/7")

        ledger.append(written)

        assert ledger.entries("staging") == (written,)

    def test_empty_fields_stay_empty(self, ledger: Ledger) -> None:
        written = evolve(entry(), operation="", reason="")

        ledger.append(written)

        assert ledger.entries("staging") == (written,)

    def test_configuration_of_an_entry_is_returned(self, ledger: Ledger) -> None:
        written = evolve(entry(event=Event.CONFIGURED), configuration="6c7e1a4e")

        ledger.append(written)

        assert ledger.entries("staging") == (written,)

    def test_knows_nothing_of_an_environment_without_entries(self, ledger: Ledger) -> None:
        ledger.append(entry("staging"))

        assert ledger.entries("prod") == ()

    def test_keeps_environments_apart_whose_names_begin_alike(self, ledger: Ledger) -> None:
        ledger.append(entry("prod"))
        ledger.append(entry("prod-eu"))

        assert ledger.entries("prod") == (entry("prod"),)

    def test_entry_that_was_written_last_comes_first_whatever_the_clocks_said(self, ledger: Ledger) -> None:
        moments = [NOON, NOON - timedelta(minutes=5), NOON + timedelta(days=40), NOON + timedelta(microseconds=1)]
        for at in moments:
            ledger.append(entry(at=at))

        assert moments[::-1] == [each.at for each in ledger.entries("staging")]

    def test_entries_are_numbered_in_each_environment(self, ledger: Ledger) -> None:
        numbers = [ledger.append(entry(environment)).number for environment in ("staging", "prod", "staging")]

        assert numbers == [1, 1, 2]
        assert [each.number for each in ledger.entries("staging")] == [2, 1]

    def test_time_of_another_zone_is_the_same_time(self, ledger: Ledger) -> None:
        written = entry(at=NOON.astimezone(timezone(timedelta(hours=-5))))

        ledger.append(written)

        assert ledger.entries("staging") == (written,)

    def test_gives_no_more_than_asked_for(self, ledger: Ledger) -> None:
        for second in range(5):
            ledger.append(entry(at=NOON + timedelta(seconds=second)))

        assert [each.at.second for each in ledger.entries("staging", limit=2)] == [4, 3]

    def test_keeps_entries_of_the_same_moment(self, ledger: Ledger) -> None:
        for event in Event:
            ledger.append(entry(event=event))

        assert [*Event][::-1] == [each.event for each in ledger.entries("staging")]

    def test_no_entry_of_several_writers_is_lost(self, ledger: Ledger) -> None:
        written = [entry(at=NOON + timedelta(seconds=second)) for second in range(WRITERS)]
        with ThreadPoolExecutor(max_workers=WRITERS) as pool:
            numbered = list(pool.map(ledger.append, written))

        assert sorted(each.number for each in numbered) == list(range(1, WRITERS + 1))
        assert set(ledger.entries("staging", limit=2 * WRITERS)) == set(written)

    def test_set_operation_adds_to_the_intent(self, ledger: Ledger) -> None:
        intent = evolve(entry(event=Event.STARTED), operation="")
        before = evolve(intent, at=NOON - timedelta(seconds=1))
        outcome = evolve(entry(at=NOON + timedelta(minutes=4)), operation="6c-7e")
        _, appended = ledger.append(before), ledger.append(intent)

        ledger.set_operation(appended, "6c-7e")
        ledger.append(outcome)

        assert ledger.entries("staging") == (outcome, evolve(intent, operation="6c-7e"), before)

    def test_limit_counts_entries_and_not_items(self, ledger: Ledger) -> None:
        moments = [NOON + timedelta(minutes=each) for each in range(4)]
        intents = [evolve(entry(event=Event.STARTED, at=at), operation="") for at in moments]
        for intent in intents:
            ledger.set_operation(ledger.append(intent), "6c7e")

        assert [each.at for each in ledger.entries("staging", limit=3)] == moments[:0:-1]

    def test_entries_since_a_time_are_returned_newest_first(self, ledger: Ledger) -> None:
        for minute in range(30):
            ledger.append(entry(at=NOON + timedelta(minutes=minute)))
        ledger.append(entry("prod"))

        found = ledger.entries_since("staging", NOON + timedelta(minutes=5))

        assert [each.at.minute for each in found] == [*range(29, 4, -1)]
        assert ledger.entries_since("staging", NOON + timedelta(days=1)) == ()
        assert ledger.entries_since("mark", NOON) == ()

    def test_entry_of_a_slow_clock_does_not_end_the_span(self, ledger: Ledger) -> None:
        for minute in (0, 10, 5, 11):
            ledger.append(entry(at=NOON + timedelta(minutes=minute)))

        found = ledger.entries_since("staging", NOON + timedelta(minutes=6))

        assert [each.at.minute for each in found] == [11, 10]

    def test_span_may_begin_in_another_zone(self, ledger: Ledger) -> None:
        ledger.append(entry())

        assert ledger.entries_since("staging", NOON.astimezone(timezone(timedelta(hours=9)))) == (entry(),)

    def test_intents_of_the_span_have_their_operations(self, ledger: Ledger) -> None:
        intents = [evolve(entry(event=Event.STARTED, at=NOON + timedelta(days=day)), operation="") for day in range(3)]
        for intent in intents:
            ledger.set_operation(ledger.append(intent), f"6c7e-{intent.at:%d}")

        found = ledger.entries_since("staging", NOON + timedelta(days=1))

        assert [each.operation for each in found] == ["6c7e-22", "6c7e-21"]

    def test_entries_of_one_write_have_consecutive_numbers(self, ledger: Ledger) -> None:
        ledger.append(entry(event=Event.STARTED))

        written = ledger.append_all([entry(event=Event.DEPLOYED), entry(event=Event.VERIFIED)])

        assert [(each.event, each.number) for each in written] == [(Event.DEPLOYED, 2), (Event.VERIFIED, 3)]
        assert [(each.event, each.number) for each in ledger.entries("staging", limit=2)] == [
            (Event.VERIFIED, 3),
            (Event.DEPLOYED, 2),
        ]

    def test_writes_of_several_entries_are_not_mixed(self, ledger: Ledger) -> None:
        pairs = [[entry(at=NOON + timedelta(hours=hour, minutes=minute)) for minute in (0, 1)] for hour in range(4)]
        with ThreadPoolExecutor(max_workers=len(pairs)) as pool:
            written = list(pool.map(ledger.append_all, pairs))

        assert sorted(each.number for pair in written for each in pair) == list(range(1, 2 * len(pairs) + 1))
        assert all(later.number == earlier.number + 1 for earlier, later in written)

    def test_newest_entries_of_many_environments_are_those_of_each(self, ledger: Ledger) -> None:
        names = ["staging", "prod", "mark"]
        for second in range(3):
            for name in names:
                ledger.append(entry(name, at=NOON + timedelta(seconds=second)))
        intent = ledger.append(evolve(entry("mark", event=Event.STARTED), operation=""))
        ledger.set_operation(intent, "6c-7e")

        found = ledger.recent_entries([*names, "prod"], limit=2)

        assert found == {name: ledger.entries(name, limit=2) for name in names}
        assert found["mark"][0].operation == "6c-7e"

    def test_newest_entries_are_those_after_every_write(self, ledger: Ledger) -> None:
        for number in range(1, 4):
            intent = ledger.append(evolve(entry(event=Event.STARTED), operation=""))
            assert ledger.recent_entries(["staging"])["staging"][0].number == 2 * number - 1
            ledger.set_operation(intent, f"{number}")
            assert ledger.recent_entries(["staging"])["staging"][0].operation == f"{number}"
            ledger.append(entry())
            assert len(ledger.recent_entries(["staging"])["staging"]) == 2 * number

    def test_newest_entries_of_no_environment_are_none(self, ledger: Ledger) -> None:
        assert ledger.recent_entries([]) == {}
