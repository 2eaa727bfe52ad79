"""Releases that begin in one clone and are finished in another, and numbers that two clones want."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from semver import Version

from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import PushFailed, Refused, VerifyFailed
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.release import files, pending, publish
from kaizen_tasks.flows.runner import run_flow
from kaizen_tasks.flows.steps import Build, Bump, CutChangelog
from tests.fakes.scm import FakeScm
from tests.fakes.tools import FILES, FakeTools, PushingBuilder, settings

if TYPE_CHECKING:
    from kaizen_tasks.flows.step import Flow


def clone(tools: FakeTools) -> FakeTools:
    """Return a colleague's clone, at the first commit, with the same remote and the same account."""
    other = copy.copy(tools)
    other.scm = FakeScm(FILES, remote=None)
    other.scm.upstream = tools.upstream
    other.builder = PushingBuilder(registry=tools.registry)
    return other.next_command()


def note(tools: FakeTools, text: str) -> str:
    """Note a fix under `[Unreleased]` and commit it; return the commit."""
    entry = f"## [Unreleased]\n\n### Fixed\n\n- {text}\n".encode()
    changelog = tools.scm.working_tree.files["CHANGELOG.md"].replace(b"## [Unreleased]\n", entry, 1)
    return tools.scm.commit({"CHANGELOG.md": changelog}, text)


def run(tools: FakeTools, flow: Flow, until: str = "") -> Release:
    """Run a flow, or its steps up to one, as the command of a run that is killed then."""
    tools.next_command()
    labels = [str(step.label) for step in flow]
    steps = flow[: labels.index(until) + 1] if until else flow
    return run_flow(steps, Release(version=files.read_version(tools)), tools)


def release(tools: FakeTools, until: str = "", **choice: object) -> Release:
    """Run `inv release-staging`, or its steps up to one."""
    bump = Bump(accept_released=True, **choice)  # type: ignore[arg-type]
    return run(tools, catalogue.release(bump, tools.settings.first_stage), until)


def hotfix(tools: FakeTools, name: str, until: str = "") -> Release:
    """Run `inv hotfix --env NAME` on a hotfix branch, or its steps up to one."""
    environment = tools.settings.environments[name]
    tools.scm.branch = f"hotfix/{name}"
    bump = Bump(accept_released=True, hotfix=True, environment=environment)
    return run(tools, catalogue.hotfix(bump, environment, reason="seven decimals"), until)


def digest(tools: FakeTools, name: str, environment: str = "staging") -> str:
    image = tools.registry.find_image(tools.settings.environments[environment].repository, name)
    return image.digest if image else ""


@pytest.mark.parametrize("until", ["claim", "push staging", "deploy staging", "record staging"])
def test_release_is_finished_in_another_clone(until: str) -> None:
    first = FakeTools()
    started = release(first, until)
    second = clone(first)

    finished = release(second)

    assert (finished.name, finished.commit) == ("v0.2.0", started.commit)
    assert first.upstream.tags == {"v0.2.0": started.commit}
    assert first.upstream.branches["main"] == started.commit
    assert first.upstream.claims == {}
    assert first.running_versions["staging"] == "v0.2.0"
    assert second.scm.working_tree.files["VERSION"] == b"0.2.0\n"
    assert second.builder.build_count == (1 if until == "claim" else 0)


@pytest.mark.parametrize("fetches_tags", [True, False])
@pytest.mark.parametrize("until", ["claim", "push staging", "deploy staging"])
def test_release_that_somebody_else_has_finished_does_not_hide_the_next(until: str, *, fetches_tags: bool) -> None:
    first = FakeTools()
    started = release(first, until)
    release(clone(first))
    first.scm.fast_forward(started.commit, paths=files.release_paths(first))
    if fetches_tags:
        first.scm.fetch_tags()
    note(first, "Second fix")

    finished = release(first)

    assert finished.name == "v0.2.1"
    assert first.upstream.branches["main"] == first.upstream.tags["v0.2.1"] == finished.commit
    assert first.running_versions["staging"] == "v0.2.1"
    assert first.scm.pending_releases() == {}


