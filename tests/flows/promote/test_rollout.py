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
from kaizen_tasks.errors import DeployFailed, Interrupted, Refused, RolloutFailed
from kaizen_tasks.flows.execution import execute_change
from kaizen_tasks.flows.promote.promotion import RolloutOptions, plan_promotion
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


def test_brings_the_same_digest_from_staging_to_the_last_tenant(tools: FakeTools) -> None:
    """Nothing is built or pushed on the way; every repository ends with one and the same digest."""
    builds = len(tools.builder.pushed_specs)

    promote(tools, "prod")
    promote(tools, "beta")

    digests = {
        repository.tags[tag] for repository in tools.registry.repositories.values() for tag in ("v0.2.0", "latest")
    }
    assert len(digests) == 1
    assert len(tools.builder.pushed_specs) == builds
    assert set(tools.running_versions.values()) == {"v0.2.0"}


def test_says_already_done_when_typed_again(tools: FakeTools) -> None:
    """A second promotion copies nothing and starts nothing."""
    promote(tools, "prod")
    before = (list(tools.registry.calls), tools.platform.started_services[:], len(tools.ledger.all_entries))
    tools.next_command()

    promote(tools, "prod")

    assert tools.reporter.labels_with("act") == []
    assert before == (list(tools.registry.calls), tools.platform.started_services[:], len(tools.ledger.all_entries))


def test_refuses_what_was_not_verified_in_the_stage_before(tools: FakeTools) -> None:
    """Beta comes after prod: a release that prod has not proven is not promoted to a tenant."""
    with pytest.raises(Refused, match="no release was verified in prod"):
        promote(tools, "beta")


def test_refuses_a_version_that_was_never_verified(tools: FakeTools) -> None:
    """A version that is named must have its proof as well."""
    with pytest.raises(Refused, match=r"v9\.9\.9 was never verified in staging"):
        promote(tools, "prod", version=Version.parse("9.9.9"))


def test_refuses_to_replace_other_bytes_under_the_same_version(tools: FakeTools) -> None:
    """A repository that holds another image as v0.2.0 is left as it is."""
    image = tools.registry.find_image("staging-web-app", "latest")
    assert image is not None
    tools.registry.put("prod-web-app", "v0.2.0", evolve(image, digest="sha256:" + "0" * 64))

    with pytest.raises(Refused, match="never replaced"):
        promote(tools, "prod")

    assert tools.running_versions["prod"] == "v0.1.0"


def test_changes_nothing_when_dry(tools: FakeTools) -> None:
    """The dry run of a group shows the plan of every tenant."""
    promote(tools, "prod")
    calls = list(tools.registry.calls)
    tools.next_command()

    promote(tools, "beta", dry=True)

    assert {label.split()[1] for label in tools.reporter.labels_with("act")} == {"mark", "shane", "dom"}
    assert tools.registry.calls == calls


def test_stops_after_the_canary_and_says_what_is_untouched(tools: FakeTools) -> None:
    """A failing canary keeps the rest as they are; the error names done, failed and untouched."""
    promote(tools, "prod")
    tools.platform.outcomes["mark-web-service"] = "ROLLBACK_SUCCEEDED"

    with pytest.raises(RolloutFailed) as failed:
        promote(tools, "beta")

    assert failed.value.exit_code == 9
    assert failed.value.state == "failed: mark; untouched: shane, dom"
    assert failed.value.hint == "inv promote-beta --release v0.2.0 continues"
    assert (tools.running_versions["shane"], tools.running_versions["dom"]) == ("v0.1.0", "v0.1.0")


def test_environments_stand_side_by_side_with_what_became_of_them(tools: FakeTools) -> None:
    """One that is left out is not among them; a single environment stands alone."""
    promote(tools, "prod")
    tools.holds.add(Hold(environment="dom", reason="race day", actor="ada@laptop", since=tools.clock.now()))
    tools.platform.outcomes["shane-web-service"] = "ROLLBACK_SUCCEEDED"

    with pytest.raises(RolloutFailed):
        promote(tools, "beta")

    assert [list(each) for each in tools.reporter.rollouts] == [["mark", "shane"]]
    assert tools.reporter.outcomes["mark"] == ""
    assert "shane-web-service ended its deployment" in tools.reporter.outcomes["shane"]


def test_one_failing_tenant_of_the_last_wave_does_not_stop_the_others(tools: FakeTools) -> None:
    """Environments of one wave are independent, and any failure makes the rollout one."""
    promote(tools, "prod")
    tools.platform.outcomes["shane-web-service"] = "FAILED"

    with pytest.raises(RolloutFailed) as failed:
        promote(tools, "beta")

    assert failed.value.state == "done: mark, dom; failed: shane"
    tools.platform.outcomes.clear()
    promote(tools.next_command(), "beta")
    assert set(tools.running_versions.values()) == {"v0.2.0"}


def test_the_error_of_a_single_environment_is_its_own(tools: FakeTools) -> None:
    """Promotion to one environment exits as that environment failed."""
    tools.platform.outcomes["prod-web-service"] = "FAILED"

    with pytest.raises(DeployFailed):
        promote(tools, "prod")


def test_points_latest_back_at_what_is_serving_after_a_failure(tools: FakeTools) -> None:
    """The next restart of the service must not pick up what has just failed."""
    promote(tools, "prod")
    verified = tools.latest("prod")
    tools.scm.commit({"CHANGELOG.md": tools.scm.working_tree.files["CHANGELOG.md"].replace(b"## [0.2.0]", NEXT, 1)})
    tools.upstream.branches["main"] = tools.scm.head().commit
    release(tools)
    tools.platform.outcomes["prod-web-service"] = "ROLLBACK_SUCCEEDED"

    with pytest.raises(DeployFailed):
        promote(tools, "prod")

    assert tools.latest("prod") == verified
    assert tools.ledger.entries("prod")[0].event is Event.FAILED


NEXT = b"### Fixed\n\n- A typo\n\n## [0.2.0]"


def test_lets_the_canary_bake_as_configured() -> None:
    """The others follow one after the other, without another pause."""
    tools = FakeTools(settings=settings(rollout={"canary": 1, "parallel": 1, "bake": "7s"}))
    release(tools)
    promote(tools.next_command(), "prod")

    promote(tools, "beta")

    assert tools.clock.sleeps.count(7) == 1


def version_of(tools: FakeTools, name: str) -> ProbeResponse:
    """Return what an app answers that runs what was deployed."""
    return ProbeResponse(
        status=200, body=json.dumps({"version": tools.running_versions[name], "environment": name}).encode()
    )


def test_each_one_that_ends_lets_the_next_begin() -> None:
    """A slow environment keeps one place, and not all of them."""
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


def test_too_many_failures_keep_the_next_from_beginning() -> None:
    tools = FakeTools(settings=settings(rollout={"canary": 0, "parallel": 1}))
    release(tools)
    promote(tools.next_command(), "prod")
    tools.platform.outcomes["shane-web-service"] = "FAILED"

    with pytest.raises(RolloutFailed) as failed:
        promote(tools, "beta")

    assert failed.value.state == "done: mark; failed: shane; untouched: dom"


def test_an_interruption_ends_every_wait(tools: FakeTools) -> None:
    """Otherwise Ctrl-C would be heard when the slowest deployment is over."""
    promote(tools, "prod")

    def interrupted(_service: Service) -> None:
        raise KeyboardInterrupt

    tools.platform.on_deployed = interrupted
    with pytest.raises(KeyboardInterrupt):
        promote(tools, "beta")
    with pytest.raises(Interrupted):
        tools.clock.sleep(1)
