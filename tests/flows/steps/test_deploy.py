"""The deploy step: its ledger entries, and the state after a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.decision import Act, Done
from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.service import OperationKind, OperationState, ServiceStatus
from kaizen_tasks.domain.version import parse_version_file
from kaizen_tasks.errors import (
    Denied,
    DeployFailed,
    KaizenError,
    NotFound,
    PushFailed,
    Refused,
    Undeployable,
    Unreachable,
)
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.steps import Deploy
from tests.fakes.registry import OCI_MANIFEST
from tests.fakes.tools import FakeTools, settings
from tests.flows.deploy.test_start import EventfulClock

if TYPE_CHECKING:
    from collections.abc import Callable

NAME, REPOSITORY = "staging-web-service", "staging-web-app"


def made(version: str) -> Release:
    """Return a release with an image."""
    return Release(version=parse_version_file(version.encode()), commit=version * 5, digest=f"sha256:{version}")


OLD, NEW, NEXT = made("0.1.0"), made("0.2.0"), made("0.3.0")


@pytest.fixture
def clock() -> EventfulClock:
    """A clock with events."""
    return EventfulClock()


@pytest.fixture
def tools(clock: EventfulClock) -> FakeTools:
    """Tools with v0.1.0 verified in staging, and the next image in its repository."""
    tools = FakeTools(settings=settings(deploy={"timeout": "10m"}), clock=clock)
    for release in (OLD, NEW, NEXT):
        image = Image(digest=release.digest, media_type=OCI_MANIFEST, version=release.name, revision=release.commit)
        tools.registry.put(REPOSITORY, release.name, image)
    deploy(tools, OLD)
    tools.ledger.all_entries[-1] = evolve(tools.ledger.all_entries[-1], took=0.0)
    entries.append(Event.VERIFIED, tools.settings.environments["staging"], OLD, tools)
    clock.advance(3600)
    tools.platform.started_services.clear()
    tools.platform.poll_times.clear()
    tools.reporter.lines.clear()
    return tools


def deploy(tools: FakeTools, release: Release) -> None:
    """Decide and act as a flow does, and check that it is done."""
    step = Deploy(environment=tools.settings.environments["staging"])
    decision = step.decide(release, tools)
    assert isinstance(decision, Act), decision
    after = step.act(release, tools)
    assert isinstance(step.decide(after, tools), Done)


def told(tools: FakeTools) -> list[str]:
    """Return the entries that the test added, oldest first."""
    return [f"{entry.event} {entry.version}" for entry in tools.ledger.all_entries[3:]]


def fails(tools: FakeTools, release: Release = NEW) -> DeployFailed:
    """Deploy, and return how that fails."""
    with pytest.raises(DeployFailed) as failed:
        deploy(tools, release)
    return failed.value


def test_deploy_records_start_and_end(tools: FakeTools) -> None:
    tools.platform.operation_seconds = 240

    deploy(tools, NEW)

    started, deployed = tools.ledger.all_entries[3:]
    assert (started.event, deployed.event) == (Event.STARTED, Event.DEPLOYED)
    assert started.operation == deployed.operation == f"{NAME}-2"
    assert deployed.took == 240


def test_intent_is_recorded_before_the_first_change(tools: FakeTools) -> None:
    """A registry that fails at the first change leaves an entry that says who started what."""
    tools.registry.failures[REPOSITORY] = PushFailed("no")

    with pytest.raises(PushFailed):
        deploy(tools, NEW)

    assert told(tools) == ["started v0.2.0"]


def test_poll_interval_is_the_median_of_recent_deployments(tools: FakeTools) -> None:
    """Their median, by the platform's clock: 100, 140 and 240 s make 140."""
    for seconds, release in ((140, NEW), (240, NEXT), (100, OLD)):
        tools.platform.operation_seconds = seconds
        deploy(tools, release)
        tools.clock.advance(60)
    tools.platform.poll_times.clear()
    tools.platform.operation_seconds = 140
    began = tools.clock.now()

    deploy(tools, NEW)

    assert [(each - began).total_seconds() for each in tools.platform.poll_times] == [pytest.approx(142.8)]


