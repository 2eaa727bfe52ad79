"""Refusing the files of other users, and allowing them by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import HANG_SECONDS

pytestmark = pytest.mark.integration


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Return an app in a folder in which every user can replace it."""
    app = tmp_path / "shared" / "app"
    app.mkdir(parents=True)
    app.parent.chmod(0o777)
    (app / "kaizen.toml").write_text('app = "web"\n')
    (app / "tasks.py").write_text("from kaizen_tasks import namespace\n__all__ = ['namespace']\n")
    (app / "invoke.py").write_text("raise SystemExit('invoke.py was run')\n")
    return app


def list_tasks(program: str, app: Path) -> subprocess.CompletedProcess[str]:
    argv = [str(Path(sys.executable).with_name(program)), "--list"]
    return subprocess.run(argv, cwd=app, capture_output=True, encoding="utf-8", check=False, timeout=HANG_SECONDS)


def test_files_that_others_could_have_written_are_not_run(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(app / "gitconfig"))
    result = list_tasks("kaizen", app)

    assert result.returncode == 3
    assert result.stdout == ""
    assert result.stderr == (
        f"error: {app.parent} can be changed by every user of this machine: no file in {app} is obeyed\n"
        "no task has been run\n"
        f"if you trust it, set KAIZEN_SAFE_DIRECTORIES={app}, or: git config --global --add safe.directory {app}\n"
    )


def test_inv_does_not_go_on_after_tasks_py(app: Path) -> None:
    """Invoke itself has loaded that file by then."""
    result = list_tasks("inv", app)

    assert (result.returncode, "no task has been run" in result.stderr) == (3, True)


@pytest.mark.parametrize("allowed", ["{app}", "{app}/", "/elsewhere:{app}", "{parent}/*", "*"])
def test_variable_allows_a_folder_by_name(app: Path, allowed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAIZEN_SAFE_DIRECTORIES", allowed.format(app=app, parent=app.parent))

    assert list_tasks("kaizen", app).stderr == "invoke.py was run\n"


@pytest.mark.parametrize("other", ["{parent}", "{app}/inside", "{parent}/ap*", "/*/app", "app", "."])
def test_other_names_allow_nothing(app: Path, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAIZEN_SAFE_DIRECTORIES", other.format(app=app, parent=app.parent))

    assert list_tasks("kaizen", app).returncode == 3


def test_typing_what_the_error_says_allows_the_folder(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    command = list_tasks("kaizen", app).stderr.rpartition("or: ")[2]
    subprocess.run(command.split(), check=True)

    assert list_tasks("kaizen", app).stderr == "invoke.py was run\n"


def test_empty_value_in_git_takes_back_what_was_allowed(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in git: https://git-scm.com/docs/git-config#Documentation/git-config.txt-safedirectory."""
    (tmp_path / "gitconfig").write_text(f"[safe]\n\tdirectory = {app}\n\tdirectory =\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))

    assert list_tasks("kaizen", app).returncode == 3


def test_repository_cannot_allow_itself(app: Path) -> None:
    subprocess.run(["git", "init", "--quiet", app], check=True)
    subprocess.run(["git", "config", "safe.directory", "*"], cwd=app, check=True)

    assert list_tasks("kaizen", app).returncode == 3
