"""What holds for the metrics of every history."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.ledger import Event, LedgerEntry, serving_entry
from kaizen_tasks.domain.metrics.changes import read_changes
from kaizen_tasks.domain.metrics.series import by_week
from kaizen_tasks.domain.metrics.summary import Metrics, measure
from tests.domain.metrics.ledgers import BEGIN, commit, ledger

RELEASES = tuple(f"v1.0.{number}" for number in range(5))

lines = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from([event for event in Event if event is not Event.UNKNOWN]),
        st.sampled_from(RELEASES),
        st.sampled_from(["", "", "", "+conf"]),
    ).map(lambda item: f"{item[0]}-12:00 {item[1]} {item[2]}{item[3]}"),
    max_size=40,
)


def measured(entries: tuple[LedgerEntry, ...]) -> Metrics:
    record = read_changes("prod", entries, hotfixes={commit(RELEASES[-1])})
    return measure("prod", [record], (), since=BEGIN + timedelta(days=10), until=BEGIN + timedelta(days=41))


@given(lines)
def test_parts_are_no_larger_than_the_whole(written: list[str]) -> None:
    found = measured(ledger(*written))

    assert found.begin is None or found.begin >= BEGIN + timedelta(days=10)
    assert (found.failed or 0) <= (found.changes or 0) <= len(RELEASES)
    assert (found.deployments or 0) <= len(RELEASES)
    assert found.restore.count + len(found.open_incidents) == len(found.incidents)
    assert len(found.open_incidents) <= 1
    assert found.restore.median_seconds is None or found.restore.median_seconds >= 0


@given(lines)
def test_weeks_add_up_to_the_span(written: list[str]) -> None:
    found = measured(ledger(*written))
    weeks = by_week(found)

    assert sum(week.deployments for week in weeks) == (found.deployments or 0)
    assert sum(week.changes for week in weeks) == (found.changes or 0)
    assert sum(week.failed for week in weeks) == (found.failed or 0)
    assert sum(week.restore.count for week in weeks) == found.restore.count


@given(lines)
def test_verifying_what_serves_again_counts_as_nothing(written: list[str]) -> None:
    """As a run does that finds everything already done."""
    entries = ledger(*written)
    serving = serving_entry(entries)
    if serving is None or measured(entries).open_incidents or serving.event is not Event.VERIFIED:
        return

    again = (evolve(serving, number=len(entries) + 1), *entries)

    assert (measured(again).deployments, measured(again).changes) == (
        measured(entries).deployments,
        measured(entries).changes,
    )


@given(lines, st.data())
def test_configurations_commands_and_migrations_count_as_nothing(written: list[str], data: st.DataObject) -> None:
    """Wherever a working environment is configured, or a command runs in it."""
    entries = ledger(*written)
    serving = serving_entry(entries)
    if serving is None:
        return
    event = data.draw(st.sampled_from([Event.RAN, Event.COMMAND_STARTED, Event.COMMAND_FAILED, Event.MIGRATING]))
    other = evolve(serving, event=event, command="migrate", number=len(entries) + 1)

    assert measured((other, *entries)).releases == measured(entries).releases
    assert measured((other, *entries)).incidents == measured(entries).incidents
