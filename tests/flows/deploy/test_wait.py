"""Following one deployment to its end, whatever else happens on the service."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import Denied, Unreachable
from kaizen_tasks.flows.deploy.wait import wait_for_operation
from tests.fakes.clock import START
from tests.flows.deploy.test_start import NAME, EventfulClock, clock, tools, watch

if TYPE_CHECKING:
    from kaizen_tasks.domain.service import Operation, Service
    from kaizen_tasks.errors import KaizenError
    from tests.fakes.tools import FakeTools

__all__ = ["clock", "tools"]


def looks(tools: FakeTools) -> list[float]:
    """Return the seconds from the start at which the platform was asked."""
    return [round((each - START).total_seconds(), 1) for each in tools.platform.poll_times]


def start(tools: FakeTools, *, lasting: float) -> str:
    """Start a deployment that takes some seconds."""
    tools.platform.operation_seconds = lasting
    return tools.platform.start_deployment(tools.platform.get_service(NAME))


@pytest.mark.parametrize("lasting", [200, 240, 244])
def test_one_that_takes_as_long_as_usual_costs_one_look(tools: FakeTools, lasting: float) -> None:
    """It comes a little after the median of the last ones, and says what the platform measured."""
    outcome = wait_for_operation(start(tools, lasting=lasting), watch(tools, usual=240))

    assert looks(tools) == [244.8]
    assert (outcome.event, outcome.duration_seconds, outcome.operation) == (Event.DEPLOYED, lasting, f"{NAME}-1")


def test_one_that_was_adopted_is_looked_at_when_it_should_be_over(tools: FakeTools) -> None:
    """And not as much later as it took to find it."""
    begun = start(tools, lasting=240)
    tools.clock.advance(20)

    wait_for_operation(begun, watch(tools, usual=240), started_monotonic=0)

    assert looks(tools) == [244.8]


def test_one_that_takes_longer_is_looked_at_more_and_more_seldom(tools: FakeTools) -> None:
    """The times are the same in every run of this test, and others for every operation."""
    wait_for_operation(start(tools, lasting=400), watch(tools, usual=240))

    assert looks(tools) == [244.8, 258.1, 276.8, 307.2, 343.6, 373.6, 405.3]


def test_one_of_which_nothing_is_known_is_looked_at_soon(tools: FakeTools) -> None:
    """The first deployment of all; it is still cheap when it takes four minutes."""
    wait_for_operation(start(tools, lasting=240), watch(tools))

    assert looks(tools)[0] == 0.2
    assert len(looks(tools)) <= 20


@pytest.mark.parametrize("state", ["FAILED", "ROLLBACK_SUCCEEDED", "ROLLBACK_FAILED"])
def test_fails_as_soon_as_the_platform_says_so(tools: FakeTools, state: str) -> None:
    """And not at the deadline; only SUCCEEDED is success."""
    tools.platform.outcomes[NAME] = state

    outcome = wait_for_operation(start(tools, lasting=30), watch(tools, usual=20))

    assert outcome.event is Event.FAILED
    assert outcome.message == f"{NAME} ended its deployment of v0.2.0 with {state}"
    assert outcome.started_at == START
    assert looks(tools)[-2] < 30 <= looks(tools)[-1] < 40


def test_says_what_it_waits_for_and_each_state_once(tools: FakeTools) -> None:
    """A log is not filled with what has not changed."""
    wait_for_operation(start(tools, lasting=300), watch(tools, usual=60))

    assert tools.reporter.lines == [
        f"deploy staging: {NAME} is deploying v0.2.0, which usually takes 1m",
        "deploy staging: IN_PROGRESS after 1m 1s",
    ]


def test_waits_for_its_own_operation_although_another_is_newer(tools: FakeTools) -> None:
    """Somebody else's success proves nothing."""
    tools.platform.outcomes[NAME] = "FAILED"
    ours = start(tools, lasting=0)
    tools.platform.list_operations(tools.platform.get_service(NAME))
    tools.platform.outcomes.clear()
    tools.platform.begin_operation(NAME)
    tools.platform.list_operations(tools.platform.get_service(NAME))

    assert wait_for_operation(ours, watch(tools)).event is Event.FAILED


def test_waits_for_an_operation_that_disappears_from_the_list_for_a_while(
    tools: FakeTools, clock: EventfulClock
) -> None:
    """The list is eventually consistent: five looks without it are no reason to give up."""
    ours = start(tools, lasting=30)
    clock.events[1] = lambda: tools.platform.hidden_operations.add(ours)
    clock.events[25] = tools.platform.hidden_operations.clear

    outcome = wait_for_operation(ours, watch(tools))

    assert outcome.event is Event.DEPLOYED
    assert sum(1 <= each < 25 for each in looks(tools)) >= 5
    assert "deploy staging: no longer in the list of operations after 1.2s" in tools.reporter.lines


