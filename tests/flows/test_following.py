"""Following one deployment to its end, whatever else happens on the service."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.domain.release import Label
from kaizen_tasks.domain.service import Operation
from kaizen_tasks.errors import DeployFailed
from kaizen_tasks.flows import following
from tests.fakes.clock import START, FakeClock
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.domain.service import Service

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


@pytest.fixture
def service(tools: FakeTools) -> Service:
    """The service that is deployed."""
    return tools.platform.service(NAME)


def start(tools: FakeTools, service: Service, *, automatic: bool = False, known: tuple[str, ...] = ()) -> str:
    """Start or adopt a deployment that was not there before."""
    return following.start_or_adopt(
        service, LABEL, tools, adopt=following.unseen(frozenset(known)), automatic=automatic
    )


def test_starts_a_deployment_where_none_is_under_way(tools: FakeTools, service: Service) -> None:
    """At once, when none is expected to start by itself."""
    identity = start(tools, service)

    assert identity == f"{NAME}-1"
    assert tools.platform.started == [NAME]
    assert tools.clock.slept == []


def test_adopts_the_deployment_that_a_moved_tag_has_started(
    tools: FakeTools, service: Service, clock: EventfulClock
) -> None:
    """Two of them would race; nothing is started beside it."""
    clock.events[8] = lambda: tools.platform.begin(NAME)

    identity = start(tools, service, automatic=True)

    assert identity == f"{NAME}-1"
    assert tools.platform.started == []


def test_starts_one_when_the_expected_one_does_not_come(tools: FakeTools, service: Service) -> None:
    """Auto-deployment is waited for, and not for ever."""
    start(tools, service, automatic=True)

    assert tools.platform.started == [NAME]
    assert following.AUTOMATIC_START <= tools.clock.elapsed() < 2 * following.AUTOMATIC_START


def test_does_not_adopt_what_was_there_before(tools: FakeTools, service: Service) -> None:
    """The last release's deployment carries the last release."""
    before = tools.platform.begin(NAME)
    tools.platform.operations(service)

    assert start(tools, service, known=(before,)) == f"{NAME}-2"


def test_waits_while_the_service_is_busy_with_something_else(
    tools: FakeTools, service: Service, clock: EventfulClock
) -> None:
    """A pause or an update of somebody else's ends at some time."""
    tools.platform.polls = 10**6
    tools.platform.begin(NAME, kind="PAUSE_SERVICE")
    clock.events[60] = lambda: tools.platform.become(NAME, "RUNNING")

    identity = start(tools, service)

    assert identity == f"{NAME}-2"
    assert tools.clock.elapsed() >= 60
    assert f"deploy staging: {NAME} is busy with another operation; waiting" in tools.reporter.lines


def test_gives_up_on_a_service_that_stays_busy(tools: FakeTools, service: Service) -> None:
    """The error says what state things are in, and that the command can be typed again."""
    tools.platform.become(NAME, "OPERATION_IN_PROGRESS")

    with pytest.raises(DeployFailed, match=f"{NAME} stayed busy for 10m") as failed:
        start(tools, service)

    assert "the old one is serving" in failed.value.state
    assert failed.value.hint == "type the same command again"
    assert tools.platform.started == []


@pytest.mark.parametrize("outcome", ["SUCCEEDED", "FAILED", "ROLLBACK_SUCCEEDED", "ROLLBACK_FAILED"])
def test_returns_the_operation_once_it_has_ended(tools: FakeTools, service: Service, outcome: str) -> None:
    """However it ended: what that means is for the step to say."""
    tools.platform.polls = 20
    tools.platform.outcomes[NAME] = outcome
    identity = tools.platform.start(service)

    ended = following.to_the_end(service, identity, LABEL, tools)

    assert (ended.identity, ended.state) == (identity, outcome)


def test_says_each_state_once(tools: FakeTools, service: Service) -> None:
    """A log is not filled with what has not changed."""
    tools.platform.polls = 20
    identity = tools.platform.start(service)

    following.to_the_end(service, identity, LABEL, tools)

    assert tools.reporter.lines == ["deploy staging: IN_PROGRESS after 0.0s"]


def test_asks_less_and_less_often(tools: FakeTools, service: Service) -> None:
    """The platform's rate limits are shared by all environments."""
    tools.platform.polls = 20
    following.to_the_end(service, tools.platform.start(service), LABEL, tools)

    slept = tools.clock.slept
    assert slept == sorted(slept)
    assert (slept[0], slept[-1]) == (0.2, 15.0)


def test_waits_for_its_own_operation_although_another_is_newer(tools: FakeTools, service: Service) -> None:
    """Somebody else's success proves nothing."""
    ours = tools.platform.start(service)
    tools.platform.outcomes[NAME] = "FAILED"
    tools.platform.operations(service)
    tools.platform.outcomes.clear()
    tools.platform.begin(NAME)
    tools.platform.operations(service)

    assert following.to_the_end(service, ours, LABEL, tools).state == "FAILED"


def test_waits_for_an_operation_that_is_not_listed_yet(
    tools: FakeTools, service: Service, clock: EventfulClock
) -> None:
    """The list is eventually consistent."""
    clock.events[30] = lambda: tools.platform.begin(NAME)

    ended = following.to_the_end(service, f"{NAME}-1", LABEL, tools)

    assert ended.succeeded
    assert tools.reporter.lines[0] == "deploy staging: not in the list of operations yet after 0.0s"


def test_gives_up_on_an_operation_that_does_not_end(tools: FakeTools, service: Service) -> None:
    """The deadline is the configured one."""
    tools.platform.polls = 10**6
    identity = tools.platform.start(service)

    with pytest.raises(DeployFailed, match=f"the deployment {identity} of {NAME} has not ended in 10m") as failed:
        following.to_the_end(service, identity, LABEL, tools)

    assert failed.value.state == "its last state was IN_PROGRESS"
    assert tools.clock.elapsed() == pytest.approx(600, abs=15)


@pytest.mark.parametrize(
    ("kind", "seconds", "ours"),
    [
        ("START_DEPLOYMENT", 1, True),
        ("UPDATE_SERVICE", 60, True),
        ("START_DEPLOYMENT", -4, True),
        ("START_DEPLOYMENT", -6, False),
        ("PAUSE_SERVICE", 1, False),
    ],
)
def test_a_resumed_run_knows_its_deployment_by_its_time(*, kind: str, seconds: float, ours: bool) -> None:
    """Two clocks may differ a little; what began well before the intent is somebody else's."""
    begun = Operation(identity="1", kind=kind, state="IN_PROGRESS", started=START + timedelta(seconds=seconds))

    assert following.begun_after(START)(begun) is ours