def test_claimed_release_without_an_image_follows_the_branch() -> None:
    """The number is kept, and the claim moves to the new commit."""
    first = FakeTools()
    started = release(first, "claim")
    second = clone(first)
    merged = second.scm.commit({"app.py": b"merged meanwhile\n"})
    first.upstream.branches["main"] = merged
    first.upstream.commits[merged] = second.scm.commits[merged]

    finished = release(second)

    assert finished.name == "v0.2.0"
    assert second.scm.is_ancestor(merged, finished.commit)
    assert finished.commit != started.commit
    assert first.upstream.tags == {"v0.2.0": finished.commit}


def test_first_clone_follows_the_claim_that_was_moved() -> None:
    first = FakeTools()
    release(first, "claim")
    second = clone(first)
    first.upstream.branches["main"] = second.scm.commit({"app.py": b"merged meanwhile\n"})
    moved = release(second, "push staging")

    finished = release(first)

    assert finished.commit == moved.commit
    assert first.upstream.tags == {"v0.2.0": moved.commit}


def test_hotfixes_of_two_clones_get_different_numbers() -> None:
    first = FakeTools()
    second = clone(first)
    note(first, "Mark's bug")
    note(second, "Shane's bug")
    first.scm.branch, second.scm.branch = "hotfix/mark", "hotfix/shane"
    started = hotfix(first, "mark", "claim")

    other = hotfix(second, "shane")
    finished = hotfix(first, "mark")

    assert (started.name, other.name, finished.name) == ("v0.2.0", "v0.3.0", "v0.2.0")
    assert finished.commit == started.commit
    assert digest(first, "v0.2.0", "mark") != digest(first, "v0.3.0", "shane")
    assert first.upstream.tags == {"v0.2.0": finished.commit, "v0.3.0": other.commit}


def test_killed_hotfix_keeps_its_number_when_main_is_released() -> None:
    first = FakeTools()
    started = hotfix(first, "mark", "push mark")
    second = clone(first)
    note(second, "Something else")

    released = release(second)
    finished = hotfix(first, "mark")

    assert (released.name, finished.name) == ("v0.3.0", "v0.2.0")
    assert finished.commit == started.commit
    assert not digest(first, "v0.2.0")
    assert first.running_versions["mark"] == "v0.2.0"


def test_loser_of_a_race_is_told_to_run_again_and_gets_the_next_number() -> None:
    """Both clones read the remote before either of them claims the number."""
    first = FakeTools()
    second = clone(first)
    hotfix(second, "shane", "commit")
    second.scm.cached_remote_refs("hotfix/shane")
    claimed = hotfix(first, "mark", "claim")

    with pytest.raises(Refused, match=f"has just claimed v0.2.0 on origin, for {claimed.commit[:10]}") as refused:
        run_flow(
            catalogue.push(second.settings.environments["shane"]),
            Release(version=Version.parse("0.2.0"), commit=second.scm.pending_releases()["v0.2.0"]),
            second,
        )

    assert refused.value.hint == "run the same command again: it takes the next number"
    assert hotfix(second, "shane").name == "v0.3.0"


def test_claim_of_a_number_that_is_tagged_in_that_moment_is_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    first = FakeTools()
    second = clone(first)
    note(second, "Another fix.")
    claim = second.scm.claim

    def claim_too_late(tag: str, commit: str, **others: Any) -> None:
        release(first)
        claim(tag, commit, **others)

    monkeypatch.setattr(second.scm, "claim", claim_too_late)

    with pytest.raises(Refused, match=r"v0\.2\.0 is on \w{10} on origin, by somebody else"):
        release(second)

    assert first.upstream.claims == {}


def test_second_hotfix_from_the_same_release_gets_the_next_number() -> None:
    first = FakeTools()
    hotfix(first, "mark")
    second = clone(first)
    note(second, "Shane's bug")

    assert hotfix(second, "shane").name == "v0.3.0"