def test_first_poll_interval_comes_from_earlier_operations(clock: EventfulClock) -> None:
    """The platform lists the creation of the service, and deployments that were made by hand."""
    tools = FakeTools(settings=settings(deploy={"timeout": "10m"}), clock=clock)
    image = Image(digest=NEW.digest, media_type=OCI_MANIFEST, version=NEW.name, revision=NEW.commit)
    tools.registry.put(REPOSITORY, NEW.name, image)
    tools.platform.operation_seconds = 200
    tools.platform.begin_operation(NAME, kind=OperationKind.CREATION)
    clock.advance(1000)
    began = clock.now()

    deploy(tools, NEW)

    assert [(each - began).total_seconds() for each in tools.platform.poll_times] == [0, pytest.approx(204)]


@pytest.mark.parametrize("status", [ServiceStatus.PAUSED, ServiceStatus.CREATION_FAILED, ServiceStatus.UNAVAILABLE])
def test_undeployable_service_is_refused_before_the_first_change(tools: FakeTools, status: ServiceStatus) -> None:
    tools.platform.set_status(NAME, status)

    with pytest.raises(Undeployable, match=status.name) as refused:
        deploy(tools, NEW)

    assert refused.value.hint == "resume it"
    assert (tools.latest("staging"), told(tools)) == ("v0.1.0", [])


def test_missing_service_is_refused_before_the_first_change(tools: FakeTools) -> None:
    tools.platform.services.pop(NAME)

    with pytest.raises(NotFound):
        deploy(tools, NEW)

    assert (tools.latest("staging"), told(tools)) == ("v0.1.0", [])


def ends_with(state: OperationState) -> Callable[[FakeTools, EventfulClock], None]:
    """Return a function that makes the deployment end with a state."""

    def arrange(tools: FakeTools, _clock: EventfulClock) -> None:
        tools.platform.outcomes[NAME] = state

    return arrange


def hangs(tools: FakeTools, _clock: EventfulClock) -> None:
    """Make the deployment hang."""
    tools.platform.operation_seconds = 10**6


def disappears(tools: FakeTools, clock: EventfulClock) -> None:
    """Remove the deployment from the list."""
    hangs(tools, clock)
    tools.platform.hidden_operations.add(f"{NAME}-2")


def is_deleted(tools: FakeTools, clock: EventfulClock) -> None:
    """Delete the service during the deployment."""
    hangs(tools, clock)
    clock.events[clock.monotonic() + 1] = lambda: tools.platform.services.pop(NAME)


def is_paused(tools: FakeTools, clock: EventfulClock) -> None:
    """Pause the service before the deployment starts."""
    tools.platform.set_status(NAME, ServiceStatus.BUSY)
    clock.events[clock.monotonic() + 1] = lambda: tools.platform.set_status(NAME, ServiceStatus.PAUSED)


def stays_busy(tools: FakeTools, _clock: EventfulClock) -> None:
    """Make the service busy with another operation."""
    tools.platform.set_status(NAME, ServiceStatus.BUSY)


FAILURES = [
    (ends_with(OperationState.FAILED), "failed", "v0.2.0 with FAILED"),
    (ends_with(OperationState.ROLLED_BACK), "failed", "v0.2.0 with ROLLED_BACK"),
    (hangs, "failed", "has not ended in 10m"),
    (disappears, "abandoned", "never came into the list of operations"),
    (is_deleted, "abandoned", "there is no service"),
    (is_paused, "failed", "cannot deploy: it is PAUSED"),
    (stays_busy, "failed", "stayed busy, or did not answer, for 10m"),
]


@pytest.mark.parametrize(("arrange", "event", "what"), FAILURES, ids=[each[2] for each in FAILURES])
def test_failed_deployment_moves_latest_back_and_is_recorded(
    tools: FakeTools, clock: EventfulClock, arrange: Callable[[FakeTools, EventfulClock], None], event: str, what: str
) -> None:
    """The next restart of the service must not pick up what has just failed."""
    arrange(tools, clock)

    failed = fails(tools)

    assert what in failed.message
    assert tools.latest("staging") == "v0.1.0"
    assert failed.state.endswith(":latest points to what was serving again")
    assert told(tools) == ["started v0.2.0", f"{event} v0.2.0"]
    assert tools.ledger.all_entries[-1].reason == failed.message
    assert failed.hint


