"""Deployments on a platform that follows no tag: told a digest, superseded, stopped by hand or by a later run."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.decision import Act, Done
from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.service import OperationState, ServiceStatus
from kaizen_tasks.domain.version import parse_version_file
from kaizen_tasks.errors import DeployFailed, Superseded
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.steps import Deploy
from tests.fakes.registry import OCI_MANIFEST
from tests.fakes.tools import FakeTools, settings

NAME, REPOSITORY = "staging-web-service", "staging-web-app"


def made(version: str, digit: str) -> Release:
    """Return a release with an image."""
    return Release(version=parse_version_file(version.encode()), commit=digit * 40, digest=f"sha256:{digit * 64}")


OLD, NEW, NEXT = made("0.1.0", "a"), made("0.2.0", "b"), made("0.3.0", "c")


@pytest.fixture
def tools() -> FakeTools:
    """Tools with v0.1.0 verified in staging, and the next images in its repository."""
    return made_tools("ecs-express")


def made_tools(platform: str) -> FakeTools:
    """Return tools with v0.1.0 verified in staging on a platform, and the next images in its repository."""
    tools = FakeTools(settings=settings(defaults={"platform": platform}, deploy={"timeout": "10m"}))
    for release in (OLD, NEW, NEXT):
        image = Image(digest=release.digest, media_type=OCI_MANIFEST, version=release.name, revision=release.commit)
        tools.registry.put(REPOSITORY, release.name, image)
    deploy(tools, OLD)
    entries.append(Event.VERIFIED, tools.settings.environments["staging"], OLD, tools)
    tools.clock.advance(3600)
    tools.platform.started_services.clear()
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


def kill_after_start(tools: FakeTools, release: Release) -> None:
    """Leave behind what a killed run leaves: an intent with its operation, and the deployment in progress."""
    environment = tools.settings.environments["staging"]
    intent = entries.append(Event.STARTED, environment, release, tools)
    tools.platform.polls = 1000
    operation = tools.platform.begin_operation(NAME, image=f"registry.example/{REPOSITORY}@{release.digest}")
    tools.ledger.set_operation(intent, operation)


def test_service_is_told_the_digest_and_no_tag_moves(tools: FakeTools) -> None:
    deploy(tools, NEW)

    assert tools.platform.started_images[NAME].endswith(f"/{REPOSITORY}@{NEW.digest}")
    assert tools.registry.find_image(REPOSITORY, "latest") is None
    assert tools.running_versions["staging"] == "v0.2.0"
    assert told(tools) == ["started v0.2.0", "deployed v0.2.0"]


def test_image_that_is_configured_is_deployed_already(tools: FakeTools) -> None:
    step = Deploy(environment=tools.settings.environments["staging"])

    assert isinstance(step.decide(OLD, tools), Done)


def test_failure_says_why_and_moves_no_tag(tools: FakeTools) -> None:
    tools.platform.outcomes[NAME] = OperationState.ROLLED_BACK

    with pytest.raises(DeployFailed, match=r"ended its deployment of v0\.2\.0 with ROLLED_BACK") as failed:
        deploy(tools, NEW)

    assert failed.value.exit_code == 7
    assert failed.value.state == "the old release is serving"
    assert told(tools) == ["started v0.2.0", "failed v0.2.0"]


class TestSuperseded:
    """Somebody's later deployment took the place of ours."""

    def supersede(self, tools: FakeTools) -> Superseded:
        """Let somebody deploy another image while ours is being deployed; return how ours ends."""
        tools.platform.polls = 3
        polls = tools.platform.poll_times

        def deploy_another(seconds: float) -> None:
            tools.clock.advance(seconds)
            if len(polls) == len_before + 1:
                tools.platform.begin_operation(NAME, image=f"registry.example/{REPOSITORY}@{NEXT.digest}")

        len_before = len(polls)
        tools.clock.sleep = deploy_another  # type: ignore[method-assign]
        with pytest.raises(Superseded) as superseded:
            deploy(tools, NEW)
        return superseded.value

    def test_has_its_own_words_and_exit_code(self, tools: FakeTools) -> None:
        error = self.supersede(tools)

        message = "staging: another deployment has superseded that of v0.2.0 to staging-web-service"
        assert (error.message, error.exit_code) == (message, 8)
        assert error.state == "v0.2.0 is not recorded as verified; the other deployment is left as it is"
        assert error.hint.endswith("to deploy again: inv deploy --env staging --release v0.2.0")

    def test_is_no_failure_of_the_release(self, tools: FakeTools) -> None:
        self.supersede(tools)

        assert told(tools) == ["started v0.2.0", "abandoned v0.2.0"]
        assert tools.platform.started_services == [NAME]

    def test_of_a_killed_run_is_not_deployed_again_unasked(self, tools: FakeTools) -> None:
        kill_after_start(tools, NEW)
        tools.platform.begin_operation(NAME, image=f"registry.example/{REPOSITORY}@{NEXT.digest}")

        with pytest.raises(Superseded):
            deploy(tools, NEW)

        assert tools.platform.started_services == []

    def test_release_can_be_deployed_again(self, tools: FakeTools) -> None:
        self.supersede(tools)
        tools.platform.polls = 0
        tools.platform.list_operations(tools.platform.services[NAME])

        deploy(tools, NEW)

        assert tools.running_versions["staging"] == "v0.2.0"


