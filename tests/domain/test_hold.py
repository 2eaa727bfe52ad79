"""What a hold says of itself, and when one ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from kaizen_tasks.domain import hold as holds
from kaizen_tasks.errors import UsageError
from tests.contracts.holds import hold
from tests.fakes.clock import START


@pytest.mark.parametrize(("late", "ended"), [(-1, False), (0, True), (1, True)])
def test_ends_at_its_end(late: int, ended: bool) -> None:
    until = START + timedelta(hours=1)

    assert evolve(hold(), until=until).is_expired(until + timedelta(microseconds=late)) is ended


def test_lasts_when_it_has_no_end() -> None:
    assert not evolve(hold(), until=None).is_expired(START + timedelta(days=4000))


def test_says_who_and_how_long_and_why() -> None:
    assert str(evolve(hold(), reason="a hotfix")) == (
        "held by ada@workshop since 2026-11-20 12:00 UTC until 2026-11-27 12:00 UTC: a hotfix"
    )
    assert str(evolve(hold(), reason="a hotfix", until=None)) == (
        "held by ada@workshop since 2026-11-20 12:00 UTC: a hotfix"
    )


def test_may_have_no_end() -> None:
    assert holds.parse_hold_until("", START) is None


@pytest.mark.parametrize(("length", "hours"), [("7d", 168), ("12h", 12), ("1d12h", 36)])
def test_ends_after_a_while(length: str, hours: int) -> None:
    assert holds.parse_hold_until(length, START) == START + timedelta(hours=hours)


@pytest.mark.parametrize("length", ["soon", "7", "-7d", "0s", "999999999d", "9" * 400 + "d"])
def test_refuses_an_end_that_is_none(length: str) -> None:
    with pytest.raises(UsageError, match=f"--until {length}"):
        holds.parse_hold_until(length, START)
