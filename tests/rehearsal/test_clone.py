"""The scratch clone of a user's app."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import evolve, frozen

from kaizen_tasks.rehearsal import clone, fingerprint
from tests.fakes.tools import settings
from tests.rehearsal.test_example import git

if TYPE_CHECKING:
    from kaizen_tasks.rehearsal.clone import ScratchClone

SET_ASIDE = "commit them, or set them aside: git stash"

pytestmark = pytest.mark.integration


@frozen
class Original:
    """A user's repository with a remote; the app is in it, or in a folder of it."""

    top: Path

    def write(self, name: str, content: str) -> None:
        """Write a file."""
        (self.top / name).parent.mkdir(parents=True, exist_ok=True)
        (self.top / name).write_text(content)

    def commit(self, **files: str) -> str:
        """Commit files and return the commit."""
        for name, content in files.items():
            self.write(name, content)
        git(self.top, "add", "--all")
        git(self.top, "commit", "--quiet", "--allow-empty", "--message", "Work")
        return git(self.top, "rev-parse", "HEAD")

    def copy(self, *branches: str, app: str = ".", **changes: object) -> ScratchClone:
        """Clone it, and check that this changes nothing in it."""
        work = self.top.parent / "work"
        work.mkdir()
        before = fingerprint.fingerprint_repository(self.top)
        app_settings = evolve(settings(**changes), root=self.top / app)
        copy = clone.create_clone(work, self.top, app_settings, branches=branches or ("main", "stable/*"))
        assert fingerprint.diff_fingerprints(before, fingerprint.fingerprint_repository(self.top)) == ()
        return copy


@pytest.fixture
def original(tmp_path: Path) -> Original:
    """A repository on main, pushed."""
    git(tmp_path, "init", "--quiet", "--bare", "real.git")
    repository = Original(tmp_path / "app")
    repository.top.mkdir()
    git(repository.top, "init", "--quiet", "--initial-branch=main")
    git(repository.top, "config", "user.name", "Sam")
    git(repository.top, "config", "user.email", "sam@app.example")
    git(repository.top, "remote", "add", "origin", str(tmp_path / "real.git"))
    repository.commit(VERSION="0.1.0\n", page="one\n", **{"kaizen.toml": 'app = "web"\n'})
    git(repository.top, "push", "--quiet", "--set-upstream", "origin", "main")
    return repository


def test_clone_has_commits_branches_tags_and_the_last_fetched_remote(original: Original) -> None:
    pushed = git(original.top, "rev-parse", "HEAD")
    git(original.top, "tag", "v0.1.0")
    head = original.commit(page="two\n")

    copy = original.copy()

    assert copy.refusals == ()
    assert copy.remote
    assert git(copy.app_folder, "rev-parse", "main", "v0.1.0", "origin/main").split() == [head, pushed, pushed]
    assert git(copy.remote, "for-each-ref", "--format=%(refname)").split() == ["refs/heads/main", "refs/tags/v0.1.0"]
    assert (git(copy.app_folder, "symbolic-ref", "--short", "HEAD"), git(copy.app_folder, "status", "--short")) == (
        "main",
        "",
    )
    assert git(copy.app_folder, "config", "user.email") == "sam@app.example"
    assert git(copy.app_folder, "remote", "get-url", "origin") == str(copy.remote)


def test_a_branch_without_releases_is_rehearsed_as_one_that_allows_them(original: Original) -> None:
    original.commit(page="on main\n")
    git(original.top, "switch", "--quiet", "--create", "feature", "HEAD~1")
    head = original.commit(page="on a branch\n")

    copy = original.copy("stable/*", "main")

    assert copy.refusals == ("releases are not allowed from branch feature (allowed: stable/*, main): git switch main",)
    assert git(copy.app_folder, "symbolic-ref", "--short", "HEAD") == "main"
    assert git(copy.app_folder, "rev-parse", "main", "origin/main").split() == [head, head]


def test_a_detached_head_is_rehearsed_on_a_branch_that_fits_the_pattern(original: Original) -> None:
    git(original.top, "checkout", "--quiet", "--detach")

    copy = original.copy("hotfix/*")

    assert copy.refusals == ("HEAD is detached: git switch --create hotfix/fix",)
    assert git(copy.app_folder, "symbolic-ref", "--short", "HEAD") == "hotfix/rehearsal"


def test_a_branch_that_fits_a_pattern_is_kept(original: Original) -> None:
    git(original.top, "switch", "--quiet", "--create", "stable/1")

    assert git(original.copy().app_folder, "symbolic-ref", "--short", "HEAD") == "stable/1"


