"""Starting a deployment, or adopting one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.release import StepLabel
from kaizen_tasks.domain.service import Operation, OperationKind, OperationState, ServiceStatus
from kaizen_tasks.errors import NotFound, Undeployable
from kaizen_tasks.flows.deploy import start
from kaizen_tasks.flows.deploy.start import StartedDeployment
from kaizen_tasks.flows.deploy.wait import DeploymentWaiter
from tests.contracts.ledger import entry
from tests.fakes.clock import START, FakeClock
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.domain.ledger import LedgerEntry

LABEL = StepLabel("deploy", "staging")
NAME = "staging-web-service"
IMAGE = "registry.example/staging-web-app:latest"


class EventfulClock(FakeClock):
    """A clock at which something happens.

    Attributes:
        events: called once, when their time has come, by seconds from the start.
    """

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[float, Callable[[], object]] = {}

    def advance(self, seconds: float) -> None:
        """Move time forward, and run the events that are due."""
        super().advance(seconds)
        for due in [at for at in self.events if at <= self.monotonic()]:
            self.events.pop(due)()


@pytest.fixture
def clock() -> EventfulClock:
    """A clock with events."""
    return EventfulClock()


@pytest.fixture
def tools(clock: EventfulClock) -> FakeTools:
    """Tools with a deploy timeout of ten minutes."""
    return FakeTools(settings=settings(deploy={"timeout": "10m"}), clock=clock)


def intent(at: datetime, *, digest: str = "sha256:new") -> LedgerEntry:
    """Return the entry of the ledger that a deployment begins with."""
    return evolve(entry(), at=at, digest=digest)


def watch(tools: FakeTools, *, usual: float = 0.0) -> DeploymentWaiter:
    """Return a waiter for the service."""
    service = tools.platform.get_service(NAME)
    return DeploymentWaiter(
        platform=tools.platform,
        service=service,
        release_name="v0.2.0",
        label=LABEL,
        tools=tools,
        deadline=600.0,
        typical_seconds=usual,
    )


def begin(tools: FakeTools, *, automatic: bool = False, look: bool = False, usual: float = 0.0) -> str:
    """Start or adopt a deployment."""
    adopt = start.operation_started_after(
        intent(tools.clock.now()), excluded_operations={each.id for each in tools.platform.history[NAME]}
    )
    begun = start.start_or_adopt(
        watch(tools, usual=usual), IMAGE, is_own=adopt, expects_auto_start=automatic, may_have_started=look
    )
    return begun.operation_id if begun else ""


def test_deployment_is_started_when_none_is_running(tools: FakeTools) -> None:
    assert begin(tools) == f"{NAME}-1"

    assert tools.platform.started_services == [NAME]
    assert tools.platform.poll_times == []
    assert tools.clock.sleeps == []


def test_automatic_deployment_is_adopted(tools: FakeTools, clock: EventfulClock) -> None:
    """Two deployments would race."""
    clock.events[8] = lambda: tools.platform.begin_operation(NAME)

    assert begin(tools, automatic=True) == f"{NAME}-1"

    assert tools.platform.started_services == []


@pytest.mark.parametrize(("ago", "at"), [(1, 2), (4, 0), (-60, 3)])
def test_adopted_deployment_keeps_its_start_time(tools: FakeTools, clock: EventfulClock, ago: float, at: float) -> None:
    tools.platform.now = lambda: clock.now() - timedelta(seconds=ago)
    tools.platform.operation_seconds = 240
    clock.events[0.1] = lambda: tools.platform.begin_operation(NAME)
    adopt = start.operation_started_after(intent(tools.clock.now()))

    found = start.start_or_adopt(watch(tools, usual=240), IMAGE, is_own=adopt, expects_auto_start=True)

    assert found is not None
    assert found.started_monotonic == pytest.approx(at, abs=0.8)


def test_deployment_is_started_when_no_automatic_one_starts(tools: FakeTools) -> None:
    begin(tools, automatic=True, usual=240)

    assert tools.platform.started_services == [NAME]
    assert tools.clock.monotonic() == start.AUTO_DEPLOY_WAIT_SECONDS
    assert len(tools.platform.poll_times) == 3


def test_deployment_of_an_earlier_run_is_adopted(tools: FakeTools) -> None:
    adopt = start.operation_started_after(intent(tools.clock.now()))
    begun = tools.platform.begin_operation(NAME)

    found = start.start_or_adopt(watch(tools), IMAGE, is_own=adopt, expects_auto_start=False, may_have_started=True)
    assert found == StartedDeployment(operation_id=begun, started_monotonic=0)
    assert tools.clock.sleeps == []

    tools.platform.history[NAME].clear()
    tools.platform.set_status(NAME, ServiceStatus.RUNNING)
    found = start.start_or_adopt(watch(tools), IMAGE, is_own=adopt, expects_auto_start=False, may_have_started=True)
    assert found == StartedDeployment(operation_id=f"{NAME}-1", started_monotonic=0)
    assert tools.platform.started_services == [NAME]


def test_earlier_operations_are_not_adopted(tools: FakeTools) -> None:
    before = tools.platform.begin_operation(NAME)
    tools.platform.operation_seconds = 5

    identity = begin(tools)

    assert identity == f"{NAME}-2"
    assert identity != before


def test_oldest_matching_operation_is_adopted(tools: FakeTools) -> None:
    """The first operation after the tag moved carries the release."""
    adopt = start.operation_started_after(intent(tools.clock.now()))
    first = tools.platform.begin_operation(NAME)
    tools.platform.list_operations(tools.platform.get_service(NAME))
    tools.platform.begin_operation(NAME)

    found = start.start_or_adopt(watch(tools), IMAGE, is_own=adopt, expects_auto_start=True)
    assert found is not None
    assert found.operation_id == first


def test_busy_service_is_waited_for(tools: FakeTools, clock: EventfulClock) -> None:
    tools.platform.polls = 10**6
    tools.platform.begin_operation(NAME, kind=OperationKind.UPDATE)
    clock.events[60] = lambda: tools.platform.set_status(NAME, ServiceStatus.RUNNING)

    assert begin(tools) == f"{NAME}-2"

    assert tools.clock.monotonic() >= 60
    assert tools.reporter.lines.count(f"deploy staging: {NAME} is busy, or its answer was lost; waiting") == 1


def test_busy_service_is_given_up_at_the_deadline(tools: FakeTools) -> None:
    tools.platform.set_status(NAME, ServiceStatus.BUSY)

    assert begin(tools) == ""

    assert tools.clock.monotonic() == 600
    assert tools.platform.started_services == []
    assert len(tools.platform.poll_times) < 30


def test_service_that_is_free_at_the_deadline_is_not_started(tools: FakeTools, clock: EventfulClock) -> None:
    """Nobody would wait for the deployment, and one whose answer is lost would be recorded as failed."""
    tools.platform.set_status(NAME, ServiceStatus.BUSY)
    clock.events[600] = lambda: tools.platform.set_status(NAME, ServiceStatus.RUNNING)

    assert begin(tools) == ""

    assert tools.platform.started_services == []


def test_deployment_whose_answer_was_lost_is_found_at_the_deadline(tools: FakeTools, clock: EventfulClock) -> None:
    tools.platform.set_status(NAME, ServiceStatus.BUSY)
    clock.events[600] = lambda: tools.platform.begin_operation(NAME)

    assert begin(tools) == f"{NAME}-1"


def test_service_paused_or_deleted_while_waiting_is_an_error(tools: FakeTools, clock: EventfulClock) -> None:
    tools.platform.set_status(NAME, ServiceStatus.BUSY)
    clock.events[60] = lambda: tools.platform.set_status(NAME, ServiceStatus.PAUSED)
    with pytest.raises(Undeployable, match="PAUSED"):
        begin(tools)

    tools.platform.set_status(NAME, ServiceStatus.BUSY)
    clock.events[clock.monotonic() + 60] = lambda: tools.platform.services.pop(NAME)
    with pytest.raises(NotFound):
        begin(tools)


@pytest.mark.parametrize(
    ("kind", "started", "finished", "ours"),
    [
        (OperationKind.DEPLOYMENT, 1, None, True),
        (OperationKind.DEPLOYMENT, 1, 2, True),
        (OperationKind.DEPLOYMENT, -4, None, True),
        (OperationKind.DEPLOYMENT, -4, 1, True),
        (OperationKind.DEPLOYMENT, -4, -1, True),
        (OperationKind.DEPLOYMENT, -4, -2, False),
        (OperationKind.DEPLOYMENT, -6, None, False),
        (OperationKind.UPDATE, 60, None, False),
        (OperationKind.CREATION, 1, None, False),
        (OperationKind.PAUSE, 1, None, False),
    ],
)
def test_operation_matches_by_kind_and_time(
    *, kind: OperationKind, started: float, finished: float | None, ours: bool
) -> None:
    """The two clocks may differ by a few seconds."""
    begun = Operation(
        id="1",
        kind=kind,
        state=OperationState.IN_PROGRESS,
        native_state="IN_PROGRESS",
        started_at=START + timedelta(seconds=started),
        finished_at=None if finished is None else START + timedelta(seconds=finished),
    )

    assert start.operation_started_after(intent(START))(begun) is ours
    assert not start.operation_started_after(intent(START), excluded_operations={"1"})(evolve(begun, started_at=START))


@pytest.mark.parametrize(("digest", "ours"), [("", True), ("sha256:new", True), ("sha256:old", False)])
def test_operation_of_another_image_is_not_ours(*, digest: str, ours: bool) -> None:
    """Where the platform says what an operation deploys."""
    begun = Operation(
        id="1",
        kind=OperationKind.DEPLOYMENT,
        state=OperationState.IN_PROGRESS,
        native_state="IN_PROGRESS",
        started_at=START,
        digest=digest,
    )

    assert start.operation_started_after(intent(START))(begun) is ours
