"""Promotion: the same bytes, with evidence, in waves."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.domain.health import ProbeResponse
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.service import OperationState
from kaizen_tasks.errors import DeployFailed, Interrupted, Refused, RolloutFailed
from kaizen_tasks.flows.execution import execute_change
from kaizen_tasks.flows.promote.promotion import plan_promotion
from kaizen_tasks.flows.promote.rollout import RolloutOptions
from tests.fakes.tools import FakeTools, settings
from tests.flows.release.test_release import release

if TYPE_CHECKING:
    from kaizen_tasks.domain.service import Service


@pytest.fixture
def tools() -> FakeTools:
    """A world in which staging has v0.2.0, verified."""
    made = FakeTools()
    release(made)
    return made.next_command()


def promote(tools: FakeTools, name: str, *, version: Version | None = None, dry: bool = False) -> None:
    """Run `inv promote-NAME --yes`."""
    tools.dry = dry
    options = RolloutOptions(command=(f"promote-{name}",))
    change = plan_promotion(tools.settings.stage(name), version, options, tools)
    assert change is not None
    execute_change(change, tools, confirm=lambda *_: None, command="")


def test_promotion_copies_one_digest_to_every_environment(tools: FakeTools) -> None:
    """Nothing is built or pushed on the way."""
    builds = len(tools.builder.pushed_specs)

    promote(tools, "prod")
    promote(tools, "beta")

    digests = {
        repository.tags[tag] for repository in tools.registry.repositories.values() for tag in ("v0.2.0", "latest")
    }
    assert len(digests) == 1
    assert len(tools.builder.pushed_specs) == builds
    assert set(tools.running_versions.values()) == {"v0.2.0"}


def test_promotion_ends_with_what_serves_where_and_the_next_promotion(tools: FakeTools) -> None:
    promote(tools, "prod", dry=True)
    assert tools.reporter.summaries == []

    promote(tools, "prod")
    promote(tools, "beta")

    assert tools.reporter.summaries == [
        ("prod serves v0.2.0", "next: inv promote-beta"),
        ("mark, shane, dom serve v0.2.0", ""),
    ]


def test_second_promotion_changes_nothing(tools: FakeTools) -> None:
    promote(tools, "prod")
    before = (list(tools.registry.calls), tools.platform.started_services[:], len(tools.ledger.all_entries))
    tools.next_command()

    promote(tools, "prod")

    assert tools.reporter.labels_with("act") == []
    assert before == (list(tools.registry.calls), tools.platform.started_services[:], len(tools.ledger.all_entries))


def test_promotion_within_a_shared_repository_moves_only_the_tag_that_the_environment_follows() -> None:
    tools = FakeTools(settings=settings(defaults={"repository": "web", "follow": "{env}"}))
    release(tools)

    promote(tools.next_command(), "prod")

    tags = tools.registry.repositories["web"].tags
    assert tags.keys() == {"v0.2.0", "staging", "prod"}
    assert len({*tags.values()}) == 1
    assert not [call for call in tools.registry.calls if call.startswith("copy")]
    assert (tools.running_versions["prod"], tools.running_versions["mark"]) == ("v0.2.0", "v0.1.0")


def test_promotion_needs_a_release_that_was_verified_in_the_previous_stage(tools: FakeTools) -> None:
    with pytest.raises(Refused, match="no release was verified in prod"):
        promote(tools, "beta")


def test_promotion_refuses_a_named_version_that_was_never_verified(tools: FakeTools) -> None:
    with pytest.raises(Refused, match=r"v9\.9\.9 was never verified in staging"):
        promote(tools, "prod", version=Version.parse("9.9.9"))


def test_promotion_refuses_to_replace_another_image_of_the_same_version(tools: FakeTools) -> None:
    image = tools.registry.find_image("staging-web-app", "latest")
    assert image is not None
    tools.registry.put("prod-web-app", "v0.2.0", evolve(image, digest="sha256:" + "0" * 64))

    with pytest.raises(Refused, match="never replaced"):
        promote(tools, "prod")

    assert tools.running_versions["prod"] == "v0.1.0"


def test_dry_promotion_shows_the_plan_of_every_environment_and_changes_nothing(tools: FakeTools) -> None:
    promote(tools, "prod")
    calls = list(tools.registry.calls)
    tools.next_command()

    promote(tools, "beta", dry=True)

    assert {label.split()[1] for label in tools.reporter.labels_with("act")} == {"mark", "shane", "dom"}
    assert tools.registry.calls == calls


def test_failing_canary_leaves_the_other_environments_untouched(tools: FakeTools) -> None:
    """The error names done, failed and untouched environments."""
    promote(tools, "prod")
    tools.platform.outcomes["mark-web-service"] = OperationState.ROLLED_BACK

    with pytest.raises(RolloutFailed) as failed:
        promote(tools, "beta")

    assert failed.value.exit_code == 9
    assert failed.value.state == "failed: mark; untouched: shane, dom"
    assert failed.value.hint == "continue: inv promote-beta --release v0.2.0"
    assert (tools.running_versions["shane"], tools.running_versions["dom"]) == ("v0.1.0", "v0.1.0")


def test_rollout_table_has_the_outcome_of_every_environment_that_is_not_held(tools: FakeTools) -> None:
    promote(tools, "prod")
    tools.holds.add(Hold(environment="dom", reason="race day", actor="ada@laptop", since=tools.clock.now()))
    tools.platform.outcomes["shane-web-service"] = OperationState.ROLLED_BACK

    with pytest.raises(RolloutFailed):
        promote(tools, "beta")

    assert [list(each) for each in tools.reporter.rollouts] == [["mark", "shane"]]
    assert tools.reporter.outcomes["mark"] == ""
    assert "shane-web-service ended its deployment" in tools.reporter.outcomes["shane"]


def test_failure_after_the_canary_does_not_stop_environments_that_run_beside_it(tools: FakeTools) -> None:
    promote(tools, "prod")
    tools.platform.outcomes["shane-web-service"] = OperationState.FAILED

    with pytest.raises(RolloutFailed) as failed:
        promote(tools, "beta")

    assert failed.value.state == "done: mark, dom; failed: shane"
    tools.platform.outcomes.clear()
    promote(tools.next_command(), "beta")
    assert set(tools.running_versions.values()) == {"v0.2.0"}


def test_reason_that_several_environments_have_is_told_once(tools: FakeTools) -> None:
    promote(tools, "prod")
    tools.settings = evolve(tools.settings, rollout=tools.settings.rollout._replace(canary=0, max_failures=9))
    for name in ("mark", "dom"):
        tools.platform.outcomes[f"{name}-web-service"] = OperationState.ROLLED_BACK
    tools.platform.outcomes["shane-web-service"] = OperationState.FAILED

    with pytest.raises(RolloutFailed) as failed:
        promote(tools, "beta")

    reason = "mark: mark-web-service ended its deployment of v0.2.0 with ROLLED_BACK"
    assert f"{reason}; likewise dom; shane: " in failed.value.message


def test_state_of_an_environment_that_failed_is_noted(tools: FakeTools) -> None:
    promote(tools, "prod")
    tools.platform.outcomes["shane-web-service"] = OperationState.ROLLED_BACK

    with pytest.raises(RolloutFailed):
        promote(tools, "beta")

    assert any(line.startswith("  shane: the old release is serving") for line in tools.reporter.lines)


def test_promotion_to_one_environment_raises_its_own_error(tools: FakeTools) -> None:
    tools.platform.outcomes["prod-web-service"] = OperationState.FAILED

    with pytest.raises(DeployFailed):
        promote(tools, "prod")


def test_latest_tag_points_to_the_serving_image_after_a_failure(tools: FakeTools) -> None:
    """Else the next restart of the service would start the failed one."""
    promote(tools, "prod")
    verified = tools.latest("prod")
    tools.scm.commit({"CHANGELOG.md": tools.scm.working_tree.files["CHANGELOG.md"].replace(b"## [0.2.0]", NEXT, 1)})
    tools.upstream.branches["main"] = tools.scm.head().commit
    release(tools)
    tools.platform.outcomes["prod-web-service"] = OperationState.ROLLED_BACK

    with pytest.raises(DeployFailed):
        promote(tools, "prod")

    assert tools.latest("prod") == verified
    assert tools.ledger.entries("prod")[0].event is Event.FAILED


NEXT = b"### Fixed\n\n- A typo\n\n## [0.2.0]"


def test_rollout_waits_once_after_the_canary() -> None:
    tools = FakeTools(settings=settings(rollout={"canary": 1, "parallel": 1, "bake": "7s"}))
    release(tools)
    promote(tools.next_command(), "prod")

    promote(tools, "beta")

    assert tools.clock.sleeps.count(7) == 1


@pytest.mark.parametrize("version", ["v9.0.0", "broken"])
def test_rollout_stops_when_the_canary_no_longer_runs_the_release_after_the_bake(version: str) -> None:
    """It has crashed, or somebody has deployed another release there."""
    tools = FakeTools(settings=settings(rollout={"canary": 1, "bake": "7s"}, verify={"timeout": "9s"}))
    release(tools)
    promote(tools.next_command(), "prod")
    bake = tools.clock.sleep

    def sleep(seconds: float) -> None:
        bake(seconds)
        if seconds == 7:
            tools.running_versions["mark"] = version

    tools.clock.sleep = sleep  # type: ignore[method-assign]

    with pytest.raises(RolloutFailed, match=f"mark: https://mark.example/version answers {version}") as failed:
        promote(tools, "beta")

    assert failed.value.state == "failed: mark; untouched: shane, dom"
    assert tools.ledger.entries("mark")[0].event is Event.FAILED


def test_dry_rollout_does_not_wait() -> None:
    tools = FakeTools(settings=settings(rollout={"canary": 1, "bake": "1h"}))
    release(tools)
    promote(tools.next_command(), "prod")
    slept = len(tools.clock.sleeps)

    promote(tools, "beta", dry=True)

    assert len(tools.clock.sleeps) == slept


def version_of(tools: FakeTools, name: str) -> ProbeResponse:
    """Return what an app answers that runs what was deployed."""
    return ProbeResponse(
        status=200, body=json.dumps({"version": tools.running_versions[name], "environment": name}).encode()
    )


def test_rollout_window_slides_past_a_slow_environment() -> None:
    tools = FakeTools(settings=settings(rollout={"canary": 0, "parallel": 2}))
    release(tools)
    promote(tools.next_command(), "prod")
    begun = threading.Event()
    answers = tools.prober.answers

    def slow() -> ProbeResponse:
        return version_of(tools, "mark") if begun.wait(timeout=120) else ProbeResponse(error="waits for nothing")

    def last() -> ProbeResponse:
        begun.set()
        return version_of(tools, "dom")

    answers |= {"https://mark.example/version": slow, "https://dom.example/version": last}
    promote(tools, "beta")

    assert set(tools.running_versions.values()) == {"v0.2.0"}


def test_rollout_starts_no_environment_after_too_many_failures() -> None:
    tools = FakeTools(settings=settings(rollout={"canary": 0, "parallel": 1}))
    release(tools)
    promote(tools.next_command(), "prod")
    tools.platform.outcomes["shane-web-service"] = OperationState.FAILED

    with pytest.raises(RolloutFailed) as failed:
        promote(tools, "beta")

    assert failed.value.state == "done: mark; failed: shane; untouched: dom"


def test_interrupt_cancels_every_wait(tools: FakeTools) -> None:
    """Otherwise Ctrl-C would take effect when the slowest deployment is over."""
    promote(tools, "prod")

    def interrupted(_service: Service) -> None:
        raise KeyboardInterrupt

    tools.platform.on_deployed = interrupted
    with pytest.raises(KeyboardInterrupt):
        promote(tools, "beta")
    with pytest.raises(Interrupted):
        tools.clock.sleep(1)
