"""The flow of `inv propose`, and the release of what it proposed once that is merged."""

from __future__ import annotations

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.domain.decision import Decision, Done, Refuse
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import Denied, PushFailed, Refused
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.release import files, proposal
from kaizen_tasks.flows.runner import dry_run_step, run_flow
from kaizen_tasks.flows.steps import Bump, CutChangelog
from kaizen_tasks.flows.steps.forge import OpenPullRequest, Propose
from tests.fakes.tools import FakeTools, settings

BRANCH = "release/next"


@pytest.fixture
def tools() -> FakeTools:
    """A library: an app without anything to deploy."""
    made = FakeTools(settings=settings(pipeline=[], environments={}, groups={}, smoke=[]))
    made.scm.create_tag("v0.1.0", made.scm.head().commit, "")
    made.upstream.tags["v0.1.0"] = made.scm.head().commit
    return made


def propose(tools: FakeTools, *, to: str = "", discard_edits: bool = False) -> Release:
    """Propose as another command does."""
    tools.next_command()
    version = Version.parse(to) if to else None
    bump = Bump(to=version, accept_released=True, ask_remote=False)
    flow = catalogue.proposal(bump, asks_version=bool(to), discard_edits=discard_edits)
    return run_flow(flow, Release(version=files.read_version(tools)), tools)


def decide(tools: FakeTools) -> Decision:
    """Return what another command would do to the branch."""
    tools.next_command()
    bump = Bump(accept_released=True, ask_remote=False)
    release = run_flow((bump, CutChangelog()), Release(version=files.read_version(tools)), tools)
    return Propose().decide(release, tools)


def push(tools: FakeTools, files: dict[str, bytes]) -> str:
    """Commit to main and push it, as a developer does."""
    commit = tools.scm.commit(files)
    tools.upstream.commits.update(tools.scm.commits)
    tools.upstream.branches["main"] = commit
    return commit


def note(tools: FakeTools, text: bytes = b"### Fixed\n\n- Paces\n") -> str:
    """Note a change on main and push it."""
    changelog = tools.scm.working_tree.files["CHANGELOG.md"]
    return push(tools, {"CHANGELOG.md": changelog.replace(b"## [Unreleased]\n", b"## [Unreleased]\n\n" + text, 1)})


def proposed(tools: FakeTools, path: str = "CHANGELOG.md") -> bytes:
    """Return a file of the branch."""
    return tools.upstream.commits[tools.upstream.branches[BRANCH]].tree[path]


def edit(tools: FakeTools, contents: dict[str, bytes]) -> str:
    """Commit to the branch, as somebody else does, and return the commit."""
    parent = tools.upstream.branches[BRANCH]
    commit = tools.scm.write_commit(parent=parent, files=contents, message="Polish the notes\n")
    tools.upstream.commits[commit] = tools.scm.commits[commit]
    tools.upstream.branches[BRANCH] = commit
    return commit


def merge(tools: FakeTools, *, how: str) -> str:
    """Merge the pull request on the server, pull, and return what main then ends at."""
    tip, main = tools.upstream.branches[BRANCH], tools.upstream.branches["main"]
    tree = tools.upstream.commits[tip].tree
    if how == "merge":
        commit = tools.scm.write_merge(onto=main, commit=tip, files=tree, message="Merge\n")
    else:
        commit = tools.scm.write_commit(parent=main, files=tree, message=f"{how} (#1)\n")
    tools.upstream.commits[commit] = tools.scm.commits[commit]
    tools.upstream.branches["main"] = commit
    tools.scm.fast_forward(commit, paths=("VERSION", "CHANGELOG.md"))
    return commit


def test_the_branch_has_head_with_version_and_section(tools: FakeTools) -> None:
    head = tools.scm.head().commit

    propose(tools)

    assert tools.upstream.commits[tools.upstream.branches[BRANCH]].parent == head
    assert proposed(tools, "VERSION") == b"0.2.0\n"
    assert b"## [0.2.0] - 2026-11-20\n" in proposed(tools)
    assert tools.upstream.branches["main"] == head == tools.scm.head().commit
    assert tools.scm.working_tree.files["VERSION"] == b"0.1.0\n"


