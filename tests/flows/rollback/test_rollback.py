"""The way back: by hand, and when a release does not prove itself."""

from __future__ import annotations

import pytest
from semver import Version

from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Refused, RollbackFailed, VerifyFailed
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.release import files
from kaizen_tasks.flows.rollback import manual
from kaizen_tasks.flows.rollback.automatic import run_with_auto_rollback
from kaizen_tasks.flows.runner import apply_step, run_flow
from kaizen_tasks.flows.steps import Bump
from tests.fakes.tools import FakeTools
from tests.flows.release.test_release import release

FIX = b"## [Unreleased]\n\n### Fixed\n\n- It\n"


@pytest.fixture
def tools() -> FakeTools:
    """A world in which staging has verified v0.2.0 and then v0.2.1."""
    made = FakeTools()
    release(made)
    note_a_fix(made)
    release(made)
    return made.next_command()


def note_a_fix(tools: FakeTools) -> None:
    """Commit an entry under `[Unreleased]`."""
    noted = tools.scm.working_tree.files["CHANGELOG.md"].replace(b"## [Unreleased]\n", FIX, 1)
    tools.upstream.branches["main"] = tools.scm.commit({"CHANGELOG.md": noted})


def go_back(tools: FakeTools, wanted: str = "") -> Release:
    """Type `inv rollback --env staging`."""
    staging = tools.settings.environments["staging"]
    target = manual.choose_release(staging, Version.parse(wanted) if wanted else None, tools)
    return run_flow(catalogue.rollback(staging, reason="slow"), target, tools)


def release_or_go_back(tools: FakeTools) -> Release:
    """Type `inv release-staging`."""
    tools.next_command()
    flow = catalogue.release(Bump(accept_released=True), tools.settings.first_stage)
    return run_with_auto_rollback(flow, Release(version=files.read_version(tools)), tools, apply_step)


def test_rollback_redeploys_the_last_verified_release_without_a_build(tools: FakeTools) -> None:
    builds = tools.builder.build_count

    assert go_back(tools).name == "v0.2.0"

    assert tools.running_versions["staging"] == "v0.2.0"
    assert tools.latest("staging") == "v0.2.0"
    assert tools.builder.build_count == builds
    events = [entry.event for entry in tools.ledger.entries("staging")]
    assert events[0] is Event.VERIFIED
    assert Event.ROLLBACK in events


def test_second_rollback_goes_no_further_back(tools: FakeTools) -> None:
    go_back(tools)
    started = tools.platform.started_services[:]

    assert go_back(tools.next_command()).name == "v0.2.0"

    assert tools.reporter.labels_with("act") == []
    assert tools.platform.started_services == started


@pytest.mark.parametrize("stopped_after", range(1, 5))
def test_interrupted_rollback_is_finished_by_the_same_command(tools: FakeTools, stopped_after: int) -> None:
    staging = tools.settings.environments["staging"]
    flow = catalogue.rollback(staging, reason="slow")
    run_flow(flow[:stopped_after], manual.choose_release(staging, None, tools), tools)

    assert go_back(tools.next_command()).name == "v0.2.0"

    assert tools.running_versions["staging"] == "v0.2.0"


def test_rollback_of_the_first_release_is_refused() -> None:
    tools = FakeTools()
    release(tools)

    with pytest.raises(Refused, match="no verified release before"):
        go_back(tools)


def test_rollback_to_a_release_that_was_never_verified_is_refused(tools: FakeTools) -> None:
    """The hint names the verified ones."""
    with pytest.raises(Refused, match=r"v7\.0\.0 was never verified") as refused:
        go_back(tools, "7.0.0")

    assert refused.value.hint == "verified there: v0.2.0"


def test_rollback_to_the_serving_release_is_refused_as_that(tools: FakeTools) -> None:
    with pytest.raises(Refused, match=r"^staging: v0\.2\.1 is the release that is serving"):
        go_back(tools, "0.2.1")


def test_rollback_to_a_deleted_image_is_refused(tools: FakeTools) -> None:
    """A lifecycle rule may have deleted it."""
    repository = tools.registry.repositories["staging-web-app"]
    del repository.images[repository.tags["v0.2.0"]]

    with pytest.raises(Refused, match=r"no longer has v0\.2\.0"):
        go_back(tools)

    assert tools.running_versions["staging"] == "v0.2.1"


def test_failed_verification_rolls_back_automatically(tools: FakeTools) -> None:
    """The error says what is serving, and the ledger has the failure and the rollback."""
    note_a_fix(tools)
    tools.platform.on_deployed = lambda _: tools.running_versions.update(
        staging="v0.2.1" if tools.latest("staging") == "v0.2.1" else "broken"
    )

    with pytest.raises(VerifyFailed) as failed:
        release_or_go_back(tools)

    assert failed.value.exit_code == 8
    assert "v0.2.1 is serving again" in failed.value.state
    assert tools.latest("staging") == "v0.2.1"
    assert [entry.event for entry in tools.ledger.entries("staging", limit=20)][:2] == [Event.VERIFIED, Event.DEPLOYED]
    assert ("v0.2.2", Event.FAILED) in {(entry.version, entry.event) for entry in tools.ledger.all_entries}


def test_failed_automatic_rollback_has_its_own_exit_code(tools: FakeTools) -> None:
    note_a_fix(tools)
    tools.platform.on_deployed = lambda _: tools.running_versions.update(staging="broken")

    with pytest.raises(RollbackFailed) as failed:
        release_or_go_back(tools)

    assert failed.value.exit_code == 10


def test_first_release_stays_in_service_when_its_verification_fails() -> None:
    tools = FakeTools(stuck_services={"staging"})

    with pytest.raises(VerifyFailed, match=r"v0\.1\.0"):
        release_or_go_back(tools)
