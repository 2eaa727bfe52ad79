"""The release flow, from a commit to a verified service."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.service import OperationState
from kaizen_tasks.errors import DeployFailed, KaizenError, Refused, VerifyFailed
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.release import files
from kaizen_tasks.flows.runner import dry_run_step, run_flow
from kaizen_tasks.flows.steps import Bump
from tests.fakes.tools import FILES, FakeTools

STEPS = [
    "preflight",
    "bump",
    "changelog",
    "commit",
    "build",
    "claim",
    "push staging",
    "fast-forward",
    "deploy staging",
    "verify staging",
    "smoke staging",
    "record staging",
    "tag",
]


def release(tools: FakeTools, **flags: object) -> Release:
    """Run `inv release-staging`."""
    tools.next_command()
    start = Release(version=files.read_version(tools))
    execute = dry_run_step if flags.pop("dry", False) else None
    flow = catalogue.release(Bump(accept_released=True, **flags), tools.settings.first_stage)  # type: ignore[arg-type]
    return run_flow(flow, start, tools, execute) if execute else run_flow(flow, start, tools)


def test_release_bumps_builds_deploys_and_verifies() -> None:
    tools = FakeTools()

    released = release(tools)

    assert released.name == "v0.2.0"
    assert tools.running_versions["staging"] == "v0.2.0"
    assert tools.latest("staging") == "v0.2.0"
    assert tools.upstream.tags == {"v0.2.0": released.commit}
    assert tools.upstream.branches["main"] == released.commit
    assert [entry.event for entry in tools.ledger.all_entries][-1] is Event.VERIFIED
    assert tools.scm.working_tree.files["VERSION"] == b"0.2.0\n"
    assert b"## [0.2.0] - 2026-11-20" in tools.scm.working_tree.files["CHANGELOG.md"]


def test_release_is_idempotent() -> None:
    tools = FakeTools()
    release(tools)
    before = (
        dict(tools.scm.commits),
        dict(tools.upstream.tags),
        list(tools.registry.calls),
        tools.platform.started_services[:],
    )

    release(tools)

    assert tools.reporter.labels_with("done") == STEPS
    after = (
        dict(tools.scm.commits),
        dict(tools.upstream.tags),
        list(tools.registry.calls),
        tools.platform.started_services[:],
    )
    assert before == after


def test_release_dry_run_shows_the_plan_and_changes_nothing() -> None:
    tools = FakeTools()

    planned = release(tools, dry=True)

    assert planned.name == "v0.2.0"
    assert tools.reporter.labels_with("act") == [step for step in STEPS if step != "preflight"]
    assert tools.scm.working_tree.files == FILES
    assert len(tools.scm.commits) == 1
    assert tools.registry.calls == []
    assert tools.ledger.all_entries == []


def test_failed_build_leaves_branch_and_files_alone() -> None:
    """Before the first push a failure leaves no trace but a private ref."""
    tools = FakeTools()
    head = with_broken_dockerfile(tools)

    with pytest.raises(KaizenError) as failed:
        release(tools)

    assert failed.value.exit_code == 5
    assert tools.scm.head().commit == head
    assert tools.scm.working_tree.files["VERSION"] == b"0.1.0\n"
    assert tools.upstream.tags == {}


def test_a_fix_after_a_failed_build_is_in_the_release() -> None:
    """A release that never left this machine may be replaced by the fixed branch."""
    tools = FakeTools()
    with_broken_dockerfile(tools)
    with pytest.raises(KaizenError):
        release(tools)
    fixed = tools.scm.commit({"Dockerfile": b"FROM scratch\n"})
    tools.upstream.branches["main"] = fixed

    released = release(tools)

    assert released.name == "v0.2.0"
    assert tools.scm.is_ancestor(fixed, released.commit)


def test_failed_deployment_is_retried_with_the_same_version() -> None:
    """From the first push on there is only the way forward: the same version, commit and image."""
    tools = FakeTools()
    tools.platform.outcomes["staging-web-service"] = OperationState.ROLLED_BACK
    with pytest.raises(DeployFailed) as failed:
        release(tools)
    begun = tools.scm.head().commit
    tools.platform.outcomes.clear()

    released = release(tools)

    assert failed.value.exit_code == 7
    assert released.commit == begun
    assert released.name == "v0.2.0"
    assert tools.builder.build_count == 1
    assert tools.upstream.tags == {"v0.2.0": begun}


def test_old_version_in_service_is_not_recorded_as_verified() -> None:
    """An accepted deployment is not success: only the app's own answer is."""
    tools = FakeTools(stuck_services={"staging"})

    with pytest.raises(VerifyFailed, match=r"v0\.1\.0") as failed:
        release(tools)

    assert failed.value.exit_code == 8
    assert Event.VERIFIED not in {entry.event for entry in tools.ledger.all_entries}
    assert tools.upstream.tags == {}


