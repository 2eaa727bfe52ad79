"""Starting a deployment, or finding the one that has started by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.release import Label
from kaizen_tasks.domain.service import Operation
from kaizen_tasks.errors import NotFound, Undeployable
from kaizen_tasks.flows.deploy import start
from kaizen_tasks.flows.deploy.start import Begun, Watch
from tests.fakes.clock import START, FakeClock
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from collections.abc import Callable

LABEL = Label("deploy", "staging")
NAME = "staging-web-service"


class EventfulClock(FakeClock):
    """A clock at which something happens.

    Attributes:
        events: called once, when their time has come, by seconds from the start.
    """

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[float, Callable[[], object]] = {}

    def advance(self, seconds: float) -> None:
        """Let time pass, and happen what must."""
        super().advance(seconds)
        for due in [at for at in self.events if at <= self.elapsed()]:
            self.events.pop(due)()


@pytest.fixture
def clock() -> EventfulClock:
    """Time, with events."""
    return EventfulClock()


@pytest.fixture
def tools(clock: EventfulClock) -> FakeTools:
    """A world in which a deployment may take ten minutes."""
    return FakeTools(settings=settings(deploy={"timeout": "10m"}), clock=clock)


def watch(tools: FakeTools, *, usual: float = 0.0) -> Watch:
    """Return what waits for the service until the deadline."""
    service = tools.platform.service(NAME)
    return Watch(service=service, release="v0.2.0", label=LABEL, tools=tools, until=600.0, usual=usual)


def begin(tools: FakeTools, *, automatic: bool = False, look: bool = False, usual: float = 0.0) -> str:
    """Start or adopt a deployment that was not there before."""
    adopt = start.begun_after(tools.clock.now(), known={each.identity for each in tools.platform.history[NAME]})
    begun = start.begin(watch(tools, usual=usual), adopt=adopt, automatic=automatic, look=look)
    return begun.operation if begun else ""


def test_starts_a_deployment_where_none_is_under_way(tools: FakeTools) -> None:
    """At once, and without a question, when none is expected to start by itself."""
    assert begin(tools) == f"{NAME}-1"

    assert tools.platform.started == [NAME]
    assert tools.platform.looked == []
    assert tools.clock.slept == []


def test_adopts_the_deployment_that_a_moved_tag_has_started(tools: FakeTools, clock: EventfulClock) -> None:
    """Two of them would race; nothing is started beside it."""
    clock.events[8] = lambda: tools.platform.begin(NAME)

    assert begin(tools, automatic=True) == f"{NAME}-1"

    assert tools.platform.started == []


@pytest.mark.parametrize(("ago", "at"), [(1, 2), (4, 0), (-60, 3)])
def test_knows_when_the_one_that_it_adopts_has_begun(
    tools: FakeTools, clock: EventfulClock, ago: float, at: float
) -> None:
    """So it is looked at when it should be over; clocks that differ move that neither before the tag nor after now."""
    tools.platform.now = lambda: clock.now() - timedelta(seconds=ago)
    tools.platform.lasting = 240
    clock.events[0.1] = lambda: tools.platform.begin(NAME)
    adopt = start.begun_after(tools.clock.now())

    found = start.begin(watch(tools, usual=240), adopt=adopt, automatic=True)

    assert found is not None
    assert found.at == pytest.approx(at, abs=0.8)


def test_starts_one_when_the_expected_one_does_not_come(tools: FakeTools) -> None:
    """Auto-deployment is waited for, and not for ever; where deployments take minutes, it is looked for seldom."""
    begin(tools, automatic=True, usual=240)

    assert tools.platform.started == [NAME]
    assert tools.clock.elapsed() == start.AUTOMATIC_START
    assert len(tools.platform.looked) == 3


def test_takes_up_what_an_earlier_run_may_have_begun(tools: FakeTools) -> None:
    """It is looked for at once; when it is not there, it was never begun."""
    adopt = start.begun_after(tools.clock.now())
    begun = tools.platform.begin(NAME)

    found = start.begin(watch(tools), adopt=adopt, automatic=False, look=True)
    assert found == Begun(operation=begun, at=0)
    assert tools.clock.slept == []

    tools.platform.history[NAME].clear()
    tools.platform.become(NAME, "RUNNING")
    found = start.begin(watch(tools), adopt=adopt, automatic=False, look=True)
    assert found == Begun(operation=f"{NAME}-1", at=0)
    assert tools.platform.started == [NAME]


def test_does_not_adopt_what_was_there_before(tools: FakeTools) -> None:
    """The last release's deployment carries the last release."""
    before = tools.platform.begin(NAME)
    tools.platform.lasting = 5

    identity = begin(tools)

    assert identity == f"{NAME}-2"
    assert identity != before


