"""A release that was begun on one line is finished on that line, and does not stop another one."""

from __future__ import annotations

import pytest
from semver import Version

from kaizen_tasks.flows.release import claims, environment_preconditions
from tests.fakes.tools import FakeTools, settings
from tests.flows.release.test_claims import clone, note, release

BRANCHES = {"branches": ["main", "stable/*"]}
BACKPORT = Version.parse("0.1.1")


def two_lines() -> FakeTools:
    """Return a checkout of stable/0.x, which has a fix that main lacks."""
    tools = FakeTools(settings=settings(release=BRANCHES))
    tools.scm.create_tag("v0.1.0", tools.scm.head().commit, "")
    tools.scm.switch("stable/0.x", start="main")
    note(tools, "Backport")
    return tools


@pytest.mark.parametrize("until", ["commit", "push staging", "deploy staging"])
def test_release_of_another_line_is_not_resumed(until: str) -> None:
    tools = two_lines()
    started = release(tools, until, to=BACKPORT)
    tools.scm.switch("main")

    other = release(tools)

    assert other.name == "v0.2.0"
    assert not tools.scm.is_ancestor(started.commit, other.commit)
    assert set(tools.upstream.tags) == {"v0.2.0"}


@pytest.mark.parametrize("until", ["push staging", "deploy staging"])
def test_release_is_finished_on_its_line_after_a_later_one_of_another_line(until: str) -> None:
    tools = two_lines()
    started = release(tools, until, to=BACKPORT)
    tools.scm.switch("main")
    release(tools)
    tools.scm.switch("stable/0.x")

    finished = release(tools)

    assert (finished.name, finished.commit) == ("v0.1.1", started.commit)
    assert tools.upstream.branches["stable/0.x"] == started.commit
    assert tools.upstream.claims == {}
    assert tools.running_versions["staging"] == "v0.1.1"


def test_another_clone_of_another_line_does_not_resume_it() -> None:
    tools = two_lines()
    release(tools, "push staging", to=BACKPORT)

    assert release(clone(tools)).name == "v0.2.0"


def test_release_commit_names_its_branch_where_there_are_several() -> None:
    tools = two_lines()
    on_line = release(tools, "commit", to=BACKPORT)

    assert tools.scm.commit_trailer(on_line.commit, claims.BRANCH_TRAILER) == "stable/0.x"


def test_release_commit_names_no_branch_where_there_is_one() -> None:
    tools = FakeTools()

    assert tools.scm.commit_trailer(release(tools, "commit").commit, claims.BRANCH_TRAILER) == ""


def test_branch_of_another_name_that_tracks_the_line_is_the_line() -> None:
    tools = two_lines()
    tools.scm.branch, tools.scm.target_branch = "stable/mine", "stable/0.x"
    started = release(tools, "commit", to=BACKPORT)

    assert tools.scm.commit_trailer(started.commit, claims.BRANCH_TRAILER) == "stable/0.x"
    assert claims.is_of_line(started.commit, tools)


@pytest.mark.parametrize(("branch", "is_of_line"), [("stable/0.x", True), ("main", False)])
def test_claim_without_a_branch_is_judged_by_its_ancestors(branch: str, *, is_of_line: bool) -> None:
    """Releases that were begun before the commit named the branch."""
    tools = two_lines()
    base = tools.scm.head().commit
    commit = tools.scm.write_commit(parent=base, files={}, message="Release v0.1.1\n")
    if branch == "main":
        tools.scm.switch("main")
        tools.scm.commit({"app.py": b"goes on\n"})

    assert claims.is_of_line(commit, tools) is is_of_line


def test_backport_may_go_to_the_first_stage_beside_a_later_release() -> None:
    """Neither does main have to be merged into the old line, nor the backport into main."""
    tools = two_lines()
    tools.scm.switch("main")
    release(tools)
    tools.scm.switch("stable/0.x")
    assert release(tools, to=BACKPORT).name == "v0.1.1"
    tools.scm.switch("main")
    note(tools, "Next fix")

    assert release(tools).name == "v0.2.1"


def test_release_of_a_clone_that_is_out_of_date_still_replaces_no_later_one() -> None:
    tools = FakeTools(settings=settings(release=BRANCHES))
    first = release(tools)
    note(tools, "Later")
    later = release(tools)
    tools.scm.switch("old", start=first.commit)
    tools.scm.branch = "main"
    staging = tools.settings.environments["staging"]

    problems = list(environment_preconditions.check_environment(staging, first, tools))

    assert later.name == "v0.2.1"
    assert problems[0].startswith("staging has v0.2.1, which is later than v0.2.0")
