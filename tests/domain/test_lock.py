"""What a lock says of itself, and how tokens are passed on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain import lock as locks
from tests.contracts.locks import LEASE, NOON, by_hand, wanted

NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)
TOKENS = st.text("0123456789abcdef", min_size=1)


@pytest.mark.parametrize(("late", "expired"), [(-1, False), (0, True), (1, True)])
def test_expires_at_the_end_of_its_lease(late: int, expired: bool) -> None:
    assert wanted().is_expired(NOON + LEASE + timedelta(microseconds=late)) is expired


def test_never_expires_when_a_person_has_taken_it() -> None:
    assert by_hand().is_manual
    assert not wanted().is_manual
    assert not by_hand().is_expired(NOON + timedelta(days=4000))


def test_is_the_same_after_a_renewal() -> None:
    lock = evolve(wanted(), fence=3)

    assert lock.is_same_as(evolve(lock, expires=NOON + 2 * LEASE))


def test_is_not_the_same_once_somebody_else_had_it() -> None:
    lock = evolve(wanted(), fence=3)

    assert not lock.is_same_as(None)
    assert not lock.is_same_as(evolve(lock, token="b2"))
    assert not lock.is_same_as(evolve(lock, fence=5))


def test_says_whose_it_is_and_why() -> None:
    assert str(wanted()) == (
        "locked by a1@workshop since 2026-11-20 12:00 UTC (promote-prod: because, she said: ünïcödé)"
    )


def test_says_no_more_than_it_knows() -> None:
    assert str(by_hand()) == "locked by hand by a1@workshop since 2026-11-20 12:00 UTC"


def test_keeps_its_token_out_of_what_people_read() -> None:
    lock = wanted("5ec2e7")

    assert "token" not in repr(lock)
    assert "5ec2e7" not in str(evolve(lock, actor="ada"))


@given(st.dictionaries(NAMES, TOKENS))
def test_reads_the_tokens_that_were_written(tokens: dict[str, str]) -> None:
    assert locks.parse_lock_tokens(locks.format_lock_tokens(tokens)) == tokens


@pytest.mark.parametrize("text", ["", "   ", "staging", "=a1", "staging=", "="])
def test_takes_nothing_but_pairs_for_a_proof(text: str) -> None:
    assert locks.parse_lock_tokens(text) == {}
