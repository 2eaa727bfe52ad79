"""Claims on remotes that do not accept every ref."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.git.scm import GitScm
from kaizen_tasks.errors import PushFailed, Refused
from tests.contracts.scm import land_and_tag, release
from tests.support.git_repository import Repository, clone_repository

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

ONLY_BRANCHES_AND_TAGS = 'case "$1" in refs/heads/*|refs/tags/*) ;; *) echo "ref not allowed" >&2; exit 1;; esac'


def remote_refs(repository: Repository) -> list[str]:
    return repository.remote_git("for-each-ref", "--format=%(refname)").split()


def test_claim_is_a_branch_where_other_refs_are_refused(repository: Repository, scm: GitScm) -> None:
    repository.remote_hook("update", ONLY_BRANCHES_AND_TAGS)
    commit = land_and_tag(scm)

    scm.claim("v1.2.3", commit)
    assert remote_refs(repository) == ["refs/heads/kaizen/release/v1.2.3", "refs/heads/main"]
    refs = scm.remote_refs("main")
    assert refs is not None
    assert refs.claims == {"v1.2.3": commit}

    scm.push(branch="main", tag="v1.2.3")
    assert remote_refs(repository) == ["refs/heads/main", "refs/tags/v1.2.3"]


def test_number_is_abandoned_as_a_branch_where_other_refs_are_refused(repository: Repository, scm: GitScm) -> None:
    repository.remote_hook("update", ONLY_BRANCHES_AND_TAGS)
    commit = release(scm)
    scm.claim("v1.2.3", commit)

    scm.abandon("v1.2.3", commit)
    assert remote_refs(repository) == ["refs/heads/kaizen/abandoned/v1.2.3", "refs/heads/main"]


def test_hidden_refs_become_a_branch(repository: Repository, scm: GitScm) -> None:
    repository.remote_git("config", "transfer.hideRefs", "refs/kaizen")
    commit = release(scm)

    scm.claim("v1.2.3", commit)
    assert "refs/heads/kaizen/release/v1.2.3" in remote_refs(repository)


def test_lost_race_leaves_no_branch(repository: Repository, scm: GitScm, tmp_path: Path) -> None:
    """A lease that fails looks like a refused ref at first."""
    scm.remote_refs("main")
    colleague = GitScm(clone_repository(repository, tmp_path / "colleague").path)
    commit = release(colleague, "By a colleague.")
    colleague.claim("v1.2.3", commit)

    with pytest.raises(Refused, match=f"for {commit[:10]}"):
        scm.claim("v1.2.3", release(scm))
    assert remote_refs(repository) == ["refs/heads/main", "refs/kaizen/release/v1.2.3"]


def test_refused_claim_quotes_the_remote(repository: Repository, scm: GitScm) -> None:
    repository.remote_hook("pre-receive", "echo 'no pushes on Friday' >&2; exit 1")

    with pytest.raises(PushFailed, match=r"the claim of v1.2.3 neither as refs/kaizen/\* nor .*: no pushes on Friday"):
        scm.claim("v1.2.3", release(scm))


def test_claim_that_cannot_be_deleted_does_not_stop_the_tag(repository: Repository, scm: GitScm) -> None:
    commit = land_and_tag(scm)
    scm.claim("v1.2.3", commit)
    repository.remote_hook("update", "case $3 in *[!0]*) ;; *) exit 1;; esac")

    scm.push(branch="main", tag="v1.2.3")
    refs = scm.remote_refs("main")
    assert refs is not None
    assert refs.tags == {"v1.2.3": commit}


def test_refs_are_changed_one_after_the_other_without_atomic_pushes(repository: Repository) -> None:
    repository.remote_git("config", "receive.advertiseAtomic", "false")
    scm = GitScm(repository.path, atomic=False)
    commit = land_and_tag(scm)
    scm.claim("v1.2.4", commit)
    scm.claim("v1.2.3", commit, abandons=["v1.2.4"])

    scm.push(branch="main", tag="v1.2.3")
    assert remote_refs(repository) == ["refs/heads/main", "refs/kaizen/abandoned/v1.2.4", "refs/tags/v1.2.3"]


def test_end_of_a_claim_that_cannot_be_deleted_says_what_is_there(repository: Repository) -> None:
    scm = GitScm(repository.path, atomic=False)
    scm.claim("v1.2.3", land_and_tag(scm))
    repository.remote_hook("update", "case $3 in *[!0]*) ;; *) exit 1;; esac")

    with pytest.raises(PushFailed) as failure:
        scm.abandon("v1.2.3", scm.head().commit)

    assert failure.value.state.startswith("origin has refs/kaizen/abandoned/v1.2.3")
