"""A scratch clone of the example app, with a bare remote beside it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from kaizen_tasks.domain.platform import DEFAULT_PLATFORM
from kaizen_tasks.errors import Refused
from kaizen_tasks.rehearsal.commands import run_git

CONFIG_FILE = "kaizen.toml"
OTHER_ACCOUNT, OTHER_REGION = "210987654321", "eu-central-1"
"""Where all environments but the first are, if the example has several accounts."""

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


def create_example_repo(
    work: Path, example_folder: Path, *, platform: str = DEFAULT_PLATFORM, accounts: bool = False
) -> tuple[Path, Path]:
    """Create a repository with the example as its first commit, and push that to a bare remote.

    Args:
        work: an empty folder.
        example_folder: the app's files.
        platform: what its configuration shall name as the platform of all environments.
        accounts: whether all environments but the first shall be in another account and region.

    Returns:
        The clone and the remote.

    Raises:
        Refused: git is not installed.
        KaizenError: git failed.
    """
    clone, remote = work / "coach", work / "coach.git"
    shutil.copytree(example_folder, clone, ignore=shutil.ignore_patterns("__pycache__"))
    if platform != DEFAULT_PLATFORM:
        _choose_platform(clone / CONFIG_FILE, platform)
    if accounts:
        _move_later_environments(clone / CONFIG_FILE)
    run_git(work, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    run_git(clone, "init", "--quiet", "--initial-branch=main")
    for key, value in GIT_CONFIG.items():
        run_git(clone, "config", key, value)
    run_git(clone, "add", "--all")
    run_git(clone, "commit", "--quiet", "--no-verify", "--message", "A web app that coaches runners")
    run_git(clone, "remote", "add", "origin", str(remote))
    run_git(clone, "push", "--quiet", "--set-upstream", "origin", "main")
    return clone, remote


def _choose_platform(config_file: Path, platform: str) -> None:
    """Write a platform into a configuration in place of the one that all environments have."""
    text = config_file.read_text(encoding="utf-8")
    config_file.write_text(text.replace(_setting(DEFAULT_PLATFORM), _setting(platform)), encoding="utf-8")


def _move_later_environments(config_file: Path) -> None:
    """Write another account and region, and the role that leads there, into all environments but the first."""
    text = config_file.read_text(encoding="utf-8")
    before, first, *others = re.split(r"^(?=\[environments\.\w+\])", text, flags=re.MULTILINE)
    role = f"arn:aws:iam::{OTHER_ACCOUNT}:role/coach-release"
    place = f'account = "{OTHER_ACCOUNT}"\nregion = "{OTHER_REGION}"\nrole = "{role}"\n'
    tables = (f"{header}\n{place}{keys}" for header, _, keys in (table.partition("\n") for table in others))
    config_file.write_text("".join((before, first, *tables)), encoding="utf-8")


def _setting(platform: str) -> str:
    return f'platform = "{platform}"'