def test_the_pull_request_shows_the_section(tools: FakeTools) -> None:
    propose(tools)

    (request,) = tools.forge.requests.values()
    assert request.title == "Release v0.2.0"
    assert "- Weekly plans" in request.body
    assert "`inv cut --push` releases v0.2.0" in request.body


def test_a_current_proposal_is_left_alone(tools: FakeTools) -> None:
    propose(tools)
    tip, requests = tools.upstream.branches[BRANCH], dict(tools.forge.requests)

    propose(tools)

    assert tools.upstream.branches[BRANCH] == tip
    assert tools.forge.requests == requests
    assert isinstance(decide(tools), Done)


def test_the_proposal_follows_main(tools: FakeTools) -> None:
    propose(tools)
    head = note(tools, b"### Removed\n\n- **Breaking:** Everything\n")

    propose(tools)

    assert tools.upstream.commits[tools.upstream.branches[BRANCH]].parent == head
    assert b"Everything" in proposed(tools).partition(b"## [0.")[2]
    (request,) = tools.forge.requests.values()
    assert "Everything" in request.body


def test_text_of_others_in_the_pull_request_stays(tools: FakeTools) -> None:
    propose(tools)
    ((branches, request),) = tools.forge.requests.items()
    tools.forge.requests[branches] = evolve(request, body=f"Wait for Ada.\n\n{request.body}")
    note(tools)

    propose(tools)

    assert tools.forge.requests[branches].body.startswith("Wait for Ada.\n")
    assert "- Paces" in tools.forge.requests[branches].body


def test_an_edited_branch_is_kept_while_main_stays(tools: FakeTools) -> None:
    propose(tools)
    commit = edit(tools, {"CHANGELOG.md": proposed(tools).replace(b"Weekly plans", b"Plans for weeks")})

    propose(tools)

    assert tools.upstream.branches[BRANCH] == commit
    (request,) = tools.forge.requests.values()
    assert "Plans for weeks" in request.body


@pytest.mark.parametrize("contents", [{"CHANGELOG.md": b"# Changelog\n"}, {"README.md": b"More\n"}])
def test_an_edited_branch_is_never_replaced_when_main_moves_on(tools: FakeTools, contents: dict[str, bytes]) -> None:
    propose(tools)
    commit = edit(tools, contents)
    note(tools)

    with pytest.raises(Refused, match=rf"release/next was edited in {commit[:10]}, and main has moved on") as caught:
        propose(tools)

    assert "git switch release/next && git merge" in caught.value.hint
    assert "inv propose --discard-edits" in caught.value.hint
    assert tools.upstream.branches[BRANCH] == commit


def test_edits_are_discarded_when_that_is_asked_for(tools: FakeTools) -> None:
    propose(tools)
    edit(tools, {"README.md": b"More\n"})

    propose(tools, discard_edits=True)

    assert "README.md" not in tools.upstream.commits[tools.upstream.branches[BRANCH]].tree


def test_an_amended_commit_is_an_edit(tools: FakeTools) -> None:
    propose(tools)
    tip = tools.upstream.commits[tools.upstream.branches[BRANCH]]
    amended = {**tip.tree, "CHANGELOG.md": proposed(tools).replace(b"Weekly", b"Monthly")}
    commit = tools.scm.write_commit(parent=tip.parent, files=amended, message=tip.message)
    tools.upstream.commits[commit] = tools.scm.commits[commit]
    tools.upstream.branches[BRANCH] = commit

    assert proposal.read_branch(tools.next_command()).edited_in == commit


def test_main_merged_into_the_branch_by_a_button_is_no_edit(tools: FakeTools) -> None:
    propose(tools)
    main = push(tools, {"app.py": b"pass\n"})
    tip = tools.upstream.branches[BRANCH]
    commit = tools.scm.write_merge(onto=tip, commit=main, files={}, message="Merge branch 'main' into release/next\n")
    tools.upstream.commits[commit] = tools.scm.commits[commit]
    tools.upstream.branches[BRANCH] = commit

    assert isinstance(decide(tools), Done)
    assert proposal.read_branch(tools.next_command()).edited_in == ""


