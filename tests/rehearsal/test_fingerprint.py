"""Fingerprints of a repository."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda app: (app / "src" / "page").write_text("two"), "src/page"),
        (lambda app: (app / "src" / "page").chmod(0o755), "src/page"),
        (lambda app: (app / "src" / "new").touch(), "src/new"),
        (lambda app: (app / "src" / "empty").mkdir(), "src/empty"),
        (lambda app: (app / "src" / "page").unlink(), "src/page"),
        (lambda app: ((app / "link").unlink(), (app / "link").symlink_to("src")), "link"),
        (lambda app: (app / ".git" / "HEAD").write_text("ref: refs/heads/other\n"), ".git/HEAD"),
    ],
    ids=["content", "mode", "new file", "new folder", "no file", "link", "git"],
)
def test_diff_fingerprints_finds_every_change(repository: Path, change: Callable[[Path], object], path: str) -> None:
    folders = fingerprint.repo_folders(repository)
    before = fingerprint.fingerprint_tree(folders)
    assert fingerprint.diff_fingerprints(before, fingerprint.fingerprint_tree(folders)) == ()

    change(repository)

    assert fingerprint.diff_fingerprints(before, fingerprint.fingerprint_tree(folders)) == (str(repository / path),)


def test_repo_folders_does_not_refresh_the_index(repository: Path) -> None:
    (repository / "src" / "page").touch()
    before = fingerprint.fingerprint_tree((repository,))

    fingerprint.repo_folders(repository / "src")

    assert fingerprint.diff_fingerprints(before, fingerprint.fingerprint_tree((repository,))) == ()


def test_repo_folders_includes_the_git_folder_of_a_linked_work_tree(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "linked"))

    folders = fingerprint.repo_folders(tmp_path / "linked")

    assert folders[0] == tmp_path / "linked"
    assert repository / ".git" in folders


def test_repo_folders_refuses_a_folder_outside_of_a_repository(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="not in a git repository"):
        fingerprint.repo_folders(tmp_path)
