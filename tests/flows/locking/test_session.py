"""Acquiring, renewing, checking and releasing the locks of a run."""

from __future__ import annotations

import os
import signal
import time
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from attrs import define, evolve

from kaizen_tasks.cli import command
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.lock import LEASE_SECONDS
from kaizen_tasks.errors import Locked, Unreachable
from kaizen_tasks.flows.locking.guard import LOCK_CACHE_SECONDS
from kaizen_tasks.flows.locking.session import LOCK_POLL_SECONDS, EnvironmentLockStatus, acquire_locks, lock_status
from tests.contracts.locks import by_hand, wanted
from tests.fakes.clock import START, FakeClock
from tests.fakes.locks import FakeLocks
from tests.fakes.tools import FakeTools

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaizen_tasks.domain.lock import Lock
    from kaizen_tasks.flows.locking.guard import LockGuard

WITHIN = 120.0
"""Seconds after which a test that hangs fails."""


@pytest.fixture
def tools() -> FakeTools:
    return FakeTools()


def occupied(tools: FakeTools, environment: str, *, replacing: Lock | None = None) -> Lock:
    """Lock an environment for another run, which is alive."""
    tools.locks.live_tokens.add("b2")
    return tools.locks.acquire(wanted("b2", environment), replacing=replacing)


def left_behind(tools: FakeTools, environment: str) -> Lock:
    """Lock an environment for a run of another machine that was killed, and whose clock was days ahead."""
    return tools.locks.acquire(wanted("d4", environment, at=START + timedelta(days=2)))


def by_a_person(tools: FakeTools) -> Lock:
    """Lock staging by hand."""
    return tools.locks.acquire(by_hand("b2"))


def until(happened: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + WITHIN
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.002)


def is_stopped(guard: LockGuard) -> bool:
    """Return whether the guard refuses changes."""
    try:
        guard.require_lease()
    except Locked:
        return True
    return False