def test_hotfix_is_held_before_it_is_deployed_and_finished_nevertheless() -> None:
    first = FakeTools()
    started = hotfix(first, "mark", "hold mark")

    assert first.running_versions["mark"] == "v0.1.0"
    hold = first.holds.get("mark")
    assert hold is not None
    assert hold.reason == "seven decimals"
    second = clone(first)
    assert hotfix(second, "mark").commit == started.commit
    assert first.running_versions["mark"] == "v0.2.0"


def test_next_part_gives_up_the_claim_of_a_release_that_failed() -> None:
    first = FakeTools(stuck_services={"staging"})
    with pytest.raises(VerifyFailed):
        release(first)
    failed = first.upstream.claims["v0.2.0"]
    first.stuck_services.clear()
    note(first, "A correction")

    finished = release(first, to=Version.parse("0.2.1"))

    assert finished.name == "v0.2.1"
    assert (first.upstream.claims, first.upstream.abandoned) == ({}, {"v0.2.0": failed})


def test_release_is_merged_into_a_branch_that_has_moved_on() -> None:
    """The tag is on the release's own commit; what was noted since stays unreleased."""
    first = FakeTools()
    started = release(first, "deploy staging")
    second = clone(first)
    moved = note(second, "Noted meanwhile")
    first.upstream.branches["main"] = moved
    first.upstream.commits.update(second.scm.commits)

    finished = release(second)

    assert finished.commit == started.commit
    assert first.upstream.tags == {"v0.2.0": started.commit}
    merge = second.scm.commits[first.upstream.branches["main"]]
    assert (merge.parent, merge.merged) == (moved, started.commit)
    assert merge.tree["VERSION"] == b"0.2.0\n"
    section = (
        b"## [Unreleased]\n\n### Fixed\n\n- Noted meanwhile\n\n## [0.2.0] - 2026-11-20\n\n### Added\n\n- Weekly plans\n"
    )
    assert section in merge.tree["CHANGELOG.md"]
    assert second.scm.head().commit == first.upstream.branches["main"]
    assert second.scm.modified_files() == ()
    assert release(second).name == "v0.2.1"


def test_first_clone_merges_too_when_main_has_moved_on() -> None:
    first = FakeTools()
    started = release(first, "deploy staging")
    second = clone(first)
    moved = second.scm.commit({"app.py": b"meanwhile\n"})
    first.upstream.branches["main"] = moved
    first.upstream.commits.update(second.scm.commits)

    release(first)

    assert first.upstream.tags == {"v0.2.0": started.commit}
    assert first.scm.is_ancestor(moved, first.upstream.branches["main"])


