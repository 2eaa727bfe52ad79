"""Many leases are renewed in few requests, and none depends on the fate of another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from kaizen_tasks.flows.locking.lease import DualTimestamp, HeldLock, LeaseRenewer
from tests.contracts.locks import wanted
from tests.fakes.clock import START
from tests.fakes.tools import FakeTools

pytestmark = pytest.mark.unit

LEASE = 60.0


@pytest.fixture
def tools() -> FakeTools:
    return FakeTools()


def renewer_of(tools: FakeTools, names: Iterable[str]) -> LeaseRenewer:
    """Return what renews the locks of environments, which are acquired half a lease before."""
    now = DualTimestamp.of(tools.clock)
    locks = [tools.locks.acquire(wanted(environment=name)) for name in names]
    held_locks = {lock.environment: HeldLock(lock=lock, renewed_at=now, read_at=now) for lock in locks}
    tools.locks.calls.clear()
    tools.clock.advance(LEASE / 2)
    return LeaseRenewer(tools=tools, lease=LEASE, held_locks=held_locks)


def ages(renewer: LeaseRenewer) -> dict[str, float]:
    """Return the seconds since the last renewal of each lock."""
    clock = renewer.tools.clock
    return {name: held_lock.renewed_at.age(clock) for name, held_lock in renewer.held_locks.items()}


def test_a_single_lock_is_renewed_alone(tools: FakeTools) -> None:
    assert renewer_of(tools, ["staging"]).renew_all()
    assert tools.locks.calls == [("renew", "staging")]


def test_hundreds_of_locks_are_renewed_in_a_few_requests(tools: FakeTools) -> None:
    names = [f"tenant{number:03}" for number in range(250)]
    renewer = renewer_of(tools, names)
    assert renewer.renew_all()

    batches = [" ".join(names[first : first + 25]) for first in range(0, 250, 25)]
    assert sorted(tools.locks.calls) == [("renew_together", batch) for batch in batches]
    assert ages(renewer) == dict.fromkeys(names, 0)
    expiries = {lock.expires for lock in tools.locks.held_locks.values()}
    assert expiries == {START + timedelta(seconds=LEASE / 2 + LEASE)}


def test_a_lost_lock_does_not_cost_the_others_their_lease(tools: FakeTools) -> None:
    renewer = renewer_of(tools, ["dom", "mark", "prod"])
    tools.locks.release(renewer.held_locks["mark"].lock)
    tools.locks.calls.clear()
    assert renewer.renew_all()
    assert renewer.renew_all()

    alone = [("renew", name) for name in ("dom", "mark", "prod")]
    assert (tools.locks.calls[0], sorted(tools.locks.calls[1:4])) == (("renew_together", "dom mark prod"), alone)
    assert tools.locks.calls[4:] == [("renew_together", "dom prod")]
    assert [name for name, held_lock in renewer.held_locks.items() if held_lock.is_lost] == ["mark"]
    assert (ages(renewer)["dom"], ages(renewer)["prod"]) == (0, 0)


def test_locks_are_renewed_one_by_one_when_that_fails_together(tools: FakeTools) -> None:
    tools.locks.unreachable_calls.add("renew_together")
    renewer = renewer_of(tools, ["dom", "mark"])
    assert renewer.renew_all()
    assert sorted(tools.locks.calls[1:]) == [("renew", "dom"), ("renew", "mark")]
    assert ages(renewer) == {"dom": 0, "mark": 0}


def test_nothing_counts_as_renewed_while_nobody_answers(tools: FakeTools) -> None:
    tools.locks.unreachable_calls |= {"renew_together", "renew"}
    renewer = renewer_of(tools, ["dom", "mark"])
    assert not renewer.renew_all()
    assert ages(renewer) == {"dom": LEASE / 2, "mark": LEASE / 2}
    assert {held_lock.renewal_error for held_lock in renewer.held_locks.values()} == {
        "cannot renew the lock of dom: nobody answers",
        "cannot renew the lock of mark: nobody answers",
    }
