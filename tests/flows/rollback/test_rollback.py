"""The way back: by hand, and when a release does not prove itself."""

from __future__ import annotations

import pytest
from semver import Version

from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Refused, RollbackFailed, VerifyFailed
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.release import files
from kaizen_tasks.flows.rollback import candidates
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
    target = candidates.choose_release(staging, Version.parse(wanted) if wanted else None, tools)
    return run_flow(catalogue.rollback(staging, reason="slow"), target, tools)


def release_or_go_back(tools: FakeTools) -> Release:
    """Type `inv release-staging`."""
    tools.next_command()
    flow = catalogue.release(Bump(accept_released=True), tools.settings.first_stage)
    return run_with_auto_rollback(flow, Release(version=files.read_version(tools)), tools, apply_step)


def test_goes_back_to_the_last_verified_release_without_a_build(tools: FakeTools) -> None:
    """The release before the serving one comes into service again, proven and recorded."""
    builds = tools.builder.build_count

    assert go_back(tools).name == "v0.2.0"

    assert tools.running_versions["staging"] == "v0.2.0"
    assert tools.latest("staging") == "v0.2.0"
    assert tools.builder.build_count == builds
    events = [entry.event for entry in tools.ledger.entries("staging")]
    assert events[0] is Event.VERIFIED
    assert Event.ROLLBACK in events


def test_typed_again_it_is_done_and_goes_no_further(tools: FakeTools) -> None:
    """A second rollback is not a way back to what was left, nor to the release before."""
    go_back(tools)
    started = tools.platform.started_services[:]

    assert go_back(tools.next_command()).name == "v0.2.0"

    assert tools.reporter.labels_with("act") == []
    assert tools.platform.started_services == started


@pytest.mark.parametrize("stopped_after", range(1, 5))
def test_a_stopped_rollback_is_finished(tools: FakeTools, stopped_after: int) -> None:
    """Wherever it is stopped, the same command leads to the same release."""
    staging = tools.settings.environments["staging"]
    flow = catalogue.rollback(staging, reason="slow")
    run_flow(flow[:stopped_after], candidates.choose_release(staging, None, tools), tools)

    assert go_back(tools.next_command()).name == "v0.2.0"

    assert tools.running_versions["staging"] == "v0.2.0"


def test_refuses_when_there_is_nothing_to_go_back_to() -> None:
    """The first release of all has no way back."""
    tools = FakeTools()
    release(tools)

    with pytest.raises(Refused, match="no verified release before"):
        go_back(tools)


def test_refuses_a_release_that_was_never_verified_here(tools: FakeTools) -> None:
    """What can be gone back to is named in the hint."""
    with pytest.raises(Refused, match=r"v7\.0\.0 was never verified") as refused:
        go_back(tools, "7.0.0")

    assert refused.value.hint == "verified there: v0.2.0"


def test_refuses_an_image_that_is_gone(tools: FakeTools) -> None:
    """A lifecycle rule may have deleted it; that is found before anything is changed."""
    repository = tools.registry.repositories["staging-web-app"]
    del repository.images[repository.tags["v0.2.0"]]

    with pytest.raises(Refused, match=r"no longer has v0\.2\.0"):
        go_back(tools)

    assert tools.running_versions["staging"] == "v0.2.1"


def test_goes_back_by_itself_when_the_new_release_does_not_prove_itself(tools: FakeTools) -> None:
    """The error says what is serving, and the ledger has both the failure and the way back."""
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


def test_says_so_when_the_way_back_fails_as_well(tools: FakeTools) -> None:
    """Then a person is needed, and the exit code says that."""
    note_a_fix(tools)
    tools.platform.on_deployed = lambda _: tools.running_versions.update(staging="broken")

    with pytest.raises(RollbackFailed) as failed:
        release_or_go_back(tools)

    assert failed.value.exit_code == 10


def test_leaves_a_first_release_in_service_since_there_is_no_other() -> None:
    """Without a verified release before it, the unproven one stays and the error is the verification's own."""
    tools = FakeTools(stuck_services={"staging"})

    with pytest.raises(VerifyFailed, match=r"v0\.1\.0"):
        release_or_go_back(tools)
