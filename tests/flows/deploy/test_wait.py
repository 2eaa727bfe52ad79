"""Waiting for a deployment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.service import OperationState
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
    """Return the seconds from the start at which the platform was polled."""
    return [round((each - START).total_seconds(), 1) for each in tools.platform.poll_times]


def start(tools: FakeTools, *, lasting: float) -> str:
    """Start a deployment that takes some seconds."""
    tools.platform.operation_seconds = lasting
    return tools.platform.start_deployment(tools.platform.get_service(NAME), "")


@pytest.mark.parametrize("lasting", [200, 240, 244])
def test_deployment_of_typical_duration_is_polled_once(tools: FakeTools, lasting: float) -> None:
    outcome = wait_for_operation(start(tools, lasting=lasting), watch(tools, usual=240))

    assert looks(tools) == [244.8]
    assert (outcome.event, outcome.duration_seconds, outcome.operation) == (Event.DEPLOYED, lasting, f"{NAME}-1")


def test_adopted_deployment_is_first_polled_at_its_typical_end(tools: FakeTools) -> None:
    begun = start(tools, lasting=240)
    tools.clock.advance(20)

    wait_for_operation(begun, watch(tools, usual=240), started_monotonic=0)

    assert looks(tools) == [244.8]


def test_longer_deployment_is_polled_at_growing_intervals(tools: FakeTools) -> None:
    """The jitter is seeded by the operation."""
    wait_for_operation(start(tools, lasting=400), watch(tools, usual=240))

    assert looks(tools) == [244.8, 258.1, 276.8, 307.2, 343.6, 373.6, 405.3]


def test_deployment_of_unknown_duration_is_polled_soon(tools: FakeTools) -> None:
    wait_for_operation(start(tools, lasting=240), watch(tools))

    assert looks(tools)[0] == 0.2
    assert len(looks(tools)) <= 20


@pytest.mark.parametrize("state", [OperationState.FAILED, OperationState.ROLLED_BACK, OperationState.STOPPED])
def test_failed_operation_ends_the_wait(tools: FakeTools, state: OperationState) -> None:
    tools.platform.outcomes[NAME] = state

    outcome = wait_for_operation(start(tools, lasting=30), watch(tools, usual=20))

    assert outcome.event is Event.FAILED
    assert outcome.message == f"{NAME} ended its deployment of v0.2.0 with {state.name}"
    assert outcome.started_at == START
    assert looks(tools)[-2] < 30 <= looks(tools)[-1] < 40


def test_progress_reports_each_state_once(tools: FakeTools) -> None:
    wait_for_operation(start(tools, lasting=300), watch(tools, usual=60))

    assert tools.reporter.lines == [
        f"deploy staging: {NAME} is deploying v0.2.0, usually 60s",
        f"deploy staging: {NAME}: IN_PROGRESS",
    ]


def test_newer_operation_is_ignored(tools: FakeTools) -> None:
    tools.platform.outcomes[NAME] = OperationState.FAILED
    ours = start(tools, lasting=0)
    tools.platform.list_operations(tools.platform.get_service(NAME))
    tools.platform.outcomes.clear()
    tools.platform.begin_operation(NAME)
    tools.platform.list_operations(tools.platform.get_service(NAME))

    assert wait_for_operation(ours, watch(tools)).event is Event.FAILED


def test_operation_missing_for_a_while_is_waited_for(tools: FakeTools, clock: EventfulClock) -> None:
    """The list of operations is eventually consistent."""
    ours = start(tools, lasting=30)
    clock.events[1] = lambda: tools.platform.hidden_operations.add(ours)
    clock.events[25] = tools.platform.hidden_operations.clear

    outcome = wait_for_operation(ours, watch(tools))

    assert outcome.event is Event.DEPLOYED
    assert sum(1 <= each < 25 for each in looks(tools)) >= 5
    assert f"deploy staging: {NAME}: no longer in the list of operations" in tools.reporter.lines


def test_operation_never_listed_is_abandoned_at_the_deadline(tools: FakeTools) -> None:
    outcome = wait_for_operation("6c7e", watch(tools, usual=240))

    assert outcome.event is Event.ABANDONED
    assert outcome.message == f"the deployment of v0.2.0 to {NAME} never came into the list of operations"
    assert tools.clock.monotonic() == 600


def test_operation_no_longer_listed_is_abandoned_at_the_deadline(tools: FakeTools, clock: EventfulClock) -> None:
    ours = start(tools, lasting=10**6)
    clock.events[300] = lambda: tools.platform.hidden_operations.add(ours)

    outcome = wait_for_operation(ours, watch(tools, usual=240))

    assert outcome.event is Event.ABANDONED
    assert outcome.message.endswith("is no longer in the list of operations")


def test_hanging_operation_fails_at_the_deadline(tools: FakeTools) -> None:
    outcome = wait_for_operation(start(tools, lasting=10**6), watch(tools, usual=240))

    assert outcome.event is Event.FAILED
    assert outcome.message == f"the deployment of v0.2.0 to {NAME} has not ended in 10m: IN_PROGRESS"
    assert "until it does" in outcome.state
    assert looks(tools)[-1] == 600


def test_deleted_service_ends_the_wait(tools: FakeTools, clock: EventfulClock) -> None:
    ours = start(tools, lasting=10**6)
    clock.events[20] = lambda: tools.platform.services.pop(NAME)

    outcome = wait_for_operation(ours, watch(tools))

    assert (outcome.event, outcome.hint) == (Event.ABANDONED, "create it")
    assert tools.clock.monotonic() < 40


def test_recreated_service_ends_the_wait(tools: FakeTools, clock: EventfulClock) -> None:
    ours = start(tools, lasting=10**6)

    def again() -> None:
        tools.platform.hidden_operations.add(ours)
        tools.platform.services[NAME] = evolve(tools.platform.services[NAME], id="arn:another")

    clock.events[20] = again

    outcome = wait_for_operation(ours, watch(tools))

    assert outcome.message == f"the service {NAME} was deleted and created again"
    assert tools.clock.monotonic() < 40


def test_resumed_deployment_is_polled_at_once(tools: FakeTools, clock: EventfulClock) -> None:
    ours = start(tools, lasting=240)
    clock.advance(100)

    wait_for_operation(ours, watch(tools, usual=240), age_seconds=100)

    assert looks(tools) == [100, 244.8]


def test_resumed_deployment_that_is_missing_and_old_is_abandoned(tools: FakeTools) -> None:
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


def test_unreachable_platform_is_waited_for(tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that fails for a minute does not fail a deployment."""
    ours = start(tools, lasting=20)
    monkeypatch.setattr(
        type(tools.platform), "list_operations", Trouble(tools, Unreachable("down"), until=60).list_operations
    )

    assert wait_for_operation(ours, watch(tools)).event is Event.DEPLOYED
    assert sum("out of reach" in line for line in tools.reporter.lines) == 1


@pytest.mark.parametrize("error", [Denied("expired"), Unreachable("down")])
def test_platform_unreachable_at_the_deadline_is_an_error(
    tools: FakeTools, monkeypatch: pytest.MonkeyPatch, error: KaizenError
) -> None:
    """The deployment goes on by itself; running the command again finds it."""
    ours = start(tools, lasting=20)
    monkeypatch.setattr(type(tools.platform), "list_operations", Trouble(tools, error, until=10**6).list_operations)

    with pytest.raises(type(error)):
        wait_for_operation(ours, watch(tools))