@pytest.mark.parametrize("pushes_of_others", [1, publish.PUSH_ATTEMPTS - 1])
def test_release_is_merged_anew_when_others_push_at_the_same_time(
    pushes_of_others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As two apps of one repository do, which are released together."""
    first = FakeTools()
    started = release(first, "deploy staging")
    moved = others_are_faster(first, pushes_of_others, monkeypatch)

    release(first)

    assert len(moved) == pushes_of_others
    assert first.upstream.tags == {"v0.2.0": started.commit}
    assert first.scm.is_ancestor(moved[-1], first.upstream.branches["main"])


def test_a_branch_that_never_rests_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    first = FakeTools()
    release(first, "deploy staging")
    moved = others_are_faster(first, publish.PUSH_ATTEMPTS, monkeypatch)

    with pytest.raises(PushFailed, match="origin rejects main: it has commits that this clone lacks"):
        release(first)

    assert first.upstream.tags == {}
    assert first.upstream.branches["main"] == moved[-1]


def others_are_faster(tools: FakeTools, count: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let somebody else push to main right before each of the next pushes to it; return their commits."""
    other, push, moved = clone(tools), tools.scm.push, list[str]()

    def push_late(*, branch: str, **options: Any) -> None:
        if branch and len(moved) < count:
            moved.append(other.scm.commit({"app.py": f"{len(moved)}\n".encode()}))
            tools.upstream.branches["main"] = moved[-1]
            tools.upstream.commits.update(other.scm.commits)
        push(branch=branch, **options)

    monkeypatch.setattr(tools.scm, "push", push_late)
    return moved


def test_clone_that_was_killed_does_not_bring_an_old_release_back() -> None:
    """The second clone has finished the release, and released the next one."""
    first = FakeTools()
    release(first, "deploy staging")
    second = clone(first)
    release(second)
    note(second, "The next one")
    release(second)

    with pytest.raises(Refused, match="origin/main has commits that this clone lacks") as refused:
        release(first)

    assert "staging has v0.2.1, which is later than v0.2.0" in refused.value.message + refused.value.state
    assert first.running_versions["staging"] == "v0.2.1"


def test_own_commits_merged_with_a_release_are_not_taken_for_it() -> None:
    """Nothing is noted for them, so that the command must not say that it has released them."""
    first = FakeTools()
    finished = release(first)
    second = clone(first)
    own = second.scm.commit({"app.py": b"own work\n"}, "Own work")
    second.scm.commits.update(first.scm.commits)
    second.scm.create_tag("v0.2.0", finished.commit, "")
    merged = second.scm.write_merge(onto=own, commit=finished.commit, files={}, message="Merge")
    second.scm.fast_forward(merged, paths=("VERSION", "CHANGELOG.md"))

    with pytest.raises(Refused, match="nothing is noted under"):
        release(second)


def test_finished_release_is_done_after_a_later_commit_of_the_branch_that_notes_nothing() -> None:
    tools = FakeTools()
    finished = release(tools)
    tools.upstream.branches["main"] = tools.scm.commit({"app.py": b"later\n"})

    assert release(tools).commit == finished.commit
    assert tools.running_versions["staging"] == "v0.2.0"


def test_conflict_leaves_the_tag_and_says_what_to_type() -> None:
    first = FakeTools()
    first.scm.commit({"app.py": b"unpushed\n"}, "Unpushed")
    started = release(first, "deploy staging")
    second = clone(first)
    moved = second.scm.commit({"app.py": b"meanwhile\n"})
    first.upstream.branches["main"] = moved
    first.upstream.commits.update(second.scm.commits)

    with pytest.raises(PushFailed, match=r"conflicting changes of app\.py") as failed:
        release(second)

    assert first.upstream.tags == {"v0.2.0": started.commit}
    assert first.upstream.branches["main"] == moved
    assert "git pull --no-rebase --tags origin main && git merge v0.2.0" in failed.value.hint
    third = clone(first)
    first.upstream.branches["main"] = third.scm.head().commit
    note(third, "The next one")
    with pytest.raises(Refused, match=r"staging has v0\.2\.0, which main lacks") as refused:
        release(third)  # would take the code of v0.2.0 out of service
    assert "git fetch --tags origin && git merge v0.2.0" in refused.value.hint


@pytest.mark.parametrize("squashed", [False, True])
def test_protected_branch_gets_a_pull_request(*, squashed: bool) -> None:
    first = FakeTools()
    first.upstream.protection_message = "GH006"

    for _ in range(2):
        with pytest.raises(PushFailed, match="GH006") as failed:
            release(first)
        page = "https://github.com/team/app/pull/1"
        assert f"merge kaizen/merge/v0.2.0 into main by pull request ({page})" in failed.value.hint
    commit = first.upstream.tags["v0.2.0"]
    assert (first.upstream.branches["kaizen/merge/v0.2.0"], first.upstream.claims) == (commit, {})
    second = clone(first)
    second.scm.fetch_branch("kaizen/merge/v0.2.0")
    tree = second.scm.commits[commit].tree
    if squashed:
        merged = second.scm.commit({path: tree[path] for path in ("VERSION", "CHANGELOG.md")}, "Squashed")
    else:
        merged = second.scm.write_merge(onto=second.scm.head().commit, commit=commit, files={}, message="Merge")
        second.scm.fast_forward(merged, paths=("VERSION", "CHANGELOG.md"))
    second.scm.create_tag("v0.2.0", commit, "")
    first.upstream.branches["main"] = merged
    first.upstream.commits[merged] = second.scm.commits[merged]

    for tools in (second, first):
        assert release(tools).commit == commit
        assert tools.reporter.labels_with("act") == []


def test_commit_and_build_take_the_same_commit_after_a_failed_build() -> None:
    tools = FakeTools()
    release(tools, "commit")
    fixed = tools.scm.commit({**FILES, "Dockerfile": b"FROM scratch # corrected\n"})
    chain(tools)

    committed = run(tools, catalogue.commit())
    built = pending.current_release(tools)

    assert tools.scm.is_ancestor(fixed, committed.commit)
    assert built.commit == committed.commit == tools.scm.head().commit


def test_correction_on_top_of_the_release_commit_is_in_the_release() -> None:
    """`inv commit` has moved the branch; the correction is a commit above it."""
    tools = FakeTools()
    chain(tools)
    run(tools, catalogue.commit())
    fixed = tools.scm.commit({"Dockerfile": b"FROM scratch # corrected\n"})

    committed = run(tools, catalogue.commit())
    run_flow((Build(),), pending.current_release(tools), tools)

    assert committed.commit == pending.current_release(tools).commit == fixed


def chain(tools: FakeTools) -> None:
    """Run `inv bump changelog.release`, which write into the working tree."""
    tools.next_command()
    tools.release_files = tools.scm.working_tree
    run_flow((Bump(), CutChangelog()), Release(version=files.read_version(tools)), tools)


def test_merged_release_brings_its_version_into_files_that_have_changed_on_the_branch() -> None:
    rules = [{"path": "package.json", "key": "version"}]
    first = FakeTools(settings=settings(version_files=rules))
    first.scm.commit({"package.json": b'{"version": "0.1.0"}'})
    first.upstream.branches["main"] = first.scm.head().commit
    second = clone(first)
    second.scm = copy.deepcopy(first.scm)
    second.scm.upstream = first.upstream
    second.next_command()
    started = release(first, "deploy staging")
    second.scm.commit({"package.json": b'{"version": "0.1.0", "private": true}'})
    moved = note(second, "Noted meanwhile")
    first.upstream.branches["main"] = moved
    first.upstream.commits.update(second.scm.commits)

    release(second)

    merge = second.scm.commits[first.upstream.branches["main"]]
    assert merge.tree["package.json"] == b'{"version": "0.2.0", "private": true}'
    assert second.scm.commits[started.commit].tree["package.json"] == b'{"version": "0.2.0"}'
    assert second.scm.working_tree.files["package.json"] == merge.tree["package.json"]


def test_hotfix_refuses_to_deploy_a_release_that_was_not_made_for_its_environment() -> None:
    first = FakeTools()
    released = release(first)
    first.scm.branch = "hotfix/fix"

    with pytest.raises(Refused, match=r"nothing is noted under \[Unreleased\] since 0\.2\.0") as refused:
        hotfix(first, "mark")

    assert refused.value.hint.startswith("note what changed: inv changelog.add")
    assert first.holds.get("mark") is None
    note(first, "Mark's bug")
    finished = hotfix(first, "mark")
    assert (released.name, finished.name) == ("v0.2.0", "v0.2.1")
    assert hotfix(first, "mark").commit == finished.commit


def test_hotfix_from_another_branch_is_told_to_switch_and_not_to_note_anything_there() -> None:
    tools = FakeTools()
    release(tools)
    environment = tools.settings.environments["mark"]
    bump = Bump(accept_released=True, hotfix=True, environment=environment)

    with pytest.raises(Refused, match="releases are not allowed from branch main") as refused:
        run_flow(catalogue.hotfix(bump, environment, reason="x"), Release(version=files.read_version(tools)), tools)

    assert refused.value.hint == "git switch --create hotfix/fix v0.2.0, then run the same command again"
