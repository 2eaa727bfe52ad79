"""Which remote, and which branch on it, a release is pushed to."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.git.push_target import PushTarget, choose_branch, choose_remote
from kaizen_tasks.errors import Refused

TRACKS_FORK = {"branch.main.remote": "fork"}
TRACKS_TRUNK = {"branch.main.remote": "origin", "branch.main.merge": "refs/heads/trunk"}


def remote(*remotes: str, configured: str = "", **values: str) -> str:
    """Return the remote that is chosen for main."""
    names = {name.replace("__", "."): value for name, value in values.items()}
    return choose_remote(remotes, configured=configured, branch="main", values=names)


def branch(values: dict[str, str], *local_branches: str) -> str:
    """Return the branch on origin that is chosen for main."""
    return choose_branch("origin", branch="main", local_branches=("main", *local_branches), values=values)


@pytest.mark.parametrize("name", ["origin", "upstream", "my.company"])
def test_takes_the_only_remote(name: str) -> None:
    assert remote(name) == name


def test_without_a_remote_there_is_none() -> None:
    assert remote() == ""
    assert remote(branch__main__remote=".") == ""


def test_takes_the_configured_remote() -> None:
    assert remote("fork", "origin", configured="origin", branch__main__remote="fork") == "origin"


@pytest.mark.parametrize("remotes", [(), ("fork",), ("fork", "origin")])
def test_refuses_a_configured_remote_that_does_not_exist(remotes: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match=r"there is no remote upstream, which release.remote names") as refusal:
        remote(*remotes, configured="upstream")
    assert "git remote add upstream URL" in refusal.value.hint


@pytest.mark.parametrize("key", ["branch__main__remote", "branch__main__pushremote", "remote__pushdefault"])
def test_of_several_takes_the_one_that_the_branch_names(key: str) -> None:
    assert remote("fork", "origin", **{key: "fork"}) == "fork"


def test_the_push_remote_of_a_branch_is_stronger_than_the_default() -> None:
    assert remote("fork", "origin", branch__main__pushremote="fork", remote__pushdefault="origin") == "fork"


def test_asks_for_the_name_of_one_of_several() -> None:
    with pytest.raises(Refused, match="several remotes, fork and origin, and main tracks none of them") as refusal:
        remote("origin", "fork")
    assert refusal.value.hint.endswith('release.remote in kaizen.toml: [release] remote = "origin"')


def test_asks_for_the_name_where_a_branch_is_pulled_from_one_and_pushed_to_the_other() -> None:
    with pytest.raises(Refused, match="tracks one of fork and origin and pushes to the other"):
        remote("fork", "origin", "old", branch__main__remote="origin", remote__pushdefault="fork")


def test_refuses_a_branch_that_tracks_a_url() -> None:
    with pytest.raises(Refused, match="tracks a repository that is not among the remotes"):
        remote(branch__main__remote="https://example.com/app.git")


def test_takes_the_branch_of_the_same_name() -> None:
    assert branch({}) == "main"
    assert branch({"branch.main.remote": "origin", "branch.main.merge": "refs/heads/main"}) == "main"


def test_takes_the_branch_that_is_tracked() -> None:
    assert branch(TRACKS_TRUNK) == "trunk"


def test_ignores_what_is_tracked_on_another_remote() -> None:
    assert branch({**TRACKS_TRUNK, "branch.main.remote": "fork"}) == "main"


@pytest.mark.parametrize("push_default", ["", "simple", "current"])
def test_refuses_a_tracked_branch_that_may_be_only_the_start(push_default: str) -> None:
    """`git checkout -b main origin/trunk` tracks trunk, and `git push` refuses that too."""
    with pytest.raises(Refused, match="main tracks origin/trunk, a branch of another name") as refusal:
        branch({**TRACKS_TRUNK, "push.default": push_default}, "trunk")
    assert refusal.value.hint.endswith("; to push to origin/main: git branch --unset-upstream main")


@pytest.mark.parametrize("push_default", ["upstream", "tracking"])
def test_follows_git_where_it_pushes_to_the_tracked_branch(push_default: str) -> None:
    assert branch({**TRACKS_TRUNK, "push.default": push_default}, "trunk") == "trunk"


def test_names_the_command_that_brings_the_branch_here() -> None:
    target = PushTarget(remote="upstream", branch="trunk")

    assert target.pull_command == "git pull --no-rebase --tags upstream trunk"
    assert str(target) == "upstream/trunk"
