"""The locks of a run: taken together, kept while it lasts, given back however it ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from attrs import define, evolve, field

from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.cli import command
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.errors import Locked, Unreachable
from kaizen_tasks.flows.locking.guard import LOCK_CACHE_SECONDS
from kaizen_tasks.flows.locking.lease import LEASE_SECONDS
from kaizen_tasks.flows.locking.session import EnvironmentLockStatus, acquire_locks, lock_status, require_no_hold
from tests.contracts.locks import by_hand, wanted
from tests.fakes.clock import START, FakeClock
from tests.fakes.locks import FakeLocks
from tests.fakes.tools import FakeTools

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.domain.lock import Lock
    from kaizen_tasks.flows.locking.guard import LockGuard

WITHIN = 120.0
"""Seconds after which a test that hangs fails."""


@pytest.fixture
def tools() -> FakeTools:
    return FakeTools()


def occupied(tools: FakeTools, environment: str, *, at: float = 0) -> Lock:
    """Let another run take an environment's lock, so many seconds after the start."""
    return tools.locks.acquire(wanted("b2", environment, at=START + timedelta(seconds=at)))


def by_a_person(tools: FakeTools) -> Lock:
    """Let a person lock staging."""
    return tools.locks.acquire(by_hand("b2"))


def until(happened: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + WITHIN
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.002)


def is_stopped(fence: LockGuard) -> bool:
    """Return whether a run may change nothing more."""
    try:
        fence.require_lease()
    except Locked:
        return True
    return False


