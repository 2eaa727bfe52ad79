"""A scratch clone of the example app, with a bare remote beside it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from kaizen_tasks.errors import Refused
from kaizen_tasks.rehearsal.commands import run_git

GIT_CONFIG = {
    "user.name": "Coach Team",
    "user.email": "team@coach.example",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "core.hooksPath": os.devnull,  # the user's global hooks are not meant for this app
}


def find_example_app() -> Path:
    """Return the folder of the example app: beside the package in a checkout, inside it in a wheel.

    Raises:
        Refused: the installation lacks it.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "examples" / "coach", package.parent / "examples" / "coach"):
        if folder.is_dir():
            return folder
    hint = "pip install --force-reinstall kaizen-tasks"
    raise Refused("the example app is missing from this installation", hint=hint)


def create_example_repo(work: Path, example_folder: Path) -> tuple[Path, Path]:
    """Create a repository with the example as its first commit, and push that to a bare remote.

    Args:
        work: an empty folder.
        example_folder: the app's files.

    Returns:
        The clone and the remote.

    Raises:
        Refused: git is not installed.
        KaizenError: git failed.
    """
    clone, remote = work / "coach", work / "coach.git"
    shutil.copytree(example_folder, clone, ignore=shutil.ignore_patterns("__pycache__"))
    run_git(work, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    run_git(clone, "init", "--quiet", "--initial-branch=main")
    for key, value in GIT_CONFIG.items():
        run_git(clone, "config", key, value)
    run_git(clone, "add", "--all")
    run_git(clone, "commit", "--quiet", "--no-verify", "--message", "A web app that coaches runners")
    run_git(clone, "remote", "add", "origin", str(remote))
    run_git(clone, "push", "--quiet", "--set-upstream", "origin", "main")
    return clone, remote
