"""Git and its fake keep the same contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.git.scm import GitScm
from tests.adapters.git.scenes import FakeScene, GitScene
from tests.contracts.scm import ScmContract, release
from tests.support.git_repository import Repository, clone_repository

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.integration
class TestGitKeepsTheContract(ScmContract):
    @pytest.fixture
    def scene(self, tmp_path: Path) -> GitScene:
        return GitScene(tmp_path)


class TestFakeKeepsTheContract(ScmContract):
    @pytest.fixture
    def scene(self) -> FakeScene:
        return FakeScene()


@pytest.mark.integration
def test_pushed_tag_appears_with_the_move_of_the_branch(repository: Repository, scm: GitScm) -> None:
    """Also when another process has pushed it: a tag without the branch would be half of a release."""
    commit = release(scm)
    scm.create_tag_object("v1.2.3", commit, "v1.2.3")
    scm.push(branch="main", tag="v1.2.3")
    pushed = repository.remote_git("rev-parse", "refs/tags/v1.2.3")
    repository.git("update-ref", "refs/kaizen/release/v1.2.3", commit)
    later = GitScm(repository.path)
    assert later.cached_remote_refs("main")
    later.create_tag_object("v1.2.3", commit, "v1.2.3")

    assert repository.git("tag", "--list", "v1.2.3") == ""
    later.fast_forward_and_tag(commit, paths=("VERSION", "CHANGELOG.md"), tag="v1.2.3", message="v1.2.3")
    assert repository.git("rev-parse", "refs/tags/v1.2.3") == pushed
    assert repository.git("rev-parse", "main") == commit


@pytest.mark.integration
def test_lightweight_tag_on_the_remote_is_kept(repository: Repository, scm: GitScm) -> None:
    commit = release(scm)
    repository.git("push", "origin", f"{commit}:refs/tags/v1.2.3")
    assert scm.cached_remote_refs("main")
    scm.create_tag_object("v1.2.3", commit, "v1.2.3")
    scm.push(branch="main", tag="v1.2.3")
    scm.fast_forward_and_tag(commit, paths=("VERSION", "CHANGELOG.md"), tag="v1.2.3", message="v1.2.3")

    assert repository.git("rev-parse", "refs/tags/v1.2.3") == commit
    assert repository.remote_git("rev-parse", "refs/heads/main") == commit


@pytest.mark.integration
def test_tag_of_another_clone_is_fetched_not_made_anew(repository: Repository, scm: GitScm, tmp_path: Path) -> None:
    """Two clones finish one release: git would refuse to fetch a tag of which it has another object."""
    commit = release(scm)
    scm.claim("v1.2.3", commit)
    scm.create_tag_object("v1.2.3", commit, "prepared, then killed")
    colleague = GitScm(clone_repository(repository, tmp_path / "colleague").path)
    assert colleague.remote_refs("main") is not None
    colleague.fetch_claims(["v1.2.3"])
    colleague.create_tag_object("v1.2.3", commit, "of the colleague")
    colleague.push(branch="main", tag="v1.2.3")

    assert scm.remote_refs("main") is not None
    scm.create_tag_object("v1.2.3", commit, "of this clone")
    scm.push(branch="", tag="v1.2.3")
    scm.create_tag("v1.2.3", commit, "of this clone")

    assert "of the colleague" in repository.git("cat-file", "tag", "v1.2.3")
    repository.git("fetch", "--tags")
    assert repository.git("rev-parse", "origin/main") == commit
    assert scm.pending_releases() == {}
