"""A scratch clone of the example app, with a bare remote beside it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from kaizen_tasks.adapters.host import process
from kaizen_tasks.errors import KaizenError, Refused

GIT_CONFIG = {
    "user.name": "Coach Team",
    "user.email": "team@coach.example",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "core.hooksPath": os.devnull,  # the user's own hooks know nothing of this app
}


def find_example_app() -> Path:
    """Return the folder of the example app: in a checkout beside the package, in a wheel inside it.

    Raises:
        Refused: the installation is not whole.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "examples" / "coach", package.parent / "examples" / "coach"):
        if folder.is_dir():
            return folder
    raise Refused("the example app is missing from this installation", hint="install kaizen-tasks again")


def create_example_repo(work: Path, example_folder: Path) -> tuple[Path, Path]:
    """Make a repository with the example as its first commit, and a bare remote that has it.

    Args:
        work: an empty folder.
        example_folder: the app's files.

    Returns:
        The clone and the remote.

    Raises:
        Refused: git is not installed.
    """
    clone, remote = work / "coach", work / "coach.git"
    shutil.copytree(example_folder, clone, ignore=shutil.ignore_patterns("__pycache__"))
    _run_git(work, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    _run_git(clone, "init", "--quiet", "--initial-branch=main")
    for key, value in GIT_CONFIG.items():
        _run_git(clone, "config", key, value)
    _run_git(clone, "add", "--all")
    _run_git(clone, "commit", "--quiet", "--no-verify", "--message", "A web app that coaches runners")
    _run_git(clone, "remote", "add", "origin", str(remote))
    _run_git(clone, "push", "--quiet", "--set-upstream", "origin", "main")
    return clone, remote


def _run_git(folder: Path, *arguments: str) -> None:
    result = process.run(("git", *arguments), cwd=folder)
    if not result.ok:
        raise KaizenError(
            f"git {arguments[0]} failed in the scratch clone: {result.last_line}", hint="see git --version"
        )