def test_refused_start_is_recorded_as_a_failure(tools: FakeTools) -> None:
    """It is certain that nothing was started; the same command starts it when it is allowed."""
    denied = Denied("cannot start: AccessDenied", hint="ask for this permission", is_without_effect=True)
    tools.platform.start_failures[NAME] = denied

    failed = fails(tools)

    assert str(failed).splitlines() == [
        "cannot start: AccessDenied",
        "no deployment was started: what was serving still serves; :latest points to what was serving again",
        "ask for this permission; then run the same command again",
    ]
    assert (told(tools), tools.latest("staging")) == (["started v0.2.0", "failed v0.2.0"], "v0.1.0")
    assert tools.ledger.all_entries[-1].reason == "cannot start: AccessDenied"
    deploy(tools, NEW)
    assert told(tools)[2:] == ["started v0.2.0", "deployed v0.2.0"]


def test_refused_tag_is_recorded_as_a_failure(tools: FakeTools) -> None:
    tools.registry.failures[REPOSITORY] = Denied("cannot move: AccessDenied", is_without_effect=True)

    failed = fails(tools)

    assert failed.message == "cannot move: AccessDenied"
    assert told(tools) == ["started v0.2.0", "failed v0.2.0"]


@pytest.mark.parametrize(
    "error",
    [Unreachable("no answer"), DeployFailed("500", state="it may have taken effect"), Denied("expired")],
    ids=["no answer", "no outcome", "no credentials"],
)
def test_start_without_an_answer_stays_open(tools: FakeTools, error: KaizenError) -> None:
    """Nobody knows whether it was started: the next run looks for it."""
    tools.platform.start_failures[NAME] = error

    with pytest.raises(type(error)) as raised:
        deploy(tools, NEW)

    assert (raised.value, told(tools)) == (error, ["started v0.2.0"])
    tools.platform.begin_operation(NAME)
    deploy(tools, NEW)
    assert (tools.platform.started_services, told(tools)) == ([], ["started v0.2.0", "deployed v0.2.0"])


def test_refused_start_of_a_resumed_deployment_is_recorded(tools: FakeTools) -> None:
    """The platform lists no deployment of the earlier run, and refuses to start one."""
    entries.append(Event.STARTED, tools.settings.environments["staging"], NEW, tools)
    tools.platform.start_failures[NAME] = DeployFailed("InvalidRequest", is_without_effect=True)

    fails(tools)

    assert told(tools) == ["started v0.2.0", "failed v0.2.0"]


def test_refused_tag_of_a_resumed_deployment_says_nothing_about_it(tools: FakeTools) -> None:
    entries.append(Event.STARTED, tools.settings.environments["staging"], NEW, tools)
    tools.registry.failures[REPOSITORY] = Denied("cannot move: AccessDenied", is_without_effect=True)

    with pytest.raises(Denied):
        deploy(tools, NEW)

    assert told(tools) == ["started v0.2.0"]


def test_failed_first_deployment_moves_latest_back(clock: EventfulClock) -> None:
    tools = FakeTools(clock=clock)
    for release in (OLD, NEW):
        image = Image(digest=release.digest, media_type=OCI_MANIFEST, version=release.name, revision=release.commit)
        tools.registry.put(REPOSITORY, release.name, image)
    tools.registry.move_tag(repository=REPOSITORY, tag="latest", digest=OLD.digest)
    tools.platform.outcomes[NAME] = OperationState.FAILED

    fails(tools)

    assert tools.latest("staging") == "v0.1.0"


def test_failing_tag_move_does_not_hide_the_failure(tools: FakeTools, clock: EventfulClock) -> None:
    tools.platform.outcomes[NAME] = OperationState.FAILED
    tools.platform.operation_seconds = 10
    clock.events[clock.monotonic() + 5] = lambda: tools.registry.failures.update({REPOSITORY: PushFailed("it is full")})

    failed = fails(tools)

    assert failed.message.endswith("v0.2.0 with FAILED")
    assert failed.state.endswith("may still serve, beside it; :latest still points to v0.2.0: it is full")
    assert told(tools)[-1] == "failed v0.2.0"