def test_an_edited_branch_that_proposes_another_version_is_not_what_was_asked_for(tools: FakeTools) -> None:
    propose(tools)
    edit(tools, {"README.md": b"More\n"})

    with pytest.raises(Refused, match=r"proposes 0\.2\.0, not 1\.0\.0"):
        propose(tools, to="1.0.0")


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_the_merged_commit_is_the_release(tools: FakeTools, how: str) -> None:
    propose(tools)
    commit = merge(tools, how=how)

    tools.next_command()
    flow = catalogue.cut(Bump(ask_remote=False, accept_released=True), push=True)
    release = run_flow(flow, Release(version=files.read_version(tools)), tools)

    assert release.commit == commit == tools.upstream.branches["main"]
    assert tools.upstream.tags["v0.2.0"] == commit


def test_what_is_committed_after_the_merge_is_not_in_the_release(tools: FakeTools) -> None:
    propose(tools)
    commit = merge(tools, how="squash")
    later = note(tools)

    tools.next_command()
    flow = catalogue.cut(Bump(ask_remote=False, accept_released=True), push=True)
    release = run_flow(flow, Release(version=files.read_version(tools)), tools)

    assert release.commit == commit
    assert tools.upstream.tags["v0.2.0"] == commit
    assert tools.upstream.branches["main"] == later == tools.scm.head().commit


def test_a_merged_proposal_is_not_proposed_again(tools: FakeTools) -> None:
    propose(tools)
    commit = merge(tools, how="squash")
    note(tools)

    release = propose(tools)

    assert release.commit
    assert tools.upstream.commits[tools.upstream.branches[BRANCH]].parent != commit


def test_the_branch_of_a_merged_proposal_is_replaced_even_if_it_was_edited(tools: FakeTools) -> None:
    propose(tools)
    edit(tools, {"CHANGELOG.md": proposed(tools).replace(b"Weekly plans", b"Plans for weeks")})
    commit = merge(tools, how="squash")
    tools.scm.create_tag("v0.2.0", commit, "")
    tools.upstream.tags["v0.2.0"] = commit
    note(tools)

    propose(tools)

    assert proposed(tools, "VERSION") == b"0.2.1\n"


def test_commits_on_the_branch_after_its_merge_are_not_replaced(tools: FakeTools) -> None:
    propose(tools)
    merged = merge(tools, how="squash")
    tools.scm.create_tag("v0.2.0", merged, "")
    tools.upstream.tags["v0.2.0"] = merged
    commit = edit(tools, {"hers": b"hers\n"})
    note(tools)

    with pytest.raises(Refused, match=rf"was edited in {commit[:10]}, and proposes 0\.2\.0, which is not the next"):
        propose(tools)

    assert tools.upstream.branches[BRANCH] == commit


def test_a_branch_of_somebody_else_is_replaced_only_if_that_is_asked_for(tools: FakeTools) -> None:
    tools.upstream.branches[BRANCH] = tools.scm.head().commit
    commit = edit(tools, {"hers": b"hers\n"})

    with pytest.raises(Refused, match=rf"was edited in {commit[:10]}, and proposes 0\.1\.0, which is not the next"):
        propose(tools)
    assert tools.upstream.branches[BRANCH] == commit

    propose(tools, discard_edits=True)
    assert proposed(tools, "VERSION") == b"0.2.0\n"


def test_a_section_that_waits_for_its_date_is_proposed(tools: FakeTools) -> None:
    changelog = tools.scm.working_tree.files["CHANGELOG.md"].replace(b"[Unreleased]", b"[0.2.0] - Unreleased", 1)
    push(tools, {"CHANGELOG.md": changelog, "VERSION": b"0.2.0\n"})

    propose(tools)

    assert b"## [0.2.0] - 2026-11-20\n" in proposed(tools)
    assert isinstance(decide(tools), Done)


