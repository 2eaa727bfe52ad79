"""The metrics as texts, and their charts."""

from __future__ import annotations

from datetime import timedelta

from kaizen_tasks.adapters.page.numbers import HEIGHT, describe
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.metrics.changes import read_changes
from kaizen_tasks.domain.metrics.summary import Metrics, measure
from tests.adapters.page.boards import NOW, SINCE, entry, released


def staging(*, is_broken: bool) -> Metrics:
    """Return the metrics of three releases: two in one week, the second of which was rolled back, and a third.

    Args:
        is_broken: whether the third one has failed its verification since.
    """
    first, second = NOW - timedelta(days=39), NOW - timedelta(days=38)
    entries = [
        *released("staging", "v1", first),
        *released("staging", "v2", second),
        entry("staging", Event.ROLLBACK, "v1", second + timedelta(hours=1)),
        *released("staging", "v1", second + timedelta(hours=1)),
        *released("staging", "v3", NOW - timedelta(days=1)),
    ]
    if is_broken:
        entries.append(entry("staging", Event.FAILED, "v3", NOW - timedelta(hours=1)))
    record = read_changes("staging", entries[::-1])
    return measure("staging", [record], [], since=SINCE, until=NOW)


def test_each_number_says_what_it_is_of() -> None:
    numbers = describe(staging(is_broken=False))

    assert numbers.values == (
        ("3", "0.5 a week"),
        ("unknown", ""),
        ("33%", "1 of 3 releases"),
        ("1h", "1 incident"),
    )


def test_an_incident_that_goes_on_is_said() -> None:
    numbers = describe(staging(is_broken=True))

    assert numbers.values[2:] == (("67%", "2 of 3 releases"), ("1h", "1 incident; 1 incident goes on"))


def test_nothing_is_known_of_what_nothing_was_recorded_of() -> None:
    numbers = describe(measure("prod", [read_changes("prod", [])], [], since=SINCE, until=NOW))

    assert numbers.values == (
        ("unknown", "nothing was recorded yet"),
        ("unknown", ""),
        ("unknown", ""),
        ("unknown", ""),
    )
    assert numbers.weeks == ()


def test_weeks_are_bars_of_what_worked_below_what_failed() -> None:
    weeks = describe(staging(is_broken=False)).weeks

    assert [(week.worked, week.failed) for week in weeks if (week.worked, week.failed) != ("0", "0")] == [
        ("16", "16"),
        ("16", "0"),
    ]
    assert weeks[0].top == f"{HEIGHT / 2:.3g}"
    assert weeks[0].failed_top == "0"


def test_chart_is_told_in_words() -> None:
    assert describe(staging(is_broken=False)).summary.startswith(
        "Releases by week, the last one now: 2 with 1 failed, 0, "
    )