class TestTaking:
    def test_locks_are_held_while_the_run_lasts(self, tools: FakeTools) -> None:
        with acquire_locks(["prod", "staging"], tools, command="promote-prod") as guard:
            guard.require_lease()
            held = dict(tools.locks.held_locks)

        assert tools.locks.held_locks == {}
        assert held.keys() == {"prod", "staging"}
        lock = held["prod"]
        assert (lock.actor, lock.command) == ("ada@laptop", "promote-prod")
        assert (lock.since, lock.expires) == (START, START + timedelta(seconds=LEASE_SECONDS))

    def test_first_lock_is_acquired_alone(self, tools: FakeTools) -> None:
        with acquire_locks(["shane", "dom", "mark", "dom"], tools, command="promote-beta"):
            assert tools.locks.calls == [("acquire", "dom"), ("acquire_together", "mark shane")]

    def test_no_environment_makes_no_request(self, tools: FakeTools) -> None:
        with acquire_locks([], tools, command="cut") as guard:
            guard.require_ownership()

        assert tools.locks.calls == []

    def test_command_is_one_line(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy --reason 'two\nlines'"):
            assert tools.locks.held_locks["staging"].command == "deploy --reason 'two lines'"

    def test_every_lock_has_its_own_token(self, tools: FakeTools) -> None:
        with acquire_locks(["prod", "staging"], tools, command="deploy"):
            first = {lock.token for lock in tools.locks.held_locks.values()}
        with acquire_locks(["prod", "staging"], tools, command="deploy"):
            second = {lock.token for lock in tools.locks.held_locks.values()}

        assert len(first | second) == 4

    def test_locks_are_acquired_all_or_none(self, tools: FakeTools) -> None:
        other = occupied(tools, "mark")

        with pytest.raises(Locked), acquire_locks(["shane", "mark", "dom"], tools, command="promote-beta"):
            pytest.fail("it must not begin")

        assert tools.locks.held_locks.keys() == {"mark"}
        assert other.is_same_as(tools.locks.held_locks["mark"])

    def test_nothing_else_is_acquired_when_the_first_is_taken(self, tools: FakeTools) -> None:
        """Of several runs that compete for the same environments, one gets them all."""
        occupied(tools, "dom")

        with pytest.raises(Locked), acquire_locks(["shane", "mark", "dom"], tools, command="promote-beta"):
            pytest.fail("it must not begin")

        assert {environment for call, environment in tools.locks.calls if call == "acquire"} == {"dom"}

    def test_hundreds_of_locks_are_acquired_and_released_in_a_few_requests(self, tools: FakeTools) -> None:
        names = [f"tenant{number:03}" for number in range(252)]

        with acquire_locks(names, tools, command="promote-tenants"):
            assert tools.locks.held_locks.keys() == {*names}
            acquisitions = tools.locks.calls[:]
            tools.locks.calls.clear()

        batches = [" ".join(names[first : first + 25]) for first in range(1, 251, 25)]
        assert acquisitions[0] == ("acquire", "tenant000")
        assert sorted(acquisitions[1:]) == [
            ("acquire", "tenant251"),
            *(("acquire_together", batch) for batch in batches),
        ]
        assert [call for call, _ in sorted(tools.locks.calls)] == ["release_together"] * 11
        assert tools.locks.held_locks == {}

    def test_locks_are_acquired_one_by_one_when_another_run_has_one(self, tools: FakeTools) -> None:
        tools.host.dead_processes.add(left_behind(tools, "mark").process)
        tools.locks.calls.clear()

        with acquire_locks(["shane", "mark", "dom"], tools, command="promote-beta"):
            assert tools.locks.held_locks.keys() == {"dom", "mark", "shane"}
            assert {lock.actor for lock in tools.locks.held_locks.values()} == {"ada@laptop"}

        assert tools.locks.calls[:2] == [("acquire", "dom"), ("acquire_together", "mark shane")]
        assert sorted(tools.locks.calls[2:-1]) == [("acquire", "mark"), ("acquire", "mark"), ("acquire", "shane")]
        assert tools.locks.held_locks == {}

    def test_error_names_the_owner(self, tools: FakeTools) -> None:
        occupied(tools, "staging")

        with pytest.raises(Locked) as caught, acquire_locks(["staging"], tools, command="deploy"):
            pytest.fail("it must not begin")

        assert caught.value.exit_code == 4
        assert str(caught.value).splitlines() == [
            "staging is locked by b2@workshop since 2026-11-20 12:00 UTC (promote-prod: because, she said: ünïcödé)",
            "nothing has been changed there",
            "--wait 10m waits for it; if it is left over: inv lock.release --env staging --force",
        ]

    def test_lock_of_a_killed_run_is_taken_over_after_a_lease(self, tools: FakeTools) -> None:
        dead = left_behind(tools, "staging")

        with acquire_locks(["staging"], tools, command="deploy"):
            assert tools.locks.held_locks["staging"].fence == dead.fence + 1

        assert tools.clock.monotonic() == LEASE_SECONDS
        assert tools.reporter.lines == [
            f"staging is {dead}; checking for up to 1m whether that run is alive",
            f"staging was {dead}; that run has died, so this one takes over",
        ]

    def test_all_locks_of_a_killed_run_are_taken_over_after_one_lease(self, tools: FakeTools) -> None:
        names = ("dom", "mark", "shane")
        for name in names:
            left_behind(tools, name)

        with acquire_locks(names, tools, command="promote-beta"):
            assert {lock.fence for lock in tools.locks.held_locks.values()} == {2}

        assert tools.clock.monotonic() == LEASE_SECONDS

    @pytest.mark.parametrize("ahead", [timedelta(minutes=-5), timedelta(minutes=5), timedelta(days=400)])
    def test_lock_of_a_run_that_is_alive_is_never_taken_over(self, tools: FakeTools, ahead: timedelta) -> None:
        """Whatever the clocks of the two machines say: it is refused as soon as the heartbeat has changed."""
        other = occupied(tools, "staging")
        tools.clock = FakeClock(START + ahead)

        with pytest.raises(Locked), acquire_locks(["staging"], tools, command="deploy"):
            pytest.fail("it must not begin")

        assert tools.clock.monotonic() == LOCK_POLL_SECONDS
        assert other.is_same_as(tools.locks.held_locks["staging"])

    def test_run_that_dies_while_it_is_watched_is_replaced_after_a_lease(self, tools: FakeTools) -> None:
        occupied(tools, "staging")

        class Mortal(FakeClock):
            def sleep(self, seconds: float) -> None:
                super().sleep(seconds)
                if self.monotonic() >= 10:
                    tools.locks.live_tokens.clear()

        tools.clock = Mortal()
        with acquire_locks(["staging"], tools, command="deploy", wait=600):
            assert 10 + LEASE_SECONDS - LOCK_POLL_SECONDS <= tools.clock.monotonic() <= 10 + LEASE_SECONDS

    def test_run_that_takes_the_lock_meanwhile_is_alive(self, tools: FakeTools) -> None:
        dead = left_behind(tools, "staging")

        class Overtaken(FakeClock):
            def sleep(self, seconds: float) -> None:
                super().sleep(seconds)
                if self.monotonic() == LEASE_SECONDS / 2:
                    occupied(tools, "staging", replacing=dead)

        tools.clock = Overtaken()
        with pytest.raises(Locked, match="b2@workshop"), acquire_locks(["staging"], tools, command="deploy"):
            pytest.fail("it must not begin")

        assert tools.clock.monotonic() == LEASE_SECONDS / 2

    def test_lock_of_a_dead_process_is_taken_over_at_once(self, tools: FakeTools) -> None:
        dead = left_behind(tools, "staging")
        tools.host.dead_processes.add(dead.process)

        with acquire_locks(["staging"], tools, command="deploy"):
            assert tools.locks.held_locks["staging"].fence == dead.fence + 1

        assert tools.reporter.lines == [f"staging was {dead}; that run has died, so this one takes over"]
        assert tools.clock.sleeps == []

    def test_lock_of_a_running_process_is_refused_at_once(self, tools: FakeTools) -> None:
        other = left_behind(tools, "staging")
        tools.host.running_processes.add(other.process)

        with pytest.raises(Locked), acquire_locks(["staging"], tools, command="deploy"):
            pytest.fail("it must not begin")

        assert tools.clock.sleeps == []
        assert tools.reporter.lines == []

    def test_lock_names_the_process(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy"):
            assert tools.locks.held_locks["staging"].process == tools.host.process_identity()

    def test_only_one_run_takes_over(self, tools: FakeTools) -> None:
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


class ReleasingClock(FakeClock):
    """A clock at whose time the lock of another run is released."""

    def __init__(self, tools: FakeTools, *, at: float, environment: str) -> None:
        super().__init__()
        self._tools, self._at, self._environment = tools, at, environment

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.monotonic() >= self._at > self.monotonic() - seconds:
            self._tools.locks.release(self._tools.locks.held_locks[self._environment])


class TestWaiting:
    def test_waiting_ends_when_the_lock_is_released(self, tools: FakeTools) -> None:
        tools.clock = ReleasingClock(tools, at=100, environment="staging")
        occupied(tools, "staging")

        with acquire_locks(["staging"], tools, command="deploy", wait=600):
            assert tools.locks.held_locks["staging"].since == START + timedelta(seconds=100)
            assert tools.locks.held_locks["staging"].actor == "ada@laptop"

    def test_waiting_is_reported_once(self, tools: FakeTools) -> None:
        tools.clock = ReleasingClock(tools, at=100, environment="staging")
        other = occupied(tools, "staging")

        with acquire_locks(["staging"], tools, command="deploy", wait=600):
            assert tools.reporter.lines == [f"staging is {other}; waiting up to 10m"]

    def test_waiting_times_out(self, tools: FakeTools) -> None:
        other = occupied(tools, "staging")

        with pytest.raises(Locked), acquire_locks(["staging"], tools, command="deploy", wait=31):
            pytest.fail("it must not begin")

        assert tools.clock.monotonic() == 31
        assert other.is_same_as(tools.locks.held_locks["staging"])

    def test_waiting_time_is_shared_by_all_locks(self, tools: FakeTools) -> None:
        tools.clock = ReleasingClock(tools, at=60, environment="dom")
        occupied(tools, "dom")
        occupied(tools, "mark")

        with pytest.raises(Locked, match="mark"), acquire_locks(["dom", "mark"], tools, command="deploy", wait=80):
            pytest.fail("it must not begin")

        assert tools.clock.monotonic() == 80

    def test_later_locks_are_released_while_waiting(self, tools: FakeTools) -> None:
        """Otherwise two runs could wait for each other."""
        left_behind(tools, "mark")
        held: set[str] = set()

        class Watchful(FakeClock):
            def sleep(self, seconds: float) -> None:
                held.update(tools.locks.held_locks)
                super().sleep(seconds)

        tools.clock = Watchful()

        with acquire_locks(["dom", "mark", "shane"], tools, command="promote-beta", wait=600):
            assert tools.locks.held_locks.keys() == {"dom", "mark", "shane"}

        assert held == {"dom", "mark"}

    def test_manual_lock_is_not_waited_for(self, tools: FakeTools) -> None:
        by_a_person(tools)

        with pytest.raises(Locked) as caught, acquire_locks(["staging"], tools, command="deploy", wait=600):
            pytest.fail("it must not begin")

        assert tools.clock.sleeps == []
        assert "by hand" in caught.value.message
        assert "--wait" not in caught.value.hint

    def test_earlier_locks_are_renewed_while_waiting(self, tools: FakeTools) -> None:
        tools.locks.acquire(
            evolve(wanted("b2", "mark"), since=START, expires=START + timedelta(seconds=0.1), lease=0.1)
        )
        renewed = partial(tools.locks.calls.count, ("renew", "dom"))

        class RenewingClock(FakeClock):
            def sleep(self, seconds: float) -> None:
                """Advance by less than a lease and wait for a renewal."""
                self.advance(min(seconds, 0.02))
                before = renewed()
                until(lambda: renewed() >= before + 3)  # one begun before, one whole, one begun after

        tools.clock = RenewingClock()
        with acquire_locks(["dom", "mark"], tools, command="promote-beta", wait=WITHIN, lease=0.03) as guard:
            assert tools.clock.monotonic() >= 0.1
            guard.require_ownership("dom")


class TestReleasing:
    def test_locks_are_released_after_an_error(self, tools: FakeTools) -> None:
        with pytest.raises(ValueError, match="oops"), acquire_locks(["prod", "staging"], tools, command="deploy"):
            raise ValueError("oops")

        assert tools.locks.held_locks == {}

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_locks_are_released_on_a_signal(self, tools: FakeTools, number: signal.Signals) -> None:
        def run() -> None:
            with command._signals_as_interrupts(), acquire_locks(["prod", "staging"], tools, command="deploy"):
                os.kill(os.getpid(), number)
                time.sleep(WITHIN)

        with pytest.raises(KeyboardInterrupt):
            run()

        assert tools.locks.held_locks == {}

    def test_locks_are_released_despite_a_second_signal(self, tools: FakeTools) -> None:
        @define
        class Impatient(FakeLocks):
            told: bool = False

            def release_together(self, locks: Sequence[Lock]) -> bool:
                if not self.told:
                    self.told = True
                    raise KeyboardInterrupt
                return super().release_together(locks)

        tools.locks = Impatient()

        with pytest.raises(KeyboardInterrupt), acquire_locks(["prod", "staging"], tools, command="deploy"):
            pass

        assert tools.locks.held_locks == {}

    @pytest.mark.parametrize("names", [["staging"], ["dom", "mark", "staging"]], ids=["one", "several"])
    def test_lock_acquired_without_an_answer_is_released(self, tools: FakeTools, names: list[str]) -> None:
        @define
        class Silent(FakeLocks):
            def acquire(self, lock: Lock, *, replacing: Lock | None = None) -> Lock:
                current = super().acquire(lock, replacing=replacing)
                if lock.environment == "staging":
                    raise Unreachable("no answer")
                return current

            def acquire_together(self, locks: Sequence[Lock]) -> dict[str, Lock]:
                super().acquire_together(locks)
                raise Unreachable("no answer")

        tools.locks = Silent()

        with pytest.raises(Unreachable), acquire_locks(names, tools, command="deploy"):
            pytest.fail("it must not begin")

        assert tools.locks.held_locks == {}

    def test_locks_are_released_one_by_one_when_one_is_lost(self, tools: FakeTools) -> None:
        with acquire_locks(["dom", "mark", "prod"], tools, command="deploy"):
            other = occupied(tools, "mark", replacing=tools.locks.held_locks["mark"])
            tools.locks.calls.clear()

        assert tools.locks.calls[0] == ("release_together", "dom mark prod")
        assert sorted(tools.locks.calls[1:]) == [("release", name) for name in ("dom", "mark", "prod")]
        assert tools.locks.held_locks == {"mark": other}

    def test_failed_release_is_reported_and_the_others_are_released(self, tools: FakeTools) -> None:
        tools.locks.unreachable_calls |= {"release", "release_together"}

        with acquire_locks(["prod", "staging"], tools, command="deploy"):
            pass

        assert sorted(tools.locks.calls[-2:]) == [("release", "prod"), ("release", "staging")]
        assert tools.reporter.lines[0] == (
            "the lock of prod was not released, others take it over after 1m: "
            "cannot release the lock of prod: nobody answers"
        )

    def test_failed_release_does_not_hide_an_error(self, tools: FakeTools) -> None:
        tools.locks.unreachable_calls.add("release")

        with pytest.raises(ValueError, match="oops"), acquire_locks(["staging"], tools, command="deploy"):
            raise ValueError("oops")

    def test_lock_of_another_owner_is_not_released(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy"):
            other = occupied(tools, "staging", replacing=tools.locks.held_locks["staging"])

        assert tools.locks.held_locks == {"staging": other}


class TestChecking:
    def test_fresh_lease_is_checked_without_a_request(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy") as guard:
            tools.clock.advance(LEASE_SECONDS * 0.8)
            guard.require_lease("staging")

            assert tools.locks.calls == [("acquire", "staging")]

    def test_check_fails_before_the_lease_has_run_out(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy") as guard:
            tools.clock.advance(LEASE_SECONDS * 0.9)

            with pytest.raises(Locked, match="its lease was not renewed in time") as caught:
                guard.require_lease("staging")

        assert caught.value.exit_code == 4
        assert len(str(caught.value).splitlines()) == 3

    def test_check_fails_after_the_machine_has_slept(self, tools: FakeTools) -> None:
        class Drowsy(FakeClock):
            def monotonic(self) -> float:
                return 0.0

        tools.clock = Drowsy()
        with acquire_locks(["staging"], tools, command="deploy") as guard:
            guard.require_lease()
            tools.clock.advance(LEASE_SECONDS)

            with pytest.raises(Locked):
                guard.require_lease()

    def test_check_fails_although_the_clock_was_set_back(self, tools: FakeTools) -> None:
        class Reset(FakeClock):
            def now(self) -> datetime:
                return START - timedelta(seconds=self.monotonic())

        tools.clock = Reset()
        with acquire_locks(["staging"], tools, command="deploy") as guard:
            guard.require_lease()
            tools.clock.advance(LEASE_SECONDS)

            with pytest.raises(Locked):
                guard.require_lease()

    def test_error_names_the_new_owner(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy") as guard:
            tools.clock.advance(LEASE_SECONDS)
            other = occupied(tools, "staging", replacing=tools.locks.held_locks["staging"])

            with pytest.raises(Locked) as caught:
                guard.require_lease("staging")

        assert caught.value.message == f"this run has lost the lock of staging: now it is {other}"

    def test_check_fails_when_the_store_is_unreachable(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy") as guard:
            tools.clock.advance(LEASE_SECONDS)
            tools.locks.unreachable_calls.add("get")

            with pytest.raises(Locked, match="nobody answers"):
                guard.require_lease("staging")

    def test_check_covers_one_or_all_environments(self, tools: FakeTools) -> None:
        with acquire_locks(["prod", "staging"], tools, command="deploy") as guard:
            del tools.locks.held_locks["prod"]
            tools.clock.advance(LOCK_CACHE_SECONDS)

            guard.require_ownership("staging")
            with pytest.raises(Locked, match="prod: somebody has released it"):
                guard.require_ownership()

    def test_ownership_is_read_from_the_store(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy") as guard:
            tools.clock.advance(LOCK_CACHE_SECONDS)
            guard.require_ownership("staging")
            assert tools.locks.calls[-1] == ("get", "staging")
            tools.locks.held_locks["staging"] = evolve(tools.locks.held_locks["staging"], token="b2", fence=2)
            tools.clock.advance(LOCK_CACHE_SECONDS)

            guard.require_lease("staging")
            with pytest.raises(Locked, match="now it is locked by"):
                guard.require_ownership("staging")

    def test_ownership_read_is_cached_for_a_moment(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy") as guard:
            guard.require_ownership()
            tools.clock.advance(LOCK_CACHE_SECONDS)
            guard.require_ownership()
            guard.require_ownership()

            assert tools.locks.calls == [("acquire", "staging"), ("get", "staging")]

    def test_one_request_reads_the_locks_that_a_rollout_needs_next(
        self, tools: FakeTools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        requests, get_many = list[tuple[str, str]](), tools.locks.get_many

        def count_and_get(names: Sequence[str]) -> dict[str, Lock]:
            requests.append((names[0], names[-1]))
            return get_many(names)

        monkeypatch.setattr(FakeLocks, "get_many", lambda _, names: count_and_get(names))
        tenants = [f"tenant{number:03}" for number in range(120)]
        with acquire_locks(tenants, tools, command="promote-tenants") as guard:
            tools.clock.advance(LOCK_CACHE_SECONDS)
            for tenant in [*tenants[:50], *tenants[100:]]:
                guard.require_ownership(tenant)
            assert requests == [("tenant000", "tenant049"), ("tenant075", "tenant119")]

            del tools.locks.held_locks["tenant007"]
            tools.clock.advance(LOCK_CACHE_SECONDS)
            guard.require_ownership("tenant003")
            with pytest.raises(Locked, match="tenant007: somebody has released it"):
                guard.require_ownership("tenant007")


class TestHeartbeat:
    def test_heartbeat_renews_all_leases(self, tools: FakeTools) -> None:
        with acquire_locks(["prod", "staging"], tools, command="deploy", lease=0.03) as guard:
            first = dict(tools.locks.held_locks)
            for _ in range(2):
                tools.clock.advance(0.02)
                before = tools.locks.calls.count(("renew_together", "prod staging"))
                until(lambda: tools.locks.calls.count(("renew_together", "prod staging")) >= before + 3)  # noqa: B023
            guard.require_ownership()

            for name, lock in tools.locks.held_locks.items():
                assert lock.is_same_as(first[name])
                assert lock.expires == START + timedelta(seconds=0.07)

    def test_heartbeat_ends_with_the_run(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy", lease=0.03):
            until(lambda: ("renew", "staging") in tools.locks.calls)
        calls = len(tools.locks.calls)
        time.sleep(0.1)

        assert len(tools.locks.calls) == calls

    def test_failed_renewal_is_retried(self, tools: FakeTools) -> None:
        tools.locks.unreachable_calls.add("renew")

        with acquire_locks(["staging"], tools, command="deploy", lease=0.03) as guard:
            until(lambda: ("renew", "staging") in tools.locks.calls)
            tools.clock.advance(0.03)
            assert is_stopped(guard)
            tools.locks.unreachable_calls.clear()

            until(lambda: not is_stopped(guard))

    def test_error_names_the_failed_renewal(self, tools: FakeTools) -> None:
        tools.locks.unreachable_calls.add("renew")

        with acquire_locks(["staging"], tools, command="deploy", lease=0.03) as guard:
            until(lambda: tools.locks.calls.count(("renew", "staging")) >= 2)
            tools.clock.advance(0.03)

            with pytest.raises(Locked, match=r"in time \(cannot renew the lock of staging: nobody answers\)"):
                guard.require_lease("staging")

    def test_renewal_notices_a_released_lock(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy", lease=0.03) as guard:
            assert tools.locks.release(tools.locks.held_locks["staging"])

            until(lambda: is_stopped(guard))
            with pytest.raises(Locked, match="somebody has released it"):
                guard.require_lease("staging")

    def test_lost_lock_is_not_renewed(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="deploy", lease=0.03) as guard:
            other = occupied(tools, "staging", replacing=tools.locks.held_locks["staging"])
            until(lambda: is_stopped(guard))
            calls = tools.locks.calls.count(("renew", "staging"))
            time.sleep(0.1)

            assert tools.locks.calls.count(("renew", "staging")) == calls
            assert tools.locks.held_locks == {"staging": other}


class TestNesting:
    def test_lock_of_a_parent_run_is_used(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="release-staging"):
            above = tools.locks.held_locks["staging"]
            with acquire_locks(["staging"], tools, command="deploy") as guard:
                guard.require_ownership("staging")
                assert above.is_same_as(tools.locks.held_locks["staging"])

            assert above.is_same_as(tools.locks.held_locks["staging"])

    def test_inherited_lock_is_renewed_and_not_released(self, tools: FakeTools) -> None:
        """The parent run may have renewed it almost a lease ago, or have died."""
        inherited = tools.locks.acquire(wanted("a1"))
        tools.locks.export_tokens({"staging": "a1"})

        with acquire_locks(["staging"], tools, command="deploy", lease=0.03) as guard:
            guard.require_lease("staging")
            until(lambda: tools.locks.calls.count(("renew", "staging")) >= 3)

        assert tools.locks.held_locks["staging"].heartbeat >= 3
        assert inherited.is_same_as(tools.locks.held_locks["staging"])

    def test_locks_that_the_parent_run_lacks_are_acquired(self, tools: FakeTools) -> None:
        with acquire_locks(["staging"], tools, command="release-staging"):
            with acquire_locks(["prod", "staging"], tools, command="deploy"):
                assert tools.locks.inherited_tokens().keys() == {"prod", "staging"}
            assert tools.locks.inherited_tokens().keys() == {"staging"}

        assert tools.locks.environ == {}

    def test_check_fails_when_the_parent_run_lost_the_lock(self, tools: FakeTools) -> None:
        above = acquire_locks(["staging"], tools, command="release-staging")
        with above, acquire_locks(["staging"], tools, command="deploy") as guard:
            other = occupied(tools, "staging", replacing=tools.locks.held_locks["staging"])

            tools.clock.advance(LOCK_CACHE_SECONDS)
            with pytest.raises(Locked) as caught:
                guard.require_ownership("staging")

        assert str(other) in caught.value.message

    def test_lock_is_acquired_when_the_parent_run_has_ended(self, tools: FakeTools) -> None:
        tools.locks.export_tokens({"staging": "a1"})

        with acquire_locks(["staging"], tools, command="deploy"):
            assert tools.locks.held_locks["staging"].actor == "ada@laptop"

        assert tools.locks.held_locks == {}

    def test_wrong_token_is_refused(self, tools: FakeTools) -> None:
        occupied(tools, "staging")
        tools.locks.export_tokens({"staging": "a1"})

        with pytest.raises(Locked), acquire_locks(["staging"], tools, command="deploy"):
            pytest.fail("it must not begin")

    def test_refused_run_exports_no_tokens(self, tools: FakeTools) -> None:
        occupied(tools, "staging")

        with pytest.raises(Locked), acquire_locks(["prod", "staging"], tools, command="deploy"):
            pytest.fail("it must not begin")

        assert tools.locks.environ == {}


class TestHolds:
    HOLD = Hold(environment="mark", reason="a hotfix", actor="ada@laptop", since=START)

    def test_lock_status_has_locks_and_holds(self, tools: FakeTools) -> None:
        tools.holds.add(self.HOLD)
        lock = occupied(tools, "dom")

        assert lock_status(["mark", "dom", "prod"], tools) == (
            EnvironmentLockStatus(environment="mark", lock=None, hold=self.HOLD),
            EnvironmentLockStatus(environment="dom", lock=lock, hold=None),
            EnvironmentLockStatus(environment="prod", lock=None, hold=None),
        )