def test_a_section_of_another_release_is_not_the_merged_proposal(tools: FakeTools) -> None:
    """A hotfix has taken the number."""
    propose(tools)
    commit = edit(tools, {"CHANGELOG.md": proposed(tools).replace(b"Weekly plans", b"Plans for weeks")})
    section = b"## [0.2.0] - 2026-11-20\n\n### Fixed\n\n- Hotfix\n\n## [0.1.0]"
    changelog = tools.scm.working_tree.files["CHANGELOG.md"].replace(b"## [0.1.0]", section)
    head = push(tools, {"CHANGELOG.md": changelog, "VERSION": b"0.2.0\n"})
    tools.scm.create_tag("v0.2.0", head, "")
    tools.upstream.tags["v0.2.0"] = head

    with pytest.raises(Refused, match="was edited"):
        propose(tools)

    assert tools.upstream.branches[BRANCH] == commit


def test_a_branch_that_was_deleted_by_hand_is_pushed_again(tools: FakeTools) -> None:
    propose(tools)
    del tools.upstream.branches[BRANCH]
    tools.forge.requests.clear()

    propose(tools)

    assert proposed(tools, "VERSION") == b"0.2.0\n"
    assert len(tools.forge.requests) == 1


def test_a_pull_request_that_was_closed_by_hand_is_opened_again(tools: FakeTools) -> None:
    propose(tools)
    tools.forge.requests.clear()

    propose(tools)

    assert len(tools.forge.requests) == 1


def test_without_a_token_the_address_is_shown(tools: FakeTools) -> None:
    tools.forge.problem = "there is no token for github.com: set GITHUB_TOKEN"

    release = propose(tools)

    decision = OpenPullRequest().decide(release, tools)
    assert isinstance(decision, Done)
    assert decision.reason.startswith("there is no token for github.com: set GITHUB_TOKEN; open ")
    assert proposed(tools, "VERSION") == b"0.2.0\n"


def test_failure_of_the_server_says_that_the_branch_is_pushed(tools: FakeTools) -> None:
    tools.forge.failure = Denied("GitHub does not allow this", hint="allow it")

    with pytest.raises(PushFailed, match="GitHub does not allow this") as caught:
        propose(tools)

    assert caught.value.state == "release/next is pushed; only its pull request is missing or old"
    assert caught.value.hint.startswith("allow it; or open ")


def test_commits_that_are_not_pushed_are_not_proposed(tools: FakeTools) -> None:
    tools.scm.commit({"app.py": b"pass\n"})

    with pytest.raises(Refused, match="main has commits that origin/main lacks") as caught:
        proposal.require_pushed(tools)

    assert caught.value.hint == "git push origin main"


def test_numbers_that_are_taken_are_skipped(tools: FakeTools) -> None:
    tools.upstream.abandoned["v0.2.0"] = tools.scm.head().commit
    tools.upstream.claims["v0.2.1"] = tools.scm.head().commit

    assert proposal.free_version(Version.parse("0.2.0"), tools) == Version.parse("0.2.2")
    assert proposal.free_version(Version.parse("0.1.0"), tools) == Version.parse("0.1.0")


def test_dry_run_pushes_nothing(tools: FakeTools) -> None:
    tools.next_command()
    flow = catalogue.proposal(Bump(accept_released=True, ask_remote=False))

    run_flow(flow, Release(version=files.read_version(tools)), tools, dry_run_step)

    assert BRANCH not in tools.upstream.branches
    assert tools.forge.requests == {}


def test_somebody_else_who_pushes_at_the_same_moment_wins(tools: FakeTools) -> None:
    tools.next_command()
    release = run_flow((Bump(ask_remote=False), CutChangelog()), Release(version=files.read_version(tools)), tools)
    assert not isinstance(Propose().decide(release, tools), Refuse)
    tools.upstream.branches[BRANCH] = tools.scm.head().commit
    tools.scm.cached_remote_refs(BRANCH)

    with pytest.raises(Refused, match="somebody else has just pushed"):
        tools.scm.replace_branch(BRANCH, tools.scm.head().commit, expected="")