def test_uncommitted_changes_are_committed_in_the_clone_and_untracked_files_left_out(original: Original) -> None:
    original.commit(gone="x", staged="x")
    original.write("page", "edited\n")
    original.write("staged", "staged\n")
    git(original.top, "add", "staged")
    (original.top / "gone").unlink()
    original.write("unknown", "secret\n")

    copy = original.copy()

    assert copy.refusals == (f"uncommitted changes would not be in the release: gone, page, staged ({SET_ASIDE})",)
    assert git(copy.app_folder, "show", "HEAD:page", "HEAD:staged").split() == ["edited", "staged"]
    assert {path.name for path in copy.app_folder.iterdir()} == {".git", "VERSION", "kaizen.toml", "page", "staged"}
    assert git(copy.app_folder, "status", "--short") == ""


def test_uncommitted_version_stays_uncommitted_in_the_clone(original: Original) -> None:
    original.write("VERSION", "0.2.0\n")

    copy = original.copy()

    assert copy.refusals == ()
    assert git(copy.app_folder, "status", "--short") == "M VERSION"


def test_edits_of_a_file_that_repeats_version_are_committed_in_the_clone(original: Original) -> None:
    original.commit(**{"package.json": '{"version": "0.1.0"}'})
    original.write("package.json", '{"version": "0.1.0", "private": true}')

    copy = original.copy(version_files=[{"path": "package.json", "key": "version"}])

    assert copy.refusals == (f"uncommitted changes would not be in the release: package.json ({SET_ASIDE})",)
    assert git(copy.app_folder, "status", "--short") == ""


def test_a_file_with_a_new_time_is_no_change_and_leaves_the_index_as_it_is(original: Original) -> None:
    index = original.top / ".git" / "index"
    os.utime(original.top / "page", (1, 1))
    before = index.read_bytes()

    assert original.copy().refusals == ()

    assert index.read_bytes() == before


def test_a_repository_without_commits_is_cloned_as_if_everything_were_committed(tmp_path: Path) -> None:
    original = Original(tmp_path / "app")
    original.top.mkdir()
    git(original.top, "init", "--quiet", "--initial-branch=main")
    git(original.top, "config", "user.email", "sam@app.example")
    git(original.top, "config", "user.name", "Sam")
    original.write(".gitignore", "*.log\n")
    original.write("src/page", "one\n")
    original.write("debug.log", "x\n")

    copy = original.copy()

    assert copy.refusals == ("nothing is committed yet: git add . && git commit",)
    assert git(copy.app_folder, "ls-files").split() == [".gitignore", "src/page"]


def test_a_shallow_clone_is_cloned_as_one_commit_with_its_tags(original: Original) -> None:
    original.commit(page="two\n")
    git(original.top, "tag", "v0.1.0")
    git(original.top, "push", "--quiet", "origin", "main", "v0.1.0")
    url = f"file://{original.top.parent / 'real.git'}"
    git(original.top.parent, "clone", "--quiet", "--depth=1", "--branch=main", url, "shallow")
    shallow = Original(original.top.parent / "shallow")
    git(shallow.top, "config", "user.name", "Sam")
    git(shallow.top, "config", "user.email", "sam@app.example")
    shallow.write("page", "three\n")

    copy = shallow.copy()

    assert copy.refusals == (
        "this is a shallow clone: git fetch --unshallow",
        f"uncommitted changes would not be in the release: page ({SET_ASIDE})",
    )
    assert copy.remote
    assert git(copy.app_folder, "rev-parse", "--is-shallow-repository") == "false"
    assert git(copy.app_folder, "show", "main:page") == "three"
    first_commit = git(copy.app_folder, "rev-parse", "HEAD^")
    assert git(copy.remote, "rev-parse", "main^{}", "v0.1.0^{}").split() == [first_commit, first_commit]


def test_a_clone_can_commit_where_git_does_not_know_who_commits(original: Original) -> None:
    git(original.top, "config", "--unset", "user.email")
    git(original.top, "config", "user.useConfigOnly", "true")
    original.write("page", "edited\n")

    copy = original.copy()

    assert copy.refusals[0].startswith("git does not know who commits")
    assert git(copy.app_folder, "show", "HEAD:page") == "edited"


def test_several_untracked_files_are_reported_together(original: Original) -> None:
    git(original.top, "rm", "--quiet", "--cached", "VERSION")
    original.write("tasks.py", "x = 1\n")

    assert any(each.endswith(" are not committed") and "tasks.py" in each for each in original.copy().refusals)


def test_an_untracked_tasks_file_is_cloned_and_reported(original: Original) -> None:
    original.write("tasks.py", "x = 1\n")

    copy = original.copy()

    assert copy.refusals == ("tasks.py is not committed",)
    assert git(copy.app_folder, "show", "HEAD:tasks.py") == "x = 1"


def test_clone_of_an_app_in_a_subfolder_without_a_remote(original: Original) -> None:
    git(original.top, "remote", "remove", "origin")
    original.commit(**{"web/VERSION": "1.0.0\n"})

    copy = original.copy(app="web")

    assert (copy.app_folder.name, copy.app_folder.joinpath("VERSION").read_text(), copy.remote) == (
        "web",
        "1.0.0\n",
        None,
    )
