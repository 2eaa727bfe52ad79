"""What every Locks does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.ports.state import MAX_WRITTEN_TOGETHER
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from kaizen_tasks.ports.state import Locks

NOON = datetime(2026, 11, 20, 12, microsecond=123456, tzinfo=UTC)
LEASE = timedelta(seconds=60)
RACERS = 20


def wanted(token: str = "a1", environment: str = "staging", *, at: datetime = NOON) -> Lock:
    """Return a lock with a value in every attribute."""
    return Lock(
        environment=environment,
        token=token,
        actor=f"{token}@workshop",
        command="promote-prod",
        reason="because, she said: ünïcödé",
        since=at,
        expires=at + LEASE,
        process=f"boot/1/1000/{token}/7",
    )


def by_hand(token: str = "a1") -> Lock:
    """Return a manual lock."""
    return evolve(wanted(token), expires=None, command="", reason="", process="")


class LocksContract:
    """Subclasses provide the fixture `locks`, without locks and inherited tokens."""

    def test_lock_is_free_at_first(self, locks: Locks) -> None:
        locks.acquire(wanted(environment="prod"))

        assert locks.get("staging") is None

    def test_free_lock_is_acquired(self, locks: Locks) -> None:
        taken = locks.acquire(wanted())

        assert taken == evolve(wanted(), fence=1)
        assert locks.get("staging") == taken

    def test_run_of_a_lock_is_returned(self, locks: Locks) -> None:
        taken = locks.acquire(evolve(wanted(), run_url="https://ci.example/7"))

        assert locks.get("staging") == taken == evolve(wanted(), fence=1, run_url="https://ci.example/7")

    def test_get_many_returns_several_environments(self, locks: Locks) -> None:
        names = [f"tenant{number}" for number in range(230)]
        taken = {name: locks.acquire(wanted(environment=name)) for name in (names[0], names[120], names[229])}

        assert locks.get_many(names) == taken
        assert locks.get_many(()) == {}

    def test_keeps_environments_apart_whose_names_begin_alike(self, locks: Locks) -> None:
        locks.acquire(wanted("a1", "prod"))

        assert locks.acquire(wanted("b2", "prod-eu")).token == "b2"

    @pytest.mark.parametrize("at", [NOON, NOON + 99 * LEASE], ids=["at the same time", "by a clock that is ahead"])
    def test_acquire_returns_the_lock_of_another_owner(self, locks: Locks, at: datetime) -> None:
        first = locks.acquire(wanted("a1"))

        assert locks.acquire(wanted("b2", at=at)) == first
        assert locks.get("staging") == first

    def test_lost_response_acquires_the_lock_once(self, locks: Locks) -> None:
        first = locks.acquire(wanted("a1"))

        assert locks.acquire(wanted("a1")) == first

    def test_lock_of_a_dead_run_is_replaced(self, locks: Locks) -> None:
        dead = locks.acquire(wanted("a1"))

        taken = locks.acquire(wanted("b2"), replacing=dead)

        assert taken == evolve(wanted("b2"), fence=2)
        assert locks.get("staging") == taken

    def test_lock_with_a_new_owner_is_not_replaced(self, locks: Locks) -> None:
        dead = locks.acquire(wanted("a1"))
        other = locks.acquire(wanted("b2"), replacing=dead)

        assert locks.acquire(wanted("c3"), replacing=dead) == other
        assert locks.get("staging") == other

    def test_lock_of_a_dead_run_that_is_free_is_acquired(self, locks: Locks) -> None:
        gone = locks.acquire(wanted("a1"))
        locks.release(gone)

        assert locks.acquire(wanted("b2"), replacing=gone) == evolve(wanted("b2"), fence=2)

    def test_free_locks_are_acquired_together(self, locks: Locks) -> None:
        locks.release(locks.acquire(wanted("a1", "tenant1")))
        requested = [wanted("b2", f"tenant{number}") for number in range(MAX_WRITTEN_TOGETHER)]

        taken = locks.acquire_together(requested)

        fences = {"tenant1": 2}
        assert taken == {lock.environment: evolve(lock, fence=fences.get(lock.environment, 1)) for lock in requested}
        assert locks.get_many(lock.environment for lock in requested) == taken

    def test_locks_of_which_one_is_another_owners_are_not_acquired_together(self, locks: Locks) -> None:
        other = locks.acquire(wanted("a1", "prod"))

        assert locks.acquire_together([wanted("b2", name) for name in ("mark", "prod", "staging")]) == {"prod": other}
        assert locks.get_many(["mark", "prod", "staging"]) == {"prod": other}

    def test_renewal_counts_a_heartbeat(self, locks: Locks) -> None:
        first = locks.acquire(wanted("a1"))

        assert locks.renew(first, expires=NOON + 2 * LEASE)
        assert locks.renew(first, expires=NOON + 3 * LEASE)
        assert locks.get("staging") == evolve(first, expires=NOON + 3 * LEASE, heartbeat=2)

    def test_many_locks_are_renewed_together(self, locks: Locks) -> None:
        taken = [locks.acquire(wanted(environment=f"tenant{number}")) for number in range(MAX_WRITTEN_TOGETHER)]

        assert locks.renew_together(taken, expires=NOON + 2 * LEASE)
        renewed = locks.get_many(lock.environment for lock in taken)
        assert renewed == {lock.environment: evolve(lock, expires=NOON + 2 * LEASE, heartbeat=1) for lock in taken}

    @pytest.mark.parametrize("is_free", [True, False], ids=["a free one", "another owner's"])
    def test_locks_of_which_one_is_lost_are_not_written_together(self, locks: Locks, *, is_free: bool) -> None:
        ours = [locks.acquire(wanted(environment=name)) for name in ("mark", "prod", "staging")]
        if is_free:
            locks.release(ours[1])
        else:
            locks.acquire(wanted("b2", "prod"), replacing=ours[1])
        before = locks.get_many(lock.environment for lock in ours)

        assert not locks.renew_together(ours, expires=NOON + 2 * LEASE)
        assert not locks.release_together(ours)
        assert locks.get_many(lock.environment for lock in ours) == before

    @pytest.mark.parametrize("renewals", [0, 1], ids=["first heartbeat", "second heartbeat"])
    def test_lock_that_was_renewed_since_is_not_replaced(self, locks: Locks, renewals: int) -> None:
        first = locks.acquire(wanted("a1"))
        for _ in range(renewals):
            locks.renew(first, expires=first.expires or NOON)
        seen = locks.get("staging")
        locks.renew(first, expires=first.expires or NOON)

        assert locks.acquire(wanted("b2"), replacing=seen) == evolve(first, heartbeat=renewals + 1)
        assert locks.get("staging") == evolve(first, heartbeat=renewals + 1)

    def test_heartbeats_are_counted_anew_after_a_takeover(self, locks: Locks) -> None:
        locks.renew(locks.acquire(wanted("a1")), expires=NOON + 2 * LEASE)

        taken = locks.acquire(wanted("b2"), replacing=locks.get("staging"))

        assert taken == evolve(wanted("b2"), fence=2)
        assert locks.get("staging") == taken

    def test_manual_lock_has_no_end(self, locks: Locks) -> None:
        by_a_person = locks.acquire(by_hand("a1"))

        assert by_a_person.is_manual
        assert locks.acquire(wanted("b2", at=NOON + timedelta(days=400))) == by_a_person

    def test_manual_lock_replaces_the_lock_of_a_dead_run(self, locks: Locks) -> None:
        dead = locks.acquire(wanted("a1"))

        assert locks.acquire(by_hand("b2"), replacing=dead) == evolve(by_hand("b2"), fence=2)
        assert locks.get("staging") == evolve(by_hand("b2"), fence=2)

    def test_released_lock_is_free(self, locks: Locks) -> None:
        first = locks.acquire(wanted("a1"))

        assert locks.release(first)
        assert locks.get("staging") is None

    def test_many_locks_are_released_together(self, locks: Locks) -> None:
        taken = [locks.acquire(wanted(environment=f"tenant{number}")) for number in range(MAX_WRITTEN_TOGETHER)]

        assert locks.release_together(taken)
        assert locks.get_many(lock.environment for lock in taken) == {}

    def test_fence_grows_after_a_release(self, locks: Locks) -> None:
        fences = []
        for token in ("a1", "b2", "c3"):
            taken = locks.acquire(wanted(token))
            fences.append(taken.fence)
            locks.release(taken)

        assert fences == [1, 2, 3]

    def test_free_lock_cannot_be_released_or_renewed(self, locks: Locks) -> None:
        first = locks.acquire(wanted())
        locks.release(first)

        assert not locks.release(first)
        assert not locks.renew(first, expires=NOON + 2 * LEASE)
        assert locks.get("staging") is None

    def test_unknown_lock_cannot_be_released_or_renewed(self, locks: Locks) -> None:
        assert not locks.release(wanted())
        assert not locks.renew(wanted(), expires=NOON + LEASE)
        assert locks.acquire(wanted()).fence == 1

    def test_stale_owner_cannot_release_or_renew(self, locks: Locks) -> None:
        stale = locks.acquire(wanted("a1"))
        owner = locks.acquire(wanted("b2"), replacing=stale)

        assert not locks.renew(stale, expires=NOON + 9 * LEASE)
        assert not locks.release(stale)
        assert locks.get("staging") == owner

    def test_one_of_many_acquires_a_free_lock(self, locks: Locks) -> None:
        winners = _race(locks)

        assert len(winners) == 1
        assert locks.get("staging") == evolve(wanted(winners[0]), fence=1)

    def test_one_of_many_replaces_the_lock_of_a_dead_run(self, locks: Locks) -> None:
        dead = locks.acquire(wanted())

        winners = _race(locks, over=dead)

        assert len(winners) == 1
        assert locks.get("staging") == evolve(wanted(winners[0]), fence=2)

    def test_no_tokens_are_inherited_at_first(self, locks: Locks) -> None:
        assert locks.inherited_tokens() == {}

    def test_export_replaces_earlier_tokens(self, locks: Locks) -> None:
        locks.export_tokens({"staging": "a1"})
        locks.export_tokens({"prod": "b2", "prod-eu": "c3"})

        assert locks.inherited_tokens() == {"prod": "b2", "prod-eu": "c3"}

    def test_export_of_no_tokens_removes_the_variable(self, locks: Locks) -> None:
        locks.export_tokens({"staging": "a1"})
        locks.export_tokens({})

        assert locks.inherited_tokens() == {}


def _race(locks: Locks, *, over: Lock | None = None) -> list[str]:
    """Acquire one lock from many threads at once, and return the tokens of those that got it."""
    start = threading.Barrier(RACERS)

    def run(token: str) -> bool:
        start.wait(timeout=HANG_SECONDS)
        return locks.acquire(wanted(token), replacing=over).token == token

    racers = [f"racer{number}" for number in range(RACERS)]
    with ThreadPoolExecutor(max_workers=RACERS) as pool:
        return [racer for racer, won in zip(racers, pool.map(run, racers), strict=True) if won]
