"""The way back: by hand, and when a release does not prove itself."""

from __future__ import annotations

import pytest
from semver import Version

from kaizen_tasks.domain.health import ProbeResponse
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Refused, RollbackFailed, VerifyFailed
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.execution import execute_change
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.promote import select
from kaizen_tasks.flows.release import files
from kaizen_tasks.flows.rollback import manual
from kaizen_tasks.flows.rollback.automatic import run_with_auto_rollback
from kaizen_tasks.flows.rollback.candidates import list_candidates
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
    target = manual.choose_target(staging, Version.parse(wanted) if wanted else None, tools)
    flow = catalogue.rollback(staging, reason="slow", source=target.source)
    return run_flow(flow, target.release, tools)


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


def hold_staging(tools: FakeTools) -> None:
    hold = Hold(environment="staging", reason="seven decimals", actor="ada@laptop", since=tools.clock.now())
    tools.holds.add(hold)


def test_rollback_of_a_held_environment_says_so_before_anybody_is_asked(tools: FakeTools) -> None:
    hold_staging(tools)
    staging = tools.settings.environments["staging"]
    change = manual.plan_rollback((staging,), None, reason="slow", tools=tools)
    said_before: list[str] = []

    execute_change(change, tools, confirm=lambda *_: said_before.extend(tools.reporter.lines), command="")

    (note,) = (text for text in said_before if "seven decimals" in text)
    assert note.startswith("  staging is held by ada@laptop since ")
    assert note.endswith("it is rolled back all the same, and stays held")


def test_hold_of_a_rollback_has_its_own_reason_and_that_of_the_hold_before(tools: FakeTools) -> None:
    hold_staging(tools)

    for _ in range(2):
        go_back(tools.next_command())

        hold = tools.holds.get("staging")
        assert hold is not None
        assert hold.reason == "rolled back: slow; held before: seven decimals"


@pytest.mark.parametrize("stopped_after", range(1, 5))
def test_interrupted_rollback_is_finished_by_the_same_command(tools: FakeTools, stopped_after: int) -> None:
    staging = tools.settings.environments["staging"]
    flow = catalogue.rollback(staging, reason="slow")
    run_flow(flow[:stopped_after], manual.choose_target(staging, None, tools).release, tools)

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


def delete_image(tools: FakeTools, version: str, environment: str = "staging") -> None:
    """Delete an image, as a lifecycle rule does."""
    repository = tools.registry.repositories[f"{environment}-web-app"]
    del repository.images[repository.tags.pop(version)]


def copy_to_prod(tools: FakeTools, version: str) -> None:
    """Put an image of staging into prod's repository too."""
    image = tools.registry.find_image("staging-web-app", version)
    assert image is not None
    tools.registry.put("prod-web-app", version, image)


def test_rollback_to_an_image_that_no_repository_has_is_refused(tools: FakeTools) -> None:
    delete_image(tools, "v0.2.0")

    with pytest.raises(Refused, match=r"^staging: no repository of the pipeline has an image of v0\.2\.0") as refused:
        go_back(tools)

    assert refused.value.hint == "release a fix, or see the other releases: inv rollback --env staging --list"
    assert tools.running_versions["staging"] == "v0.2.1"


def test_rollback_copies_the_image_back_from_another_environment(tools: FakeTools) -> None:
    copy_to_prod(tools, "v0.2.0")
    digest = tools.registry.repositories["staging-web-app"].tags["v0.2.0"]
    delete_image(tools, "v0.2.0")

    assert go_back(tools).digest == digest

    assert tools.running_versions["staging"] == "v0.2.0"
    assert tools.registry.repositories["staging-web-app"].tags["v0.2.0"] == digest
    assert tools.reporter.lines[0] == "staging: v0.2.0 is copied back from prod-web-app"


def test_rollback_passes_over_a_release_without_an_image(tools: FakeTools) -> None:
    note_a_fix(tools)
    release(tools)
    delete_image(tools, "v0.2.1")

    assert go_back(tools.next_command()).name == "v0.2.0"
    assert tools.reporter.lines[0] == "staging: no repository has v0.2.1 any more"


