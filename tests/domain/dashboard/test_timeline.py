"""The bars of a timeline."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from kaizen_tasks.domain.dashboard.timeline import Lane, make_bars
from kaizen_tasks.domain.ledger import UNKNOWN_TIME
from tests.domain.test_deployments import START, ledger


def seconds(bars_text: str) -> list[str]:
    """Return each bar of a ledger as text, newest first: release, outcome, beginning and end in seconds."""
    bars = make_bars(ledger(bars_text), since=START)
    return [
        f"{bar.version} {bar.outcome} {(bar.start - START).total_seconds():.0f}-"
        f"{'' if bar.end is None else f'{(bar.end - START).total_seconds():.0f}'}"
        for bar in bars
    ]


@pytest.mark.parametrize(
    ("entries", "bars"),
    [
        ("", []),
        ("started:v1", ["v1 started 0-"]),
        ("started:v1 deployed:v1", ["v1 deployed 0-"]),
        ("started:v1 deployed:v1 verified:v1", ["v1 verified 0-"]),
        ("started:v1 failed:v1", ["v1 failed 0-10"]),
        ("started:v1 abandoned:v1", ["v1 abandoned 0-10"]),
        ("started:v1 verified:v1 started:v2 verified:v2", ["v2 verified 20-", "v1 verified 0-20"]),
        ("started:v1 verified:v1 started:v2 failed:v2", ["v2 failed 20-30", "v1 verified 0-"]),
        (
            "started:v1 verified:v1 started:v2 verified:v2 rollback:v1 started:v1 verified:v1",
            ["v1 verified 40-", "v2 rolled back 20-40", "v1 verified 0-20"],
        ),
        (
            "started:v1 verified:v1 started:v2 deployed:v2 failed:v2 rollback:v1 started:v1 verified:v1",
            ["v2 failed 20-40", "v1 verified 0-"],
        ),
        (
            "started:v1 verified:v1 started:v2 rollback:v1 abandoned:v2 started:v1 verified:v1",
            ["v2 abandoned 20-40", "v1 verified 0-"],
        ),
        ("started:v1 verified:v1 configured:v1+a started:v1+a verified:v1+a", ["v1 verified 0-"]),
        ("started:v1 verified:v1 configured:v1+a started:v1+a failed:v1+a", ["v1 failed 20-40", "v1 verified 0-"]),
        ("started:v1 started:v2 verified:v2", ["v2 verified 10-", "v1 started 0-10"]),
        ("withdrawn:v3 command-started:v4 command-failed:v4 migrating:v1 ran:v1 unknown:v1 configured:v1", []),
        ("started:v1 verified:v1 rollback:v0", ["v1 verified 0-"]),
        ("verified:v1 verified:v1", ["v1 verified 0-"]),
    ],
)
def test_entries_become_one_bar_for_each_release_that_served_or_failed(entries: str, bars: list[str]) -> None:
    assert seconds(entries) == bars


def test_a_release_that_was_rolled_back_says_by_whom_and_why() -> None:
    _, rolled_back, _ = make_bars(
        ledger("started:v1 verified:v1 started:v2 verified:v2 rollback:v1 started:v1 verified:v1"), since=START
    )

    assert rolled_back.undone == "back to v1 by ada: rollback v1"
    assert (rolled_back.seconds, rolled_back.actor) == (10, "ada")


def test_a_failed_release_says_why_it_failed_and_what_came_back() -> None:
    failed, _ = make_bars(
        ledger("started:v1 verified:v1 started:v2 deployed:v2 failed:v2 rollback:v1 started:v1 verified:v1"),
        since=START,
    )

    assert (failed.reason, failed.undone) == ("failed v2", "back to v1 by ada: rollback v1")


def test_only_bars_that_reach_into_the_span_are_returned() -> None:
    entries = ledger("started:v1 verified:v1 started:v2 verified:v2 started:v3 verified:v3")

    bars = make_bars(entries, since=START + timedelta(seconds=30))

    assert [bar.version for bar in bars] == ["v3", "v2"]


def test_an_end_is_never_before_its_beginning_whatever_the_clocks_of_machines_say() -> None:
    second, first = make_bars(
        [
            evolve(entry, at=START - timedelta(hours=1)) if entry.version == "v2" else entry
            for entry in ledger("started:v1 verified:v1 started:v2 failed:v2 started:v3 verified:v3")
            if entry.version != "v3"
        ],
        since=START - timedelta(days=1),
    )

    assert second.end == second.start
    assert first.end is None


def test_deployments_without_a_known_time_are_left_out() -> None:
    entries = [evolve(entry, at=UNKNOWN_TIME) for entry in ledger("started:v1 verified:v1")]

    assert make_bars(entries, since=START) == ()


def test_lane_names_what_serves() -> None:
    bars = make_bars(ledger("started:v1 verified:v1 started:v2 failed:v2"), since=START)

    serving = Lane(environment="staging", bars=bars).serving

    assert serving is not None
    assert serving.version == "v1"
    assert Lane(environment="staging").serving is None
