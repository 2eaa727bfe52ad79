"""A scratch clone of the example app, with a bare remote beside it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from kaizen_tasks.adapters.host import process
from kaizen_tasks.errors import KaizenError, Refused

CONFIGURATION = {
    "user.name": "Coach Team",
    "user.email": "team@coach.example",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "core.hooksPath": os.devnull,  # the user's own hooks know nothing of this app
}


def example() -> Path:
    """Return the folder of the example app: in a checkout beside the package, in a wheel inside it.

    Raises:
        Refused: the installation is not whole.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "examples" / "coach", package.parent / "examples" / "coach"):
        if folder.is_dir():
            return folder
    raise Refused("the example app is missing from this installation", hint="install kaizen-tasks again")


def make(work: Path, example: Path) -> tuple[Path, Path]:
    """Make a repository with the example as its first commit, and a bare remote that has it.

    Args:
        work: an empty folder.
        example: the app's files.

    Returns:
        The clone and the remote.

    Raises:
        Refused: git is not installed.
    """
    clone, remote = work / "coach", work / "coach.git"
    shutil.copytree(example, clone, ignore=shutil.ignore_patterns("__pycache__"))
    _git(work, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    _git(clone, "init", "--quiet", "--initial-branch=main")
    for key, value in CONFIGURATION.items():
        _git(clone, "config", key, value)
    _git(clone, "add", "--all")
    _git(clone, "commit", "--quiet", "--no-verify", "--message", "A web app that coaches runners")
    _git(clone, "remote", "add", "origin", str(remote))
    _git(clone, "push", "--quiet", "--set-upstream", "origin", "main")
    return clone, remote


def _git(folder: Path, *words: str) -> None:
    finished = process.run(("git", *words), cwd=folder)
    if not finished.ok:
        raise KaizenError(f"git {words[0]} failed in the scratch clone: {finished.last}", hint="see git --version")