class TestTaking:
    def test_holds_every_environment_for_as_long_as_the_run_lasts(self, tools: FakeTools) -> None:
        with acquire_locks(["prod", "staging"], tools, command="promote-prod", reason="a hotfix") as fence:
            fence.require_lease()
            standing = dict(tools.locks.held_locks)

        assert tools.locks.held_locks == {}
        assert standing.keys() == {"prod", "staging"}
        lock = standing["prod"]
        assert (lock.actor, lock.command, lock.reason) == ("ada@laptop", "promote-prod", "a hotfix")
        assert (lock.since, lock.expires) == (START, START + timedelta(seconds=LEASE_SECONDS))

    def test_takes_each_once_and_alone_the_one_that_comes_first(self, tools: FakeTools) -> None:
        with acquire_locks(["shane", "dom", "mark", "dom"], tools, command="promote-beta"):
            assert tools.locks.calls[0] == ("acquire", "dom")
            assert sorted(tools.locks.calls) == [("acquire", "dom"), ("acquire", "mark"), ("acquire", "shane")]

    def test_asks_for_nothing_when_there_is_nothing_to_lock(self, tools: FakeTools) -> None:
        with acquire_locks([], tools, command="cut") as fence:
            fence.require_ownership()

        assert tools.locks.calls == []

    def test_says_everything_in_one_line(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="release-staging", reason="two\nlines"):
            assert tools.locks.held_locks["staging"].reason == "two lines"

    def test_never_proves_two_locks_with_one_token(self, tools: FakeTools) -> None:
        with acquire_locks(["prod", "staging"], tools, command="deploy"):
            first = {lock.token for lock in tools.locks.held_locks.values()}
        with acquire_locks(["prod", "staging"], tools, command="deploy"):
            second = {lock.token for lock in tools.locks.held_locks.values()}

        assert len(first | second) == 4

    def test_takes_all_or_none(self, tools: FakeTools) -> None:
        other = occupied(tools, "mark")

        with pytest.raises(Locked), acquire_locks(["shane", "mark", "dom"], tools, command="promote-beta"):
            pytest.fail("it must not begin")

        assert tools.locks.held_locks == {"mark": other}

    def test_takes_nothing_else_when_the_first_is_taken(self, tools: FakeTools) -> None:
        """Of runs that want the same environments, one gets them all."""
        occupied(tools, "dom")

        with pytest.raises(Locked), acquire_locks(["shane", "mark", "dom"], tools, command="promote-beta"):
            pytest.fail("it must not begin")

        assert {environment for _, environment in tools.locks.calls} == {"dom"}

    def test_asks_about_many_at_the_same_time(self, tools: FakeTools) -> None:
        @define
        class Slow(FakeLocks):
            together: threading.Barrier = field(factory=lambda: threading.Barrier(8))

            def acquire(self, lock: Lock, *, replacing: Lock | None = None) -> Lock:
                if lock.environment != "tenant0":
                    self.together.wait(WITHIN)
                return super().acquire(lock, replacing=replacing)

        tools.locks = Slow()

        with acquire_locks([f"tenant{number}" for number in range(9)], tools, command="promote-tenants"):
            assert len(tools.locks.held_locks) == 9

        assert tools.locks.held_locks == {}

    def test_says_who_is_in_the_way(self, tools: FakeTools) -> None:
        occupied(tools, "staging")

        with pytest.raises(Locked) as caught, acquire_locks(["staging"], tools, command="deploy"):
            pytest.fail("it must not begin")

        assert caught.value.exit_code == 4
        assert str(caught.value).splitlines() == [
            "staging is locked by b2@workshop since 2026-11-20 12:00 UTC (promote-prod: because, she said: ünïcödé)",
            "nothing has been changed there",
            "--wait 10m waits for it; if it is left over: inv lock.release --env staging --force",
        ]

    def test_takes_over_from_a_run_that_has_died(self, tools: FakeTools) -> None:
        dead = occupied(tools, "staging", at=-LEASE_SECONDS)

        with acquire_locks(["staging"], tools, command="deploy"):
            assert tools.locks.held_locks["staging"].fence == dead.fence + 1

    def test_takes_over_at_once_from_a_run_of_this_machine_that_is_gone(self, tools: FakeTools) -> None:
        dead = occupied(tools, "staging")
        tools.host.dead_processes.add(dead.process)

        with acquire_locks(["staging"], tools, command="deploy"):
            assert tools.locks.held_locks["staging"].fence == dead.fence + 1

        assert tools.reporter.lines == [f"staging was {dead}; that run has died, so this one takes over"]
        assert tools.clock.sleeps == []

    def test_says_which_run_it_is(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy"):
            assert tools.locks.held_locks["staging"].process == tools.host.process_identity()

    def test_lets_one_of_several_take_over_from_the_dead(self, tools: FakeTools) -> None:
        dead = occupied(tools, "staging")
        tools.host.dead_processes.add(dead.process)

        @define
        class Raced(FakeLocks):
            def acquire(self, lock: Lock, *, replacing: Lock | None = None) -> Lock:
                if replacing is not None:
                    super().acquire(evolve(lock, token="c3", process="another"), replacing=replacing)
                return super().acquire(lock, replacing=replacing)

        tools.locks = Raced(held_locks=tools.locks.held_locks)

        with pytest.raises(Locked), acquire_locks(["staging"], tools, command="deploy"):
            pytest.fail("it must not begin")

        assert tools.locks.held_locks["staging"].token == "c3"


class TestWaiting:
    def test_begins_when_the_other_run_has_ended(self, tools: FakeTools) -> None:
        occupied(tools, "staging")

        with acquire_locks(["staging"], tools, command="deploy", wait=600):
            assert tools.locks.held_locks["staging"].since == START + timedelta(seconds=LEASE_SECONDS)
            assert tools.locks.held_locks["staging"].actor == "ada@laptop"

    def test_says_once_for_whom(self, tools: FakeTools) -> None:
        other = occupied(tools, "staging")

        with acquire_locks(["staging"], tools, command="deploy", wait=600):
            assert tools.reporter.lines == [f"staging is {other}; waiting up to 10m"]

    def test_refuses_when_the_time_is_over(self, tools: FakeTools) -> None:
        other = occupied(tools, "staging")

        with pytest.raises(Locked), acquire_locks(["staging"], tools, command="deploy", wait=31):
            pytest.fail("it must not begin")

        assert tools.clock.monotonic() == 31
        assert tools.locks.held_locks == {"staging": other}

    def test_waits_for_all_environments_together(self, tools: FakeTools) -> None:
        occupied(tools, "dom")
        occupied(tools, "mark", at=30)

        with pytest.raises(Locked, match="mark"), acquire_locks(["dom", "mark"], tools, command="deploy", wait=80):
            pytest.fail("it must not begin")

        assert tools.clock.monotonic() == 80

    def test_waits_with_no_lock_that_comes_later(self, tools: FakeTools) -> None:
        """Otherwise two runs could wait for each other."""
        occupied(tools, "mark")
        held: set[str] = set()

        class Watchful(FakeClock):
            def sleep(self, seconds: float) -> None:
                held.update(tools.locks.held_locks)
                super().sleep(seconds)

        tools.clock = Watchful()

        with acquire_locks(["dom", "mark", "shane"], tools, command="promote-beta", wait=600):
            assert tools.locks.held_locks.keys() == {"dom", "mark", "shane"}

        assert held == {"dom", "mark"}

    def test_does_not_wait_for_a_person(self, tools: FakeTools) -> None:
        by_a_person(tools)

        with pytest.raises(Locked) as caught, acquire_locks(["staging"], tools, command="deploy", wait=600):
            pytest.fail("it must not begin")

        assert tools.clock.sleeps == []
        assert "by hand" in caught.value.message
        assert "--wait" not in caught.value.hint

    def test_keeps_what_it_has_while_it_waits(self, tools: FakeTools) -> None:
        tools.locks.acquire(evolve(wanted("b2", "mark"), since=START, expires=START + timedelta(seconds=0.1)))
        renewed = partial(tools.locks.calls.count, ("renew", "dom"))

        class RenewingClock(FakeClock):
            def sleep(self, seconds: float) -> None:
                """Advance by less than a lease and wait for a renewal."""
                self.advance(min(seconds, 0.02))
                before = renewed()
                until(lambda: renewed() >= before + 3)  # one begun before, one whole, one begun after

        tools.clock = RenewingClock()
        with acquire_locks(["dom", "mark"], tools, command="promote-beta", wait=WITHIN, lease=0.03) as fence:
            assert tools.clock.monotonic() >= 0.1
            fence.require_ownership("dom")


class TestReleasing:
    def test_releases_after_an_error(self, tools: FakeTools) -> None:
        with pytest.raises(ValueError, match="oops"), acquire_locks(["prod", "staging"], tools, command="deploy"):
            raise ValueError("oops")

        assert tools.locks.held_locks == {}

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_releases_when_told_to_stop(self, tools: FakeTools, number: signal.Signals) -> None:
        def run() -> None:
            with command._signals_as_interrupts(), acquire_locks(["prod", "staging"], tools, command="deploy"):
                os.kill(os.getpid(), number)
                time.sleep(WITHIN)

        with pytest.raises(KeyboardInterrupt):
            run()

        assert tools.locks.held_locks == {}

    def test_releases_although_it_is_told_to_stop_again(self, tools: FakeTools) -> None:
        @define
        class Impatient(FakeLocks):
            told: bool = False

            def release(self, lock: Lock) -> bool:
                if not self.told:
                    self.told = True
                    raise KeyboardInterrupt
                return super().release(lock)

        tools.locks = Impatient()

        with pytest.raises(KeyboardInterrupt), acquire_locks(["prod", "staging"], tools, command="deploy"):
            pass

        assert tools.locks.held_locks == {}

    def test_releases_what_was_taken_without_an_answer(self, tools: FakeTools) -> None:
        @define
        class Silent(FakeLocks):
            def acquire(self, lock: Lock, *, replacing: Lock | None = None) -> Lock:
                super().acquire(lock, replacing=replacing)
                raise Unreachable("no answer")

        tools.locks = Silent()

        with pytest.raises(Unreachable), acquire_locks(["staging"], tools, command="deploy"):
            pytest.fail("it must not begin")

        assert tools.locks.held_locks == {}

    def test_says_what_could_not_be_released_and_releases_the_rest(self, tools: FakeTools) -> None:
        tools.locks.unreachable_calls.add("release")

        with acquire_locks(["prod", "staging"], tools, command="deploy"):
            pass

        assert sorted(tools.locks.calls[-2:]) == [("release", "prod"), ("release", "staging")]
        assert tools.reporter.lines[0] == (
            "the lock of prod was not released, it ends by itself within 1m: "
            "cannot release the lock of prod: nobody answers"
        )

    def test_does_not_hide_an_error_behind_its_own(self, tools: FakeTools) -> None:
        tools.locks.unreachable_calls.add("release")

        with pytest.raises(ValueError, match="oops"), acquire_locks(["staging"], tools, command="deploy"):
            raise ValueError("oops")

    def test_leaves_the_lock_of_whoever_has_taken_over(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy"):
            other = occupied(tools, "staging", at=LEASE_SECONDS)

        assert tools.locks.held_locks == {"staging": other}


class TestChecking:
    def test_asks_nobody_while_the_lease_is_fresh(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy") as fence:
            tools.clock.advance(LEASE_SECONDS * 0.8)
            fence.require_lease("staging")

            assert tools.locks.calls == [("acquire", "staging")]

    def test_stops_before_the_lease_has_run_out(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy") as fence:
            tools.clock.advance(LEASE_SECONDS * 0.9)

            with pytest.raises(Locked, match="its lease was not renewed in time") as caught:
                fence.require_lease("staging")

        assert caught.value.exit_code == 4
        assert len(str(caught.value).splitlines()) == 3

    def test_stops_after_the_machine_has_slept(self, tools: FakeTools) -> None:
        class Drowsy(FakeClock):
            def monotonic(self) -> float:
                return 0.0

        tools.clock = Drowsy()
        with acquire_locks(["staging"], tools, command="deploy") as fence:
            fence.require_lease()
            tools.clock.advance(LEASE_SECONDS)

            with pytest.raises(Locked):
                fence.require_lease()

    def test_stops_although_the_time_of_day_was_set_back(self, tools: FakeTools) -> None:
        class Reset(FakeClock):
            def now(self) -> datetime:
                return START - timedelta(seconds=self.monotonic())

        tools.clock = Reset()
        with acquire_locks(["staging"], tools, command="deploy") as fence:
            fence.require_lease()
            tools.clock.advance(LEASE_SECONDS)

            with pytest.raises(Locked):
                fence.require_lease()

    def test_says_who_has_it_now(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy") as fence:
            tools.clock.advance(LEASE_SECONDS)
            other = occupied(tools, "staging", at=LEASE_SECONDS)

            with pytest.raises(Locked) as caught:
                fence.require_lease("staging")

        assert caught.value.message == f"this run has lost the lock of staging: now it is {other}"

    def test_stops_even_when_nobody_can_be_asked(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy") as fence:
            tools.clock.advance(LEASE_SECONDS)
            tools.locks.unreachable_calls.add("get")

            with pytest.raises(Locked, match="nobody answers"):
                fence.require_lease("staging")

    def test_checks_one_or_all(self, tools: FakeTools) -> None:
        with acquire_locks(["prod", "staging"], tools, command="deploy") as fence:
            del tools.locks.held_locks["prod"]
            tools.clock.advance(LOCK_CACHE_SECONDS)

            fence.require_ownership("staging")
            with pytest.raises(Locked, match="prod: somebody has released it"):
                fence.require_ownership()

    def test_confirms_what_is_written(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy") as fence:
            tools.clock.advance(LOCK_CACHE_SECONDS)
            fence.require_ownership("staging")
            assert tools.locks.calls[-1] == ("get", "staging")
            tools.locks.held_locks["staging"] = evolve(tools.locks.held_locks["staging"], token="b2", fence=2)
            tools.clock.advance(LOCK_CACHE_SECONDS)

            fence.require_lease("staging")
            with pytest.raises(Locked, match="now it is locked by"):
                fence.require_ownership("staging")

    def test_needs_no_second_look_at_what_it_has_just_seen(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy") as fence:
            fence.require_ownership()
            tools.clock.advance(LOCK_CACHE_SECONDS)
            fence.require_ownership()
            fence.require_ownership()

            assert tools.locks.calls == [("acquire", "staging"), ("get", "staging")]


class TestHeartbeat:
    def test_renews_all_leases_for_as_long_as_the_run_lasts(self, tools: FakeTools) -> None:
        with acquire_locks(["prod", "staging"], tools, command="deploy", lease=0.03) as fence:
            first = dict(tools.locks.held_locks)
            for _ in range(2):
                tools.clock.advance(0.02)
                before = {name: tools.locks.calls.count(("renew", name)) for name in first}
                until(lambda: all(tools.locks.calls.count(("renew", name)) >= n + 3 for name, n in before.items()))  # noqa: B023
            fence.require_ownership()

            for name, lock in tools.locks.held_locks.items():
                assert lock.is_same_as(first[name])
                assert lock.expires == START + timedelta(seconds=0.07)

    def test_ends_with_the_run(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy", lease=0.03):
            until(lambda: ("renew", "staging") in tools.locks.calls)
        calls = len(tools.locks.calls)
        time.sleep(0.1)

        assert len(tools.locks.calls) == calls

    def test_gets_over_a_renewal_that_fails(self, tools: FakeTools) -> None:
        tools.locks.unreachable_calls.add("renew")

        with acquire_locks(["staging"], tools, command="deploy", lease=0.03) as fence:
            until(lambda: ("renew", "staging") in tools.locks.calls)
            tools.clock.advance(0.03)
            assert is_stopped(fence)
            tools.locks.unreachable_calls.clear()

            until(lambda: not is_stopped(fence))

    def test_says_why_no_renewal_succeeded(self, tools: FakeTools) -> None:
        tools.locks.unreachable_calls.add("renew")

        with acquire_locks(["staging"], tools, command="deploy", lease=0.03) as fence:
            until(lambda: tools.locks.calls.count(("renew", "staging")) >= 2)
            tools.clock.advance(0.03)

            with pytest.raises(Locked, match=r"in time \(cannot renew the lock of staging: nobody answers\)"):
                fence.require_lease("staging")

    def test_notices_that_the_lock_was_released(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy", lease=0.03) as fence:
            assert tools.locks.release(tools.locks.held_locks["staging"])

            until(lambda: is_stopped(fence))
            with pytest.raises(Locked, match="somebody has released it"):
                fence.require_lease("staging")

    def test_asks_no_more_for_a_lock_that_is_lost(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy", lease=0.03) as fence:
            other = occupied(tools, "staging", at=LEASE_SECONDS)
            until(lambda: is_stopped(fence))
            calls = tools.locks.calls.count(("renew", "staging"))
            time.sleep(0.1)

            assert tools.locks.calls.count(("renew", "staging")) == calls
            assert tools.locks.held_locks == {"staging": other}


class TestNesting:
    def test_uses_the_lock_of_the_run_above(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="release-staging"):
            above = dict(tools.locks.held_locks)
            with acquire_locks(["staging"], tools, command="deploy") as fence:
                fence.require_ownership("staging")
                assert tools.locks.held_locks == above

            assert tools.locks.held_locks == above

    def test_renews_nothing_that_is_inherited(self) -> None:
        tools = FakeTools(clock=SystemClock())  # type: ignore[arg-type]  # a clock that goes on by itself
        now = tools.clock.now()
        tools.locks.acquire(evolve(wanted("a1"), since=now, expires=now + timedelta(seconds=LEASE_SECONDS)))
        tools.locks.export_tokens({"staging": "a1"})

        with acquire_locks(["staging", "prod"], tools, command="deploy", lease=0.03):
            until(lambda: tools.locks.calls.count(("renew", "prod")) >= 2)

        assert ("renew", "staging") not in tools.locks.calls
        assert tools.locks.held_locks.keys() == {"staging"}

    def test_takes_what_the_run_above_does_not_hold(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="release-staging"):
            with acquire_locks(["prod", "staging"], tools, command="deploy"):
                assert tools.locks.inherited_tokens().keys() == {"prod", "staging"}
            assert tools.locks.inherited_tokens().keys() == {"staging"}

        assert tools.locks.environ == {}

    def test_stops_when_the_run_above_has_lost_the_lock(self, tools: FakeTools) -> None:
        above = acquire_locks(["staging"], tools, command="release-staging")
        with above, acquire_locks(["staging"], tools, command="deploy") as fence:
            other = occupied(tools, "staging", at=LEASE_SECONDS)

            with pytest.raises(Locked) as caught:
                fence.require_lease("staging")

        assert str(other) in caught.value.message

    def test_stops_when_the_run_above_has_died(self, tools: FakeTools) -> None:
        above = acquire_locks(["staging"], tools, command="release-staging")
        with above, acquire_locks(["staging"], tools, command="deploy") as fence:
            fence.require_lease("staging")
            tools.clock.advance(LEASE_SECONDS * 0.9)

            with pytest.raises(Locked, match="not renewed in time"):
                fence.require_lease("staging")

    def test_takes_a_lock_itself_when_the_run_above_has_ended(self, tools: FakeTools) -> None:
        tools.locks.export_tokens({"staging": "a1"})

        with acquire_locks(["staging"], tools, command="deploy"):
            assert tools.locks.held_locks["staging"].actor == "ada@laptop"

        assert tools.locks.held_locks == {}

    def test_takes_over_when_the_run_above_has_died(self, tools: FakeTools) -> None:
        dead = occupied(tools, "staging", at=-LEASE_SECONDS)
        tools.locks.export_tokens({"staging": dead.token})

        with acquire_locks(["staging"], tools, command="deploy"):
            assert tools.locks.held_locks["staging"].fence == dead.fence + 1

    def test_is_refused_with_a_token_that_proves_nothing(self, tools: FakeTools) -> None:
        occupied(tools, "staging")
        tools.locks.export_tokens({"staging": "a1"})

        with pytest.raises(Locked), acquire_locks(["staging"], tools, command="deploy"):
            pytest.fail("it must not begin")

    def test_passes_nothing_on_when_it_was_refused(self, tools: FakeTools) -> None:
        occupied(tools, "staging")

        with pytest.raises(Locked), acquire_locks(["prod", "staging"], tools, command="deploy"):
            pytest.fail("it must not begin")

        assert tools.locks.environ == {}


class TestHolds:
    HOLD = Hold(environment="mark", reason="a hotfix", actor="ada@laptop", since=START)

    def test_keep_an_environment_as_it_is(self, tools: FakeTools) -> None:
        tools.holds.add(self.HOLD)

        require_no_hold("dom", tools)
        with pytest.raises(Locked) as caught:
            require_no_hold("mark", tools)

        assert caught.value.message == f"mark is {self.HOLD}"
        assert caught.value.hint == "when that no longer applies: inv hold.remove --env mark"

    def test_are_seen_beside_the_locks(self, tools: FakeTools) -> None:
        tools.holds.add(self.HOLD)
        lock = occupied(tools, "dom")

        assert lock_status(["mark", "dom", "prod"], tools) == (
            EnvironmentLockStatus(environment="mark", lock=None, hold=self.HOLD),
            EnvironmentLockStatus(environment="dom", lock=lock, hold=None),
            EnvironmentLockStatus(environment="prod", lock=None, hold=None),
        )
