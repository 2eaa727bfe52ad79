"""Fingerprints of a repository."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.errors import Refused
from kaizen_tasks.rehearsal import fingerprint
from tests.rehearsal.test_example import git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.integration


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a folder, a link and a commit."""
    folder = tmp_path / "app"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "page").write_text("one")
    (folder / "link").symlink_to("src/page")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "--message", "First")
    return folder


def refresh_index(app: Path) -> None:
    os.utime(app / "src" / "page", (1, 1))
    git(app, "status")


def change_index(app: Path) -> None:
    (app / "src" / "page").write_text("two")
    git(app, "add", "--all")
    (app / "src" / "page").write_text("one")


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda app: (app / "src" / "page").write_text("two"), ["src/page"]),
        (lambda app: (app / "src" / "page").chmod(0o755), ["src/page"]),
        (lambda app: (app / "src" / "page").unlink(), ["src/page"]),
        (lambda app: ((app / "link").unlink(), (app / "link").symlink_to("src")), ["link"]),
        (lambda app: (app / ".git" / "HEAD").write_text("ref: refs/heads/other\n"), ["/.git/HEAD"]),
        (lambda app: git(app, "config", "core.editor", "ed"), ["/.git/config"]),
        (lambda app: git(app, "tag", "v1"), ["refs/tags/v1"]),
        (lambda app: git(app, "update-ref", "refs/kaizen/claims/v1", "HEAD"), ["refs/kaizen/claims/v1"]),
        (lambda app: (app / ".git" / "hooks" / "pre-push").write_text("exit 1"), ["/.git/hooks/pre-push"]),
        (change_index, ["src/page in the index"]),
    ],
    ids=["content", "mode", "no file", "link", "HEAD", "config", "tag", "claim", "hook", "index"],
)
def test_every_change_that_matters_is_found(
    repository: Path, change: Callable[[Path], object], names: list[str]
) -> None:
    before = fingerprint.fingerprint_repository(repository)
    assert fingerprint.diff_fingerprints(before, fingerprint.fingerprint_repository(repository)) == ()

    change(repository)

    changed = fingerprint.diff_fingerprints(before, fingerprint.fingerprint_repository(repository))
    assert [name.removeprefix(str(repository)) for name in changed] == names


@pytest.mark.parametrize(
    "change",
    [
        refresh_index,
        lambda app: (app / "src" / ".page.swp").touch(),
        lambda app: git(app, "update-ref", "refs/remotes/origin/main", "HEAD"),
        lambda app: git(app, "gc", "--quiet"),
    ],
    ids=["a refreshed index", "a swap file", "a fetch", "packed refs"],
)
def test_what_other_programs_do_meanwhile_is_no_change(repository: Path, change: Callable[[Path], object]) -> None:
    before = fingerprint.fingerprint_repository(repository)

    change(repository)

    assert fingerprint.diff_fingerprints(before, fingerprint.fingerprint_repository(repository)) == ()


def test_repo_folders_includes_the_git_folder_of_a_linked_work_tree(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "linked"))

    folders = fingerprint.repo_folders(tmp_path / "linked")

    assert folders[0] == tmp_path / "linked"
    assert repository / ".git" in folders


def test_repo_folders_refuses_a_folder_outside_of_a_repository(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="not in a git repository"):
        fingerprint.repo_folders(tmp_path)