def test_release_needs_unreleased_entries() -> None:
    tools = FakeTools()
    empty = tools.scm.working_tree.files["CHANGELOG.md"].replace(b"### Added\n\n- Weekly plans\n\n", b"")
    tools.scm.commit({"CHANGELOG.md": empty})
    tools.scm.create_tag("v0.1.0", next(iter(tools.scm.commits)), "v0.1.0")
    tools.upstream.branches["main"] = tools.scm.head().commit

    with pytest.raises(Refused, match=r"\[Unreleased\]"):
        release(tools)


def test_version_bumped_on_the_branch_is_kept() -> None:
    tools = FakeTools()
    tools.scm.create_tag("v0.1.0", tools.scm.head().commit, "v0.1.0")
    cut = tools.scm.working_tree.files["CHANGELOG.md"].replace(
        b"## [Unreleased]\n", b"## [Unreleased]\n\n## [0.3.0] - 2026-11-19\n"
    )
    head = tools.scm.commit({"VERSION": b"0.3.0\n", "CHANGELOG.md": cut})
    tools.upstream.branches["main"] = head

    released = release(tools)

    assert released.name == "v0.3.0"
    assert released.commit == head


def test_section_cut_before_the_first_tag_is_released() -> None:
    tools = FakeTools()
    cut = tools.scm.working_tree.files["CHANGELOG.md"].replace(b"### Added\n\n- Weekly plans\n\n", b"")
    head = tools.scm.commit({"CHANGELOG.md": cut})
    tools.upstream.branches["main"] = head

    released = release(tools)

    assert released.name == "v0.1.0"
    assert released.commit == head


def test_every_problem_is_listed_before_the_first_write() -> None:
    tools = FakeTools()
    tools.scm.reported_blockers = ("a merge is under way",)
    tools.scm.branch = "feature"
    tools.scm.working_tree.files["Dockerfile"] = b"edited"

    with pytest.raises(Refused) as refused:
        release(tools)

    for problem in ("a merge is under way", "feature", "Dockerfile"):
        assert problem in str(refused.value)
    assert len(tools.scm.commits) == 1


def test_remedy_of_a_single_problem_is_the_last_line() -> None:
    tools = FakeTools()
    tools.scm.reported_blockers = ("this is a shallow clone: git fetch --unshallow",)

    with pytest.raises(Refused) as refused:
        release(tools)

    assert str(refused.value).splitlines() == [
        "preflight: this is a shallow clone",
        "nothing has been changed",
        "git fetch --unshallow, then run the same command again",
    ]


def test_image_built_from_another_commit_is_not_replaced() -> None:
    """`:vX.Y.Z` never moves, even in a repository that would allow it."""
    first, second = FakeTools(), FakeTools()
    release(first)
    second.registry.repositories.update(first.registry.repositories)
    second.upstream.branches["main"] = second.scm.commit({"unrelated": b"work"})

    with pytest.raises(Refused, match="exists, built from"):
        release(second)

    assert second.registry.calls == []


def test_explicit_part_skips_a_release_that_failed_in_service() -> None:
    """The fix of a broken release gets the next version."""
    tools = FakeTools()
    tools.platform.outcomes["staging-web-service"] = OperationState.ROLLED_BACK
    with pytest.raises(DeployFailed):
        release(tools)
    tools.platform.outcomes.clear()
    fixed = tools.scm.working_tree.files["CHANGELOG.md"].replace(
        b"## [Unreleased]\n", b"## [Unreleased]\n\n### Fixed\n\n- It starts again\n"
    )
    tools.scm.commit({"CHANGELOG.md": fixed})

    released = release(tools, part="patch")

    assert released.name == "v0.2.1"
    assert tools.running_versions["staging"] == "v0.2.1"
    assert list(tools.upstream.tags) == ["v0.2.1"]


def with_broken_dockerfile(tools: FakeTools) -> str:
    """Commit a tree that no builder can build; return the commit."""
    commit = tools.scm.commit({"Dockerfile": b"FROM scratch\nRUN false\n"})
    tools.upstream.branches["main"] = commit
    return commit