class TestLogs:
    """Logs of platform and app."""

    @pytest.fixture(autouse=True)
    def _failing(self, tools: FakeTools) -> None:
        tools.platform.outcomes[NAME] = OperationState.ROLLED_BACK

    def test_logs_are_shown_and_the_reason_is_in_the_error(self, tools: FakeTools) -> None:
        tools.logs.deployments[f"{NAME}-2"] = (
            "[AppRunner] Deployment with ID : 2 started.",
            "[AppRunner] Deployment with ID : 2 failed. Failure reason : Health check failed.",
        )
        tools.logs.instances[NAME] = [(tools.clock.now(), ("Traceback", "\x1b[31mKeyError\x1b[0m: 'DATABASE_URL'"))]

        failed = fails(tools)

        message = f"{NAME} ended its deployment of v0.2.0 with ROLLED_BACK: Health check failed"
        assert failed.message == f"{message}; the app's log ends with: KeyError: 'DATABASE_URL'"
        assert tools.ledger.entries("staging")[0].reason == message
        assert tools.reporter.lines[-6:] == [
            "  staging: last lines of the deployment log:",
            "    staging | [AppRunner] Deployment with ID : 2 started.",
            "    staging | [AppRunner] Deployment with ID : 2 failed. Failure reason : Health check failed.",
            "  staging: last lines of the application log:",
            "    staging | Traceback",
            "    staging | KeyError: 'DATABASE_URL'",
        ]

    def test_logs_of_another_time_are_not_shown(self, tools: FakeTools) -> None:
        tools.logs.instances[NAME] = [(tools.clock.now().replace(year=2020), ("long ago",))]

        fails(tools)

        assert not any("long ago" in line for line in tools.reporter.lines)
        assert "  staging: the application log is empty" in tools.reporter.lines

    def test_unreadable_logs_do_not_hide_the_failure(self, tools: FakeTools) -> None:
        tools.logs.failure = Refused("cannot read: AccessDeniedException")

        failed = fails(tools)

        assert failed.message.endswith("v0.2.0 with ROLLED_BACK")
        assert (
            "  staging: the deployment log cannot be read: cannot read: AccessDeniedException" in tools.reporter.lines
        )
        assert tools.latest("staging") == "v0.1.0"


class TestAgain:
    """Running the same command again after it was stopped or gave up."""

    def test_running_operation_is_resumed(self, tools: FakeTools) -> None:
        begin_and_stop(tools, NEW)

        deploy(tools, NEW)

        assert tools.platform.started_services == [NAME]
        assert told(tools) == ["started v0.2.0", "deployed v0.2.0"]

    def test_operation_without_recorded_identifier_is_found(self, tools: FakeTools) -> None:
        begin_and_stop(tools, NEW)
        tools.ledger.all_entries[-1] = evolve(tools.ledger.all_entries[-1], operation="")

        deploy(tools, NEW)

        assert tools.platform.started_services == [NAME]
        assert tools.ledger.all_entries[-2].operation == f"{NAME}-2"

    def test_recorded_intent_without_operation_is_started(self, tools: FakeTools) -> None:
        entries.append(Event.STARTED, tools.settings.environments["staging"], NEW, tools)

        deploy(tools, NEW)

        assert tools.platform.started_services == [NAME]
        assert tools.latest("staging") == "v0.2.0"
        assert told(tools) == ["started v0.2.0", "deployed v0.2.0"]

    def test_hanging_operation_is_waited_for_again(self, tools: FakeTools) -> None:
        hangs(tools, EventfulClock())
        fails(tools)
        tools.platform.operation_seconds = 700

        deploy(tools, NEW)

        assert tools.platform.started_services == [NAME]
        assert tools.latest("staging") == "v0.2.0"
        assert told(tools) == ["started v0.2.0", "failed v0.2.0", "deployed v0.2.0"]

    def test_deployment_starts_over_after_a_failed_one(self, tools: FakeTools) -> None:
        tools.platform.outcomes[NAME] = OperationState.FAILED
        fails(tools)
        tools.platform.outcomes.clear()

        deploy(tools, NEW)

        assert tools.platform.started_services == [NAME, NAME]
        assert told(tools) == ["started v0.2.0", "failed v0.2.0", "started v0.2.0", "deployed v0.2.0"]

    def test_deployment_starts_over_after_a_later_operation(self, tools: FakeTools) -> None:
        hangs(tools, EventfulClock())
        fails(tools)
        tools.platform.operation_seconds = 5
        tools.platform.list_operations(tools.platform.get_service(NAME))
        tools.platform.begin_operation(NAME)
        tools.clock.advance(60)

        deploy(tools, NEW)

        assert tools.platform.started_services == [NAME, NAME]

    def test_deployment_starts_over_when_the_operation_is_gone(self, tools: FakeTools) -> None:
        begin_and_stop(tools, NEW)
        tools.platform.hidden_operations.add(f"{NAME}-2")
        tools.platform.set_status(NAME, ServiceStatus.RUNNING)
        tools.clock.advance(86400)

        deploy(tools, NEW)

        assert told(tools) == ["started v0.2.0", "abandoned v0.2.0", "started v0.2.0", "deployed v0.2.0"]