def test_candidates_say_which_repository_has_the_image(tools: FakeTools) -> None:
    note_a_fix(tools)
    release(tools)
    copy_to_prod(tools, "v0.2.0")
    delete_image(tools, "v0.2.0")

    found = list_candidates(tools.settings.environments["staging"], tools)

    assert [(each.entry.version, each.image_environment, each.image_exists) for each in found] == [
        ("v0.2.1", "staging", True),
        ("v0.2.0", "prod", False),
    ]


def test_release_that_was_rolled_back_is_no_candidate(tools: FakeTools) -> None:
    """The error says who rolled back, when and why, and how to bring it back all the same."""
    go_back(tools)

    with pytest.raises(Refused, match=r"^staging: v0\.2\.1 was rolled back .* by ada@laptop: slow") as refused:
        go_back(tools.next_command(), "0.2.1")

    assert list_candidates(tools.settings.environments["staging"], tools) == ()
    assert refused.value.hint == "to bring it back all the same: inv deploy --env staging --release v0.2.1"


def test_release_that_failed_later_is_no_candidate(tools: FakeTools) -> None:
    staging = tools.settings.environments["staging"]
    entries.append(Event.FAILED, staging, manual.choose_target(staging, None, tools).release, tools, reason="HTTP 500")

    with pytest.raises(Refused, match="no verified release before"):
        go_back(tools)


def test_finished_rollback_says_how_to_go_further_back(tools: FakeTools) -> None:
    note_a_fix(tools)
    release(tools)
    go_back(tools)

    assert go_back(tools.next_command()).name == "v0.2.1"
    note = tools.reporter.lines[0]
    assert note.startswith("staging was rolled back to v0.2.1 ")
    assert note.endswith(" by ada@laptop; further back: --release v0.2.0")
    assert go_back(tools.next_command(), "0.2.0").name == "v0.2.0"


def test_rollback_of_an_unfinished_deployment_returns_to_the_serving_release(tools: FakeTools) -> None:
    """The deployment of v0.2.1 was interrupted; v0.2.0 was serving before."""
    staging = tools.settings.environments["staging"]
    serving, newest = manual.choose_target(staging, None, tools).release, tools.ledger.entries("staging")[0]
    tools.ledger.all_entries[:] = [entry for entry in tools.ledger.all_entries if entry.version == serving.name]
    entries.append(Event.STARTED, staging, entries.release_from_entry(newest), tools)

    assert manual.choose_target(staging, None, tools).release == serving


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


def test_automatic_rollback_that_a_cache_hides_is_unproven(tools: FakeTools) -> None:
    note_a_fix(tools)
    answer = ProbeResponse(status=200, body=b'{"version": "v0.2.1", "environment": "staging"}', headers={"age": "60"})

    def on_deployed(_: object) -> None:
        tools.running_versions.update(staging="broken")
        if tools.latest("staging") == "v0.2.1":
            tools.prober.answers["https://staging.example/version"] = answer

    tools.platform.on_deployed = on_deployed

    with pytest.raises(RollbackFailed) as failed:
        release_or_go_back(tools)

    assert failed.value.message == "staging: v0.2.2 failed verification; v0.2.1 is deployed again, and not proven"
    assert failed.value.hint.endswith("; then: inv verify --env staging --release v0.2.1")


def test_first_release_stays_in_service_when_its_verification_fails() -> None:
    tools = FakeTools(stuck_services={"staging"})

    with pytest.raises(VerifyFailed, match=r"v0\.1\.0"):
        release_or_go_back(tools)


def test_automatic_rollback_copies_the_image_back(tools: FakeTools) -> None:
    note_a_fix(tools)
    copy_to_prod(tools, "v0.2.1")
    delete_image(tools, "v0.2.1")
    tools.platform.on_deployed = lambda _: tools.running_versions.update(
        staging="v0.2.1" if tools.latest("staging") == "v0.2.1" else "broken"
    )

    with pytest.raises(VerifyFailed) as failed:
        release_or_go_back(tools)

    assert failed.value.state == "v0.2.1 is serving again, verified; v0.2.2 is recorded as failed"
    note = "rolling back to v0.2.1 in staging (v0.2.1 is copied back from prod-web-app)"
    assert note in tools.reporter.lines


