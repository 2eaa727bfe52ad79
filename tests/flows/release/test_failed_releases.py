"""What is released after a release that has failed, or was given up, when the branch has moved on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from semver import Version

from kaizen_tasks.domain.decision import Act, Done, Refuse
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.service import OperationState
from kaizen_tasks.errors import DeployFailed, Refused, VerifyFailed
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.next_release import NextRelease, find_next_release
from kaizen_tasks.flows.release import files, pending
from kaizen_tasks.flows.rollback.automatic import run_with_auto_rollback
from kaizen_tasks.flows.runner import apply_step, run_flow
from kaizen_tasks.flows.steps import Bump
from tests.fakes.tools import FakeTools
from tests.flows.release.test_claims import clone, note, release

if TYPE_CHECKING:
    from kaizen_tasks.domain.decision import Decision

AUTO, PATCH = Bump(accept_released=True), Bump(accept_released=True, part="patch")


def configured(tools: FakeTools) -> FakeTools:
    """Return tools whose repository got its configuration before what is released."""
    commit = tools.scm.commit({"kaizen.toml": b'app = "web"\n'}, "Configure the releases")
    tools.upstream.branches["main"] = commit
    tools.upstream.commits.update(tools.scm.commits)
    return tools


def fail_verification(tools: FakeTools) -> None:
    tools.stuck_services.add("staging")
    with pytest.raises(VerifyFailed):
        release_or_go_back(tools)
    tools.stuck_services.clear()


def release_or_go_back(tools: FakeTools) -> None:
    tools.next_command()
    flow = catalogue.release(AUTO, tools.settings.first_stage)
    run_with_auto_rollback(flow, Release(version=files.read_version(tools)), tools, apply_step)


def fail_deployment(tools: FakeTools) -> None:
    tools.platform.outcomes["staging-web-service"] = OperationState.ROLLED_BACK
    with pytest.raises(DeployFailed):
        release(tools)
    tools.platform.outcomes.clear()


def give_up(tools: FakeTools) -> None:
    release(tools, "fast-forward")
    abandon(tools, "0.2.0")


def abandon(tools: FakeTools, version: str) -> None:
    staging, parsed_version = tools.settings.environments["staging"], Version.parse(version)
    release_to_give_up = Release(version=parsed_version, commit=tools.upstream.claims[f"v{version}"])
    run_flow(catalogue.abandon(staging, reason="by hand"), release_to_give_up, tools.next_command())


def next_release(tools: FakeTools) -> NextRelease:
    return find_next_release(AUTO, tools.next_command())


def decide(tools: FakeTools, bump: Bump = AUTO) -> Decision:
    tools.next_command()
    return bump.decide(Release(version=files.read_version(tools)), tools)


ENDS = pytest.mark.parametrize("end", [fail_verification, fail_deployment, give_up])


@ENDS
@pytest.mark.parametrize("part", ["auto", "patch"])
def test_fix_is_released_under_the_next_number(end: object, part: str) -> None:
    tools = configured(FakeTools())
    end(tools)  # type: ignore[operator]
    note(tools, "It works again")

    assert next_release(tools) == NextRelease("v0.2.1")
    released = release(tools, part=part)

    assert released.name == "v0.2.1"
    assert tools.running_versions["staging"] == "v0.2.1"
    assert tools.upstream.tags == {"v0.2.1": released.commit}
    assert [*tools.upstream.abandoned] == ["v0.2.0"]
    assert tools.upstream.claims == {}


@ENDS
def test_clone_without_the_release_commit_takes_the_next_number_too(end: object) -> None:
    first = configured(FakeTools())
    end(first)  # type: ignore[operator]
    second = configured(clone(first))
    note(second, "It works again")
    first.upstream.branches["main"] = second.scm.head().commit
    first.upstream.commits.update(second.scm.commits)

    assert next_release(second).name not in {"", "v0.2.0"}
    released = release(second)

    assert released.version > Version.parse("0.2.0")
    assert first.upstream.tags == {released.name: released.commit}


def test_plan_says_what_is_left_behind() -> None:
    tools = configured(FakeTools())
    fail_verification(tools)
    note(tools, "It works again")

    decision = decide(tools)

    assert isinstance(decision, Act)
    assert decision.description.endswith("; v0.2.0 has failed and is left behind")


@pytest.mark.parametrize("bump", [AUTO, PATCH])
def test_failed_release_is_tried_again_without_later_commits(bump: Bump) -> None:
    tools = configured(FakeTools())
    fail_verification(tools)

    assert next_release(tools) == NextRelease("v0.2.0")
    decision = decide(tools, bump)

    assert isinstance(decision, Done)
    assert decision.release.name == "v0.2.0"
    assert release(tools, part=bump.part).name == "v0.2.0"
    assert tools.running_versions["staging"] == "v0.2.0"


def test_failed_release_with_a_later_commit_that_notes_nothing_is_not_deployed_again() -> None:
    tools = configured(FakeTools())
    fail_verification(tools)
    commit = tools.scm.commit({"app.py": b"fixed\n"}, "Fix the app")

    decision = decide(tools)

    assert isinstance(decision, Refuse)
    assert decision.reasons == (
        f"v0.2.0 has failed, and nothing is noted for what it lacks: 1 commit of HEAD ({commit[:10]} Fix the app)",
    )
    assert "inv changelog.add" in decision.hint
    assert "inv release-staging --to 0.2.0" in decision.hint
    assert next_release(tools) == NextRelease(reason=decision.reasons[0])
    assert release(tools, to=Version.parse("0.2.0")).name == "v0.2.0"


def test_killed_retry_of_a_failed_release_is_finished() -> None:
    """Its newest entry says that a deployment has begun, so nothing says that it failed."""
    tools = configured(FakeTools())
    fail_verification(tools)
    release(tools, "deploy staging")
    note(tools, "It works again")

    assert release(tools).name == "v0.2.0"
    assert tools.running_versions["staging"] == "v0.2.0"


def test_unfinished_release_says_what_it_lacks_and_how_head_is_released_instead() -> None:
    tools = configured(FakeTools())
    release(tools, "deploy staging")
    commit = note(tools, "Paces")

    decision = decide(tools)

    assert isinstance(decision, Done)
    started = decision.release.commit[:10]
    assert decision.reason == (
        f"v0.2.0 was started before, as commit {started}, and lacks 1 commit of HEAD ({commit[:10]} Paces); "
        "to release HEAD instead: inv release-staging --to 0.2.1"
    )
    assert release(tools, to=Version.parse("0.2.1")).name == "v0.2.1"


def test_unfinished_release_whose_later_commits_note_nothing_names_the_note_too() -> None:
    tools = configured(FakeTools())
    release(tools, "deploy staging")
    tools.scm.commit({"app.py": b"more\n"}, "More")

    decision = decide(tools)

    assert isinstance(decision, Done)
    assert "to release HEAD instead: inv changelog.add --type fixed" in decision.reason
    assert decision.reason.endswith("&& inv release-staging --to 0.2.1")


def test_given_up_release_without_a_later_note_begins_again_under_the_next_number() -> None:
    tools = configured(FakeTools())
    give_up(tools)

    decision = decide(tools)

    assert isinstance(decision, Refuse)
    assert decision.reasons == ("v0.2.0 was given up, and nothing is noted since",)
    assert decision.hint == ("to release the same under the next number: git reset --keep HEAD^ && inv release-staging")
    assert next_release(tools) == NextRelease(reason=decision.reasons[0])


def test_asking_for_a_number_that_was_given_up_is_refused_without_a_circle() -> None:
    tools = configured(FakeTools())
    tools.scm.create_tag("v0.1.0", tools.scm.resolve("HEAD^"), "")
    give_up(tools)
    note(tools, "It works again")

    with pytest.raises(Refused) as refused:
        release(tools, to=Version.parse("0.2.0"))

    assert "release.abandon" not in str(refused.value)
    assert "leave out --to" in refused.value.hint


def test_number_of_version_is_left_behind_once_its_release_failed_or_was_given_up() -> None:
    """By this `inv propose` tells that VERSION is no release that is merged and waits."""
    tools = configured(FakeTools())
    fail_verification(tools)
    version = Version.parse("0.2.0")
    assert not pending.is_left_behind(version, tools)

    note(tools, "It works again")
    assert pending.is_left_behind(version, tools.next_command())

    abandon(tools, "0.2.0")
    assert pending.is_left_behind(version, tools.next_command())
    assert not pending.is_left_behind(Version.parse("0.1.0"), tools)