def test_one_that_is_never_seen_ends_at_the_deadline(tools: FakeTools) -> None:
    """Nobody will follow it any more."""
    outcome = wait_for_operation("6c7e", watch(tools, usual=240))

    assert outcome.event is Event.ABANDONED
    assert outcome.message == f"the deployment of v0.2.0 to {NAME} never came into the list of operations"
    assert tools.clock.monotonic() == 600


def test_one_that_disappears_for_good_ends_at_the_deadline(tools: FakeTools, clock: EventfulClock) -> None:
    """What became of it cannot be known."""
    ours = start(tools, lasting=10**6)
    clock.events[300] = lambda: tools.platform.hidden_operations.add(ours)

    outcome = wait_for_operation(ours, watch(tools, usual=240))

    assert outcome.event is Event.ABANDONED
    assert outcome.message.endswith("is no longer in the list of operations")


def test_one_that_hangs_fails_at_the_deadline(tools: FakeTools) -> None:
    """The last look is at the deadline itself."""
    outcome = wait_for_operation(start(tools, lasting=10**6), watch(tools, usual=240))

    assert outcome.event is Event.FAILED
    assert outcome.message == f"the deployment of v0.2.0 to {NAME} has not ended in 10m: IN_PROGRESS"
    assert "until it does" in outcome.state
    assert looks(tools)[-1] == 600


def test_a_service_that_is_deleted_ends_it_at_once(tools: FakeTools, clock: EventfulClock) -> None:
    """There is nothing left that could be waited for."""
    ours = start(tools, lasting=10**6)
    clock.events[20] = lambda: tools.platform.services.pop(NAME)

    outcome = wait_for_operation(ours, watch(tools))

    assert (outcome.event, outcome.hint) == (Event.ABANDONED, "create it")
    assert tools.clock.monotonic() < 40


def test_a_service_that_was_created_again_knows_nothing_of_it(tools: FakeTools, clock: EventfulClock) -> None:
    """Another service bears the name now."""
    ours = start(tools, lasting=10**6)

    def again() -> None:
        tools.platform.hidden_operations.add(ours)
        tools.platform.services[NAME] = evolve(tools.platform.services[NAME], id="arn:another")

    clock.events[20] = again

    outcome = wait_for_operation(ours, watch(tools))

    assert outcome.message == f"the service {NAME} was deleted and created again"
    assert tools.clock.monotonic() < 40


def test_one_that_an_earlier_run_began_is_looked_at_at_once(tools: FakeTools, clock: EventfulClock) -> None:
    """Then when it should be over."""
    ours = start(tools, lasting=240)
    clock.advance(100)

    wait_for_operation(ours, watch(tools, usual=240), age_seconds=100)

    assert looks(tools) == [100, 244.8]


def test_one_that_an_earlier_run_has_waited_for_long_enough_is_given_up_when_it_is_missing(tools: FakeTools) -> None:
    """Not after another half hour."""
    outcome = wait_for_operation(
        "6c7e", watch(tools, usual=240), age_seconds=7200, missing_deadline=tools.clock.monotonic()
    )

    assert outcome.event is Event.ABANDONED
    assert looks(tools) == [0]


class Trouble:
    """A platform that answers with errors for a while."""

    def __init__(self, tools: FakeTools, error: KaizenError, *, until: float) -> None:
        self._tools, self._error, self._until = tools, error, until
        self._answer = tools.platform.list_operations

    def list_operations(self, service: Service) -> tuple[Operation, ...]:
        """Raise, or answer."""
        if self._tools.clock.now() < START + timedelta(seconds=self._until):
            raise self._error
        return self._answer(service)


def test_a_platform_out_of_reach_is_waited_for(tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that fails for a minute does not fail a deployment."""
    ours = start(tools, lasting=20)
    monkeypatch.setattr(
        type(tools.platform), "list_operations", Trouble(tools, Unreachable("down"), until=60).list_operations
    )

    assert wait_for_operation(ours, watch(tools)).event is Event.DEPLOYED
    assert sum("out of reach" in line for line in tools.reporter.lines) == 1


@pytest.mark.parametrize("error", [Denied("expired"), Unreachable("down")])
def test_nothing_is_claimed_of_a_platform_that_does_not_answer_at_all(
    tools: FakeTools, monkeypatch: pytest.MonkeyPatch, error: KaizenError
) -> None:
    """The deployment goes on by itself, and the same command finds it."""
    ours = start(tools, lasting=20)
    monkeypatch.setattr(type(tools.platform), "list_operations", Trouble(tools, error, until=10**6).list_operations)

    with pytest.raises(type(error)):
        wait_for_operation(ours, watch(tools))
