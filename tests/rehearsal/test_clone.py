"""A scratch clone of somebody's app."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import evolve, frozen

from kaizen_tasks.rehearsal import clone, fingerprint
from tests.fakes.tools import settings
from tests.rehearsal.test_example import git

if TYPE_CHECKING:
    from kaizen_tasks.rehearsal.clone import ScratchClone

pytestmark = pytest.mark.integration


@frozen
class Original:
    """Somebody's repository, with a remote; the app is in it, or in a folder of it."""

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

    def copy(self, *branches: str, app: str = ".") -> ScratchClone:
        """Copy it, and look whether that has changed it."""
        work = self.top.parent / "work"
        work.mkdir()
        before = fingerprint.fingerprint_tree((self.top,))
        found = evolve(settings(), root=self.top / app)
        made = clone.create_clone(work, self.top, found, branches=branches or ("main", "stable/*"))
        assert fingerprint.diff_fingerprints(before, fingerprint.fingerprint_tree((self.top,))) == ()
        return made


@pytest.fixture
def original(tmp_path: Path) -> Original:
    """A repository on main, pushed."""
    git(tmp_path, "init", "--quiet", "--bare", "real.git")
    made = Original(tmp_path / "app")
    made.top.mkdir()
    git(made.top, "init", "--quiet", "--initial-branch=main")
    git(made.top, "config", "user.name", "Sam")
    git(made.top, "config", "user.email", "sam@app.example")
    git(made.top, "remote", "add", "origin", str(tmp_path / "real.git"))
    made.commit(VERSION="0.1.0\n", page="one\n", **{"kaizen.toml": 'app = "web"\n'})
    git(made.top, "push", "--quiet", "--set-upstream", "origin", "main")
    return made


def test_has_the_commits_branches_and_tags_and_the_remote_that_was_fetched_last(original: Original) -> None:
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


def test_a_branch_that_is_not_released_from_stands_for_one_that_is(original: Original) -> None:
    """And counts as merged, although main has gone on."""
    original.commit(page="on main\n")
    git(original.top, "switch", "--quiet", "--create", "feature", "HEAD~1")
    head = original.commit(page="on a branch\n")

    copy = original.copy("stable/*", "main")

    assert copy.refusals == ("the branch feature is not released from; allowed: stable/*, main",)
    assert git(copy.app_folder, "symbolic-ref", "--short", "HEAD") == "main"
    assert git(copy.app_folder, "rev-parse", "main", "origin/main").split() == [head, head]


def test_a_detached_head_stands_on_a_branch(original: Original) -> None:
    """Of a pattern, one that fits it."""
    git(original.top, "checkout", "--quiet", "--detach")

    copy = original.copy("hotfix/*")

    assert copy.refusals == ("HEAD is detached: check out a branch",)
    assert git(copy.app_folder, "symbolic-ref", "--short", "HEAD") == "hotfix/rehearsal"


def test_a_branch_that_fits_a_pattern_is_taken(original: Original) -> None:
    git(original.top, "switch", "--quiet", "--create", "stable/1")

    assert git(original.copy().app_folder, "symbolic-ref", "--short", "HEAD") == "stable/1"


def test_what_is_not_committed_is_carried_along(original: Original) -> None:
    """Staged, edited and deleted files; what git does not know stays behind."""
    original.commit(gone="x", staged="x")
    original.write("page", "edited\n")
    original.write("staged", "staged\n")
    git(original.top, "add", "staged")
    (original.top / "gone").unlink()
    original.write("unknown", "secret\n")

    copy = original.copy()

    assert copy.refusals == ("uncommitted changes would not be in the release: gone, page, staged",)
    assert git(copy.app_folder, "show", "HEAD:page", "HEAD:staged").split() == ["edited", "staged"]
    assert {path.name for path in copy.app_folder.iterdir()} == {".git", "VERSION", "kaizen.toml", "page", "staged"}
    assert git(copy.app_folder, "status", "--short") == ""


def test_a_release_judges_its_own_files_itself(original: Original) -> None:
    """They are as edited, and not committed."""
    original.write("VERSION", "0.2.0\n")

    copy = original.copy()

    assert copy.refusals == ()
    assert git(copy.app_folder, "status", "--short") == "M VERSION"


def test_a_configuration_that_git_does_not_know_yet_comes_along(original: Original) -> None:
    """Whoever adopts these tasks rehearses before the first commit."""
    original.write("tasks.py", "x = 1\n")

    copy = original.copy()

    assert copy.refusals == ("tasks.py is not committed",)
    assert git(copy.app_folder, "show", "HEAD:tasks.py") == "x = 1"


def test_an_app_in_a_folder_of_a_repository_without_a_remote(original: Original) -> None:
    git(original.top, "remote", "remove", "origin")
    original.commit(**{"web/VERSION": "1.0.0\n"})

    copy = original.copy(app="web")

    assert (copy.app_folder.name, copy.app_folder.joinpath("VERSION").read_text(), copy.remote) == (
        "web",
        "1.0.0\n",
        None,
    )
