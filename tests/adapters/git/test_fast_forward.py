"""Moving the branch and a few files with it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.host.atomic_write import WorkingTree
from kaizen_tasks.errors import Refused
from tests.contracts.scm import PATHS, RELEASE, land_and_tag, release

if TYPE_CHECKING:
    from kaizen_tasks.adapters.git.scm import GitScm
    from tests.support.git_repository import Repository

pytestmark = pytest.mark.integration


class TestLanding:
    @pytest.mark.parametrize("done", [(), ("index",), ("index", "VERSION")])
    def test_interrupted_fast_forward_is_finished(
        self, repository: Repository, scm: GitScm, done: tuple[str, ...]
    ) -> None:
        commit = release(scm)
        repository.git("update-ref", "refs/heads/main", commit)
        if "index" in done:
            repository.git("read-tree", commit)
        if "VERSION" in done:
            repository.write({"VERSION": RELEASE["VERSION"]})
        scm.invalidate_cache()
        scm.fast_forward(commit, paths=PATHS)

        assert repository.git("status", "--porcelain") == ""
        assert (repository.path / "CHANGELOG.md").read_bytes() == RELEASE["CHANGELOG.md"]

    @pytest.mark.parametrize("content", [b"1\n", b"edited\n"])
    def test_file_that_an_interrupted_run_has_not_deleted_is_deleted_unless_edited(
        self, repository: Repository, scm: GitScm, content: bytes
    ) -> None:
        parent = repository.commit({"notes/1.md": b"1\n"})
        commit = scm.write_commit(parent=parent, files={"notes/1.md": None}, message="Release")
        repository.git("update-ref", "refs/heads/main", commit)
        repository.git("read-tree", commit)
        repository.write({"notes/1.md": content})
        scm.invalidate_cache()

        with nullcontext() if content == b"1\n" else pytest.raises(Refused, match=r"notes/1.md: other changes"):
            scm.fast_forward(commit, paths=("notes",))

        assert (repository.path / "notes/1.md").exists() == (content == b"edited\n")

    def test_release_is_pending_until_its_files_are_updated(
        self, repository: Repository, scm: GitScm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit = release(scm)
        scm.save_pending("v1.2.3", commit)

        def stopped(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(WorkingTree, "write", stopped)
            with pytest.raises(KeyboardInterrupt):
                scm.fast_forward_and_tag(commit, paths=PATHS, tag="v1.2.3", message="web v1.2.3")
        assert scm.resolve("refs/tags/v1.2.3") == scm.head().commit == commit
        assert scm.pending_releases() == {"v1.2.3": commit}

        scm.fast_forward_and_tag(commit, paths=PATHS, tag="v1.2.3", message="web v1.2.3")
        assert scm.pending_releases() == {}
        assert repository.git("status", "--porcelain") == ""

    def test_release_tagged_on_another_commit_is_not_pending(self, repository: Repository, scm: GitScm) -> None:
        scm.save_pending("v1.2.3", release(scm))
        repository.git("tag", "--annotate", "--message", "of others", "v1.2.3", "HEAD")

        assert scm.pending_releases() == {}

    def test_brings_files_up_to_a_first_commit(self, repository: Repository, scm: GitScm) -> None:
        repository.git("update-index", "--force-remove", "VERSION")
        (repository.path / "VERSION").unlink()
        scm.fast_forward(scm.head().commit, paths=PATHS)

        assert repository.git("status", "--porcelain") == ""

    def test_leaves_an_edit_of_a_file_that_the_release_does_not_change(
        self, repository: Repository, scm: GitScm
    ) -> None:
        repository.commit({"VERSION": RELEASE["VERSION"]})
        commit = release(scm)
        repository.write({"VERSION": b"edited\n"})
        scm.fast_forward(commit, paths=PATHS)

        assert repository.git("status", "--porcelain") == " M VERSION"
        assert (repository.path / "VERSION").read_bytes() == b"edited\n"

    def test_later_edits_of_released_files_are_refused_and_kept(self, repository: Repository, scm: GitScm) -> None:
        commit = land_and_tag(scm)
        repository.write({"CHANGELOG.md": b"the next release\n"})

        with pytest.raises(Refused, match=r"CHANGELOG.md"):
            scm.fast_forward(commit, paths=PATHS)
        assert (repository.path / "CHANGELOG.md").read_bytes() == b"the next release\n"

    def test_index_lock_of_another_git_is_refused(self, repository: Repository, scm: GitScm) -> None:
        commit, before = release(scm), scm.head()
        (repository.path / ".git" / "index.lock").touch()

        with pytest.raises(Refused, match="another git process is running"):
            scm.fast_forward(commit, paths=PATHS)
        assert scm.head() == before

    def test_refuses_to_overwrite_a_file_that_is_not_tracked(self, repository: Repository, scm: GitScm) -> None:
        files = {"NEWS.md": b"new\n"}
        commit = scm.write_commit(parent=scm.head().commit, files=files, message="News")
        repository.write({"NEWS.md": b"mine\n"})

        with pytest.raises(Refused, match=r"NEWS.md"):
            scm.fast_forward(commit, paths=("NEWS.md",))
        repository.write(files)
        scm.fast_forward(commit, paths=("NEWS.md",))
        assert repository.git("status", "--porcelain") == ""

    def test_assume_unchanged_file_is_refused(self, repository: Repository, scm: GitScm) -> None:
        repository.git("update-index", "--assume-unchanged", "VERSION")
        commit, before = release(scm), scm.head()

        assert scm.read_at(commit, "VERSION") == RELEASE["VERSION"]
        with pytest.raises(Refused, match="VERSION is marked assume-unchanged"):
            scm.fast_forward(commit, paths=PATHS)
        assert scm.head() == before

    def test_fast_forward_is_in_the_reflog(self, repository: Repository, scm: GitScm) -> None:
        commit = land_and_tag(scm)

        assert f"kaizen: fast-forward to {commit}" in repository.git("reflog", "-1", "HEAD")
        assert f"kaizen: fast-forward to {commit}" in repository.git("reflog", "-1", "main")
