"""Holds and their lengths."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from kaizen_tasks.domain import hold as holds
from kaizen_tasks.errors import UsageError
from tests.contracts.holds import hold
from tests.fakes.clock import START


@pytest.mark.parametrize(("late", "ended"), [(-1, False), (0, True), (1, True)])
def test_hold_expires_at_its_end(late: int, ended: bool) -> None:
    until = START + timedelta(hours=1)

    assert evolve(hold(), until=until).is_expired(until + timedelta(microseconds=late)) is ended


def test_hold_without_an_end_never_expires() -> None:
    assert not evolve(hold(), until=None).is_expired(START + timedelta(days=4000))


def test_hold_in_words_has_actor_time_and_reason() -> None:
    assert str(evolve(hold(), reason="a hotfix")) == (
        "held by ada@workshop since 2026-11-20 12:00 UTC until 2026-11-27 12:00 UTC: a hotfix"
    )
    assert str(evolve(hold(), reason="a hotfix", until=None)) == (
        "held by ada@workshop since 2026-11-20 12:00 UTC: a hotfix"
    )


def test_empty_length_has_no_end() -> None:
    assert holds.parse_hold_until("", START) is None


@pytest.mark.parametrize(("length", "hours"), [("7d", 168), ("12h", 12), ("1d12h", 36)])
def test_length_determines_the_end(length: str, hours: int) -> None:
    assert holds.parse_hold_until(length, START) == START + timedelta(hours=hours)


@pytest.mark.parametrize("length", ["soon", "7", "-7d", "0s", "999999999d", "9" * 400 + "d"])
def test_invalid_length_is_refused(length: str) -> None:
    with pytest.raises(UsageError, match=f"--until {length}"):
        holds.parse_hold_until(length, START)


def test_invalid_length_has_its_advice_once() -> None:
    with pytest.raises(UsageError) as caught:
        holds.parse_hold_until("banana", START)

    assert str(caught.value).splitlines() == [
        "--until banana: not a length of time",
        "give a length of time, such as --until 7d or --until 12h",
    ]


def test_hold_in_words_leads_to_its_run() -> None:
    assert str(evolve(hold(), run_url="https://ci.example/7")).endswith(", https://ci.example/7")
