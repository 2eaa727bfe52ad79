"""Locks, and the format of their tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain import lock as locks
from tests.contracts.locks import LEASE, NOON, by_hand, wanted

NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)
TOKENS = st.text("0123456789abcdef", min_size=1)


@pytest.mark.parametrize(("late", "expired"), [(-1, False), (0, True), (1, True)])
def test_lock_expires_at_the_end_of_its_lease(late: int, expired: bool) -> None:
    assert wanted().seems_expired(NOON + LEASE + timedelta(microseconds=late)) is expired


def test_manual_lock_never_expires() -> None:
    assert by_hand().is_manual
    assert not wanted().is_manual
    assert not by_hand().seems_expired(NOON + timedelta(days=4000))


def test_lock_is_the_same_after_a_renewal() -> None:
    lock = evolve(wanted(), fence=3)

    assert lock.is_same_as(evolve(lock, expires=NOON + 2 * LEASE))


@pytest.mark.parametrize("change", [{"token": "b2"}, {"fence": 4}, {"heartbeat": 8}, {"expires": NOON}])
def test_lock_has_changed_after_an_acquisition_or_a_renewal(change: dict[str, Any]) -> None:
    lock = evolve(wanted(), fence=3, heartbeat=7)

    assert evolve(lock, command="read again").is_unchanged_since(lock)
    assert not evolve(lock, **change).is_unchanged_since(lock)


def test_lock_is_another_one_after_another_acquisition() -> None:
    lock = evolve(wanted(), fence=3)

    assert not lock.is_same_as(None)
    assert not lock.is_same_as(evolve(lock, token="b2"))
    assert not lock.is_same_as(evolve(lock, fence=5))


def test_lock_in_words_has_owner_time_and_reason() -> None:
    assert str(wanted()) == (
        "locked by a1@workshop since 2026-11-20 12:00 UTC (promote-prod: because, she said: ünïcödé)"
    )


def test_lock_in_words_without_details() -> None:
    assert str(by_hand()) == "locked by hand by a1@workshop since 2026-11-20 12:00 UTC"


def test_lock_token_is_not_in_its_text() -> None:
    lock = wanted("5ec2e7")

    assert "token" not in repr(lock)
    assert "5ec2e7" not in str(evolve(lock, actor="ada"))


@given(st.dictionaries(NAMES, TOKENS))
def test_lock_tokens_are_parsed_back(tokens: dict[str, str]) -> None:
    assert locks.parse_lock_tokens(locks.format_lock_tokens(tokens)) == tokens


@pytest.mark.parametrize("text", ["", "   ", "staging", "=a1", "staging=", "="])
def test_malformed_lock_tokens_are_ignored(text: str) -> None:
    assert locks.parse_lock_tokens(text) == {}


def test_lock_in_words_leads_to_its_run() -> None:
    assert str(evolve(wanted(), run_url="https://ci.example/7")).endswith("ünïcödé), https://ci.example/7")
