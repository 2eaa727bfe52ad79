"""A scratch clone of the example app, with a remote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.host import process
from kaizen_tasks.errors import KaizenError, Refused
from kaizen_tasks.rehearsal import example

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


def git(folder: Path, *words: str) -> str:
    """Return what git says."""
    finished = process.run(("git", *words), cwd=folder)
    assert finished.ok, finished
    return finished.out.strip()


def files(folder: Path) -> set[str]:
    """Return the files below a folder, without git's and Python's own."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in found if not {".git", "__pycache__"} & {*path.parts}}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A small app to copy."""
    folder = tmp_path / "app"
    (folder / "src" / "__pycache__").mkdir(parents=True)
    (folder / "VERSION").write_text("0.1.0\n")
    (folder / "src" / "page.py").write_text("")
    (folder / "src" / "__pycache__" / "page.pyc").write_text("")
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_the_example_is_an_app_that_can_be_released() -> None:
    """It is found in a checkout as well as in a wheel."""
    found = files(example.find_example_app())

    assert found >= {"VERSION", "CHANGELOG.md", "Dockerfile", "kaizen.toml", "tasks.py"}


def test_the_clone_has_everything_committed_and_pushed(work: Path, app: Path) -> None:
    """So that nothing stands in the way of a release."""
    clone, remote = example.create_example_repo(work, app)

    assert files(clone) == {"VERSION", "src/page.py"}
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "rev-parse", "HEAD") == git(remote, "rev-parse", "main")
    assert git(clone, "rev-parse", "--abbrev-ref", "main@{upstream}") == "origin/main"
    assert git(remote, "rev-parse", "--is-bare-repository") == "true"


def test_the_clone_needs_nothing_of_the_users_own_configuration(work: Path, app: Path) -> None:
    """Neither an identity nor a signing key."""
    clone, _ = example.create_example_repo(work, app)

    assert git(clone, "log", "-1", "--format=%an <%ae>") == "Coach Team <team@coach.example>"
    assert git(clone, "config", "commit.gpgSign") == "false"


def test_the_users_own_hooks_do_not_run(work: Path, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A company's hooks have no opinion on an example."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "commit-msg", "pre-push"):
        (hooks / name).write_text("#!/bin/sh\necho no >&2\nexit 1\n")
        (hooks / name).chmod(0o755)
    configuration = tmp_path / "gitconfig"
    configuration.write_text(f"[core]\n\thooksPath = {hooks}\n[tag]\n\tgpgSign = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))

    clone, remote = example.create_example_repo(work, app)
    git(clone, "commit", "--allow-empty", "--message", "Work")
    git(clone, "tag", "--annotate", "v0.1.0", "--message", "web v0.1.0")

    assert git(remote, "rev-parse", "main") == git(clone, "rev-parse", "HEAD~")


def test_the_example_itself_is_not_touched(work: Path, app: Path) -> None:
    """It may be part of an installation that cannot be written to."""
    before = files(app)

    example.create_example_repo(work, app)

    assert files(app) == before
    assert not (app / ".git").exists()


def test_says_that_git_is_missing(work: Path, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the one thing beside Python that is needed."""
    monkeypatch.setenv("PATH", "")

    with pytest.raises(Refused, match="git"):
        example.create_example_repo(work, app)


def test_says_what_git_says_when_it_fails(work: Path, app: Path) -> None:
    """And which command it was."""
    (work / "coach.git").write_text("somebody's file")

    with pytest.raises(KaizenError, match="git init failed in the scratch clone: "):
        example.create_example_repo(work, app)