def test_automatic_rollback_without_any_image_says_what_is_missing(tools: FakeTools) -> None:
    note_a_fix(tools)
    delete_image(tools, "v0.2.1")
    delete_image(tools, "v0.2.0")
    tools.platform.on_deployed = lambda _: tools.running_versions.update(staging="broken")

    with pytest.raises(VerifyFailed) as failed:
        release_or_go_back(tools)

    assert failed.value.state == (
        "v0.2.2 still serves, recorded as failed: no repository of the pipeline has an image of v0.2.1, v0.2.0"
        " to roll back to"
    )
    assert failed.value.hint == "after a fix that is noted and committed: inv release-staging"


def verify_again(tools: FakeTools, version: str) -> None:
    """Type `inv verify --env staging`."""
    staging = tools.settings.environments["staging"]
    flow = catalogue.verify_only(staging)
    run_with_auto_rollback(flow, Release(version=Version.parse(version)), tools, apply_step, auto_rollback=False)


def test_later_failure_of_a_verified_release_is_recorded(tools: FakeTools) -> None:
    """It is not promoted until it is verified again."""
    tools.running_versions["staging"] = "broken"
    with pytest.raises(VerifyFailed) as failed:
        verify_again(tools, "0.2.1")
    with pytest.raises(Refused, match=r"^v0\.2\.1 failed in staging .* by ada@laptop: https://staging.example/version"):
        select.find_verified_release(tools.settings.first_stage, None, tools)

    assert failed.value.state.startswith("recorded: v0.2.1 is no longer promoted from staging")
    tools.running_versions["staging"] = "v0.2.1"
    verify_again(tools, "0.2.1")
    assert select.find_verified_release(tools.settings.first_stage, None, tools).name == "v0.2.1"


@pytest.mark.parametrize(
    "answer",
    [
        ProbeResponse(status=200, body=b'{"release": "v0.2.1", "environment": "staging"}'),
        ProbeResponse(status=200, body=b'{"version": "v0.2.1"}'),
        ProbeResponse(status=200, body=b"<!doctype html><title>Log in</title>"),
        ProbeResponse(status=200, body=b"{", error="answers more than 65536 bytes"),
        ProbeResponse(status=302, headers={"location": "https://login.example"}),
        ProbeResponse(status=401),
        ProbeResponse(status=403),
        ProbeResponse(status=404),
    ],
    ids=lambda answer: f"{answer.status} {answer.body.decode()}",
)
def test_answer_about_no_version_withdraws_nothing(tools: FakeTools, answer: ProbeResponse) -> None:
    """The configuration may ask in a wrong way, such as one with a typo that only this person has."""
    written = len(tools.ledger.all_entries)
    tools.prober.answers["https://staging.example/version"] = answer

    with pytest.raises(VerifyFailed) as failed:
        verify_again(tools, "0.2.1")

    assert failed.value.state == (
        "v0.2.1 stays verified in staging: the app has answered no other version or environment"
    )
    assert len(tools.ledger.all_entries) == written
    assert select.find_verified_release(tools.settings.first_stage, None, tools).name == "v0.2.1"


@pytest.mark.parametrize(
    "answer",
    [
        ProbeResponse(status=200, body=b'{"version": "v0.2.0", "environment": "staging"}'),
        ProbeResponse(status=200, body=b'{"version": "v0.2.1", "environment": "demo"}'),
        ProbeResponse(status=503),
        ProbeResponse(error="refuses the connection"),
    ],
    ids=lambda answer: f"{answer.status} {answer.body.decode()}",
)
def test_app_that_is_wrong_or_does_not_answer_withdraws_the_verification(
    tools: FakeTools, answer: ProbeResponse
) -> None:
    tools.prober.answers["https://staging.example/version"] = answer

    with pytest.raises(VerifyFailed) as failed:
        verify_again(tools, "0.2.1")

    assert failed.value.state.startswith("recorded: v0.2.1 is no longer promoted from staging")


def test_failure_of_a_release_that_is_not_serving_is_not_recorded(tools: FakeTools) -> None:
    """The app answers v0.2.1, which says nothing about v0.2.0."""
    written = len(tools.ledger.all_entries)

    with pytest.raises(VerifyFailed):
        verify_again(tools, "0.2.0")

    assert len(tools.ledger.all_entries) == written