def test_adopts_the_first_of_several(tools: FakeTools) -> None:
    """The first after the tag moved carries the release; a later one is somebody's second thought."""
    adopt = start.begun_after(tools.clock.now())
    first = tools.platform.begin(NAME)
    tools.platform.operations(tools.platform.service(NAME))
    tools.platform.begin(NAME)

    found = start.begin(watch(tools), adopt=adopt, automatic=True)
    assert found is not None
    assert found.operation == first


def test_waits_while_the_service_is_busy_with_something_else(tools: FakeTools, clock: EventfulClock) -> None:
    """A pause or an update of somebody else's ends at some time; people are told once."""
    tools.platform.polls = 10**6
    tools.platform.begin(NAME, kind="UPDATE_SERVICE")
    clock.events[60] = lambda: tools.platform.become(NAME, "RUNNING")

    assert begin(tools) == f"{NAME}-2"

    assert tools.clock.elapsed() >= 60
    assert tools.reporter.lines.count(f"deploy staging: {NAME} is busy with another operation; waiting") == 1


def test_gives_up_on_a_service_that_stays_busy(tools: FakeTools) -> None:
    """At the deadline, and having asked seldom."""
    tools.platform.become(NAME, "OPERATION_IN_PROGRESS")

    assert begin(tools) == ""

    assert tools.clock.elapsed() == 600
    assert tools.platform.started == []
    assert len(tools.platform.looked) < 30


def test_a_service_that_is_paused_or_deleted_while_it_is_waited_for_is_an_error(
    tools: FakeTools, clock: EventfulClock
) -> None:
    """There is nothing to wait for any more."""
    tools.platform.become(NAME, "OPERATION_IN_PROGRESS")
    clock.events[60] = lambda: tools.platform.become(NAME, "PAUSED")
    with pytest.raises(Undeployable, match="PAUSED"):
        begin(tools)

    tools.platform.become(NAME, "OPERATION_IN_PROGRESS")
    clock.events[clock.elapsed() + 60] = lambda: tools.platform.services.pop(NAME)
    with pytest.raises(NotFound):
        begin(tools)


@pytest.mark.parametrize(
    ("kind", "started", "finished", "ours"),
    [
        ("START_DEPLOYMENT", 1, None, True),
        ("START_DEPLOYMENT", 1, 2, True),
        ("START_DEPLOYMENT", -4, None, True),
        ("START_DEPLOYMENT", -4, 1, True),
        ("START_DEPLOYMENT", -4, -1, False),
        ("START_DEPLOYMENT", -6, None, False),
        ("UPDATE_SERVICE", 60, None, False),
        ("CREATE_SERVICE", 1, None, False),
        ("PAUSE_SERVICE", 1, None, False),
    ],
)
def test_knows_its_deployment_by_its_time(*, kind: str, started: float, finished: float | None, ours: bool) -> None:
    """Two clocks may differ a little; what began well before the intent, or was over by then, is somebody else's."""
    begun = Operation(
        identity="1",
        kind=kind,
        state="IN_PROGRESS",
        started=START + timedelta(seconds=started),
        finished=None if finished is None else START + timedelta(seconds=finished),
    )

    assert start.begun_after(START)(begun) is ours
    assert not start.begun_after(START, known={"1"})(evolve(begun, started=START))
