"""Where releases are pushed to: other remotes, branches of another name, several URLs, a detached HEAD of CI."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.git.scm import GitScm
from kaizen_tasks.errors import PushFailed, Unreachable
from tests.contracts.scm import PATHS, land_and_tag, release
from tests.support.git_repository import Repository, clone_repository

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


@pytest.fixture
def mirror(repository: Repository, tmp_path: Path) -> Repository:
    """Return a second URL that the remote is pushed to."""
    path = tmp_path / "mirror.git"
    repository.git("clone", "--quiet", "--bare", str(repository.remote), str(path))
    for url in (repository.remote, path):
        repository.git("remote", "set-url", "--add", "--push", "origin", str(url))
    return Repository(repository.path, path)


def refs(repository: Repository) -> list[str]:
    """Return where main and the tag are on a remote."""
    return repository.remote_git("for-each-ref", "--format=%(objectname) %(refname)").splitlines()


def test_finds_a_remote_of_another_name(repository: Repository) -> None:
    repository.git("remote", "rename", "origin", "upstream")
    scm = GitScm(repository.path)
    land_and_tag(scm)
    scm.push(branch=scm.push_target().branch, tag="v1.2.3")

    assert str(scm.push_target()) == "upstream/main"
    assert repository.remote_git("rev-parse", "main", "v1.2.3^{commit}").split() == [scm.head().commit] * 2


def test_pushes_to_the_branch_that_is_tracked(repository: Repository) -> None:
    repository.remote_git("branch", "--move", "main", "trunk")
    repository.git("fetch", "--quiet", "--prune")
    repository.git("branch", "--quiet", "--set-upstream-to", "origin/trunk")
    scm = GitScm(repository.path)
    commit = land_and_tag(scm)
    assert scm.remote_refs(scm.push_target().branch)
    scm.push(branch=scm.push_target().branch, tag="v1.2.3")

    assert repository.remote_git("for-each-ref", "--format=%(refname:short)", "refs/heads") == "trunk"
    assert repository.remote_git("rev-parse", "trunk") == commit


def test_reads_and_pushes_the_url_for_pushes(repository: Repository, tmp_path: Path) -> None:
    path = tmp_path / "pushed.git"
    repository.git("clone", "--quiet", "--bare", str(repository.remote), str(path))
    repository.git("remote", "set-url", "--push", "origin", str(path))
    scm = GitScm(repository.path)
    commit = land_and_tag(scm)
    scm.push(branch="main", tag="v1.2.3")

    answer = scm.remote_refs("main")
    assert answer is not None
    assert (answer.branch_commit, answer.tags) == (commit, {"v1.2.3": commit})
    assert Repository(repository.path, path).remote_git("rev-parse", "main") == commit
    assert repository.git("rev-parse", "origin/main") == commit


def test_hides_the_passwords_of_urls_from_other_users(repository: Repository, tmp_path: Path) -> None:
    """Everybody may see the arguments of a process."""
    traced, url = tmp_path / "traced", "https://ada:s3cret@127.0.0.1:1/app.git"
    repository.git("remote", "set-url", "--push", "origin", url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_TRACE2_EVENT", str(traced))
        with pytest.raises(Unreachable) as error:
            GitScm(repository.path).remote_refs("main")

    argv = json.loads(next(line for line in traced.read_text().splitlines() if '"ls-remote"' in line))["argv"]
    assert "s3cret" not in " ".join(argv)
    assert "s3cret" not in str(error.value)


def test_pushes_to_every_url(repository: Repository, mirror: Repository) -> None:
    scm = GitScm(repository.path)
    commit = release(scm)
    scm.claim("v1.2.3", commit)
    scm.fast_forward(commit, paths=PATHS)
    scm.create_tag("v1.2.3", commit, "v1.2.3")
    scm.push(branch="main", tag="v1.2.3")

    assert refs(repository) == refs(mirror)
    assert f"{commit} refs/heads/main" in refs(mirror)


def test_a_push_that_one_url_rejects_is_finished_by_the_next_one(repository: Repository, mirror: Repository) -> None:
    scm = GitScm(repository.path)
    commit = release(scm)
    scm.create_tag_object("v1.2.3", commit, "v1.2.3")
    mirror.remote_hook("pre-receive", "exit 1")
    with pytest.raises(PushFailed, match=rf"{mirror.remote} declines") as failure:
        scm.push(branch="main", tag="v1.2.3")
    rejected = f"nothing has been pushed: {mirror.remote} is as before"
    assert failure.value.state == f"{repository.remote} has v1.2.3; on {mirror.remote}: {rejected}"

    answer = scm.remote_refs("main")
    assert answer is not None
    assert (answer.branch_commit == commit, answer.tags) == (False, {})
    (mirror.remote / "hooks" / "pre-receive").unlink()
    scm.push(branch="main", tag="v1.2.3")
    answer = scm.remote_refs("main")
    assert answer is not None
    assert (answer.branch_commit, answer.tags) == (commit, {"v1.2.3": commit})


def test_a_tag_of_others_on_one_url_is_taken(repository: Repository, mirror: Repository, tmp_path: Path) -> None:
    colleague = clone_repository(mirror, tmp_path / "colleague")
    colleague.git("tag", "--annotate", "--message", "v1.2.3", "v1.2.3")
    colleague.git("push", "--quiet", "origin", "v1.2.3")

    answer = GitScm(repository.path).remote_refs("main")
    assert answer is not None
    assert list(answer.tags) == ["v1.2.3"]


class TestDetachedHead:
    @pytest.fixture(autouse=True)
    def _gitlab(self, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITLAB_CI", "true")
        monkeypatch.setenv("CI_COMMIT_BRANCH", "main")
        monkeypatch.setenv("CI_COMMIT_SHA", repository.git("rev-parse", "HEAD"))
        repository.git("checkout", "--quiet", "--detach")

    def test_is_the_branch_of_the_ci_run(self, repository: Repository) -> None:
        scm = GitScm(repository.path)
        commit = release(scm)
        scm.fast_forward_and_tag(commit, paths=PATHS, tag="v1.2.3", message="v1.2.3")
        scm.push(branch=scm.push_target().branch, tag="v1.2.3")

        assert (scm.head().branch, scm.head().commit) == ("main", commit)
        assert repository.remote_git("rev-parse", "main") == commit

    def test_is_no_branch_for_another_commit(self, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CI_COMMIT_SHA", "f" * 40)

        assert GitScm(repository.path).head().branch == ""

    def test_is_no_branch_in_a_run_of_a_tag(self, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CI_COMMIT_BRANCH")

        assert GitScm(repository.path).head().branch == ""
