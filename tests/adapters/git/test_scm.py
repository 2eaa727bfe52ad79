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