def test_deployment_that_somebody_stopped_has_its_own_words(tools: FakeTools) -> None:
    tools.platform.outcomes[NAME] = OperationState.STOPPED

    with pytest.raises(DeployFailed) as failed:
        deploy(tools, NEW)

    assert failed.value.state.startswith("somebody has stopped it")
    assert failed.value.hint.startswith("ask who has stopped it")


class TestStop:
    """A deployment of a killed run is in progress when another release is deployed."""

    def test_it_is_stopped_and_what_served_before_serves_without_a_deployment(self, tools: FakeTools) -> None:
        kill_after_start(tools, NEW)

        deploy(tools, OLD)

        newest = tools.platform.history[NAME][0]
        assert newest.state is OperationState.ROLLED_BACK
        assert tools.platform.started_services == []
        assert told(tools) == ["started v0.2.0", "abandoned v0.2.0", "started v0.1.0", "deployed v0.1.0"]

    def test_it_is_stopped_and_another_release_is_deployed(self, tools: FakeTools) -> None:
        kill_after_start(tools, NEW)
        tools.platform.polls = 0

        deploy(tools, NEXT)

        assert tools.running_versions["staging"] == "v0.3.0"
        assert tools.platform.history[NAME][1].state is OperationState.ROLLED_BACK
        assert tools.platform.services[NAME].status is ServiceStatus.RUNNING

    def test_one_that_outlived_its_timeout_is_stopped_for_the_fix(self, tools: FakeTools) -> None:
        tools.platform.polls = 1_000_000
        with pytest.raises(DeployFailed, match="has not ended in"):
            deploy(tools, NEW)
        tools.platform.polls = 0

        deploy(tools, NEXT)

        assert tools.running_versions["staging"] == "v0.3.0"
        assert tools.platform.history[NAME][1].state is OperationState.ROLLED_BACK

    def test_deployment_of_somebody_else_is_waited_for(self, tools: FakeTools) -> None:
        tools.platform.polls = 3
        tools.platform.begin_operation(NAME, image=f"registry.example/{REPOSITORY}@{NEW.digest}")

        deploy(tools, NEXT)

        assert [operation.state for operation in tools.platform.history[NAME][:2]] == [OperationState.SUCCEEDED] * 2


class TestInterruption:
    """Somebody presses Ctrl-C while a deployment is waited for; nothing ends it on the platform."""

    @staticmethod
    def interrupt(tools: FakeTools) -> None:
        def press_ctrl_c(seconds: float) -> None:
            raise KeyboardInterrupt(seconds)

        tools.platform.polls = 3
        tools.clock.sleep = press_ctrl_c  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            deploy(tools, NEW)

    def test_names_what_stops_the_deployment(self, tools: FakeTools) -> None:
        self.interrupt(tools)

        assert tools.reporter.lines[-1:] == ["staging: the deployment goes on; to stop it: inv rollback --env staging"]

    def test_names_nothing_where_no_deployment_can_be_stopped(self) -> None:
        tools = made_tools("apprunner")

        self.interrupt(tools)

        assert not any("to stop it" in line for line in tools.reporter.lines)