def begin_and_stop(tools: FakeTools, release: Release) -> None:
    """Deploy, and be stopped while waiting."""

    def stop() -> None:
        raise KeyboardInterrupt

    assert isinstance(tools.clock, EventfulClock)
    tools.platform.operation_seconds = 100
    tools.clock.events[tools.clock.monotonic()] = stop
    with pytest.raises(KeyboardInterrupt):
        deploy(tools, release)


class TestAbandoned:
    """A deployment that was started and is not waited for any more."""

    def test_other_open_deployment_is_recorded_as_abandoned(self, tools: FakeTools) -> None:
        begin_and_stop(tools, NEW)
        tools.actor = "grace@desktop"

        deploy(tools, NEXT)

        assert told(tools) == ["started v0.2.0", "abandoned v0.2.0", "started v0.3.0", "deployed v0.3.0"]
        abandoned = tools.ledger.all_entries[4]
        assert (abandoned.actor, abandoned.reason) == ("grace@desktop", "v0.3.0 is deployed instead")
        assert abandoned.operation == f"{NAME}-2"

    def test_other_open_deployment_is_not_adopted(self, tools: FakeTools) -> None:
        tools.platform.services[NAME] = evolve(tools.platform.services[NAME], auto_deploys=True)
        tools.platform.begin_operation(NAME)
        entries.append(Event.STARTED, tools.settings.environments["staging"], NEW, tools)
        tools.platform.operation_seconds = 100

        deploy(tools, NEXT)

        assert tools.ledger.all_entries[-1].operation == f"{NAME}-3"

    def test_abandoned_deployment_is_planned_as_a_new_one(self, tools: FakeTools) -> None:
        disappears(tools, EventfulClock())
        fails(tools)

        step = Deploy(environment=tools.settings.environments["staging"])

        decision = step.decide(NEW, tools)
        assert isinstance(decision, Act)
        assert decision.description.endswith(", again")


def test_automatic_start_is_expected_only_when_the_tag_moves(tools: FakeTools) -> None:
    """When `:latest` names the release already, nothing starts by itself."""
    tools.platform.services[NAME] = evolve(tools.platform.services[NAME], auto_deploys=True)
    tools.registry.move_tag(repository=REPOSITORY, tag="latest", digest=NEW.digest)

    deploy(tools, NEW)

    assert tools.platform.started_services == [NAME]
    assert tools.clock.monotonic() < 3600 + 5


def test_unreachable_platform_leaves_the_intent_open(tools: FakeTools, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployment goes on by itself; running the command again finds it."""

    def unreachable(*_: object) -> None:
        raise Unreachable("down")

    monkeypatch.setattr(type(tools.platform), "list_operations", unreachable)
    with pytest.raises(Unreachable):
        deploy(tools, NEW)
    monkeypatch.undo()

    deploy(tools, NEW)

    assert tools.platform.started_services == [NAME]
    assert told(tools) == ["started v0.2.0", "deployed v0.2.0"]
