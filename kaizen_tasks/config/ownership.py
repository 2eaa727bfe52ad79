"""Finds files of an app's folder that another user of the machine could have written.

The tasks run what these files say, with the rights of whoever types a command below the folder, as git once did with
another user's `.git`: https://nvd.nist.gov/vuln/detail/CVE-2022-24765
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kaizen_tasks.config.load import CONFIG_FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

SAFE_VARIABLE = "KAIZEN_SAFE_DIRECTORIES"
"""Environment variable with the folders whose files are obeyed whoever owns them, separated as in `PATH`."""

TASKS_FILE_NAMES = ("tasks.py", "tasks")
OBEYED_FILE_NAMES = (
    CONFIG_FILE_NAME,
    "pyproject.toml",
    *TASKS_FILE_NAMES,
    *(f"invoke.{suffix}" for suffix in ("yaml", "yml", "json", "py")),
)
"""Files that these tasks or Invoke read or run: https://docs.pyinvoke.org/en/stable/concepts/configuration.html."""


class Exposure(NamedTuple):
    """A folder whose files another user could have written.

    Attributes:
        folder: the folder.
        path: what belongs to another user, or can be replaced by one.
        reason: why, as the rest of a sentence about the path.
    """

    folder: Path
    path: Path
    reason: str


def find_exposure(root: Path) -> Exposure | None:
    """Return the first folder whose files would be obeyed and could be another user's; None when there is none.

    Args:
        root: the folder of the configuration.
    """
    tasks_folder = Path(sys.path[0] or root)  # Invoke puts the folder of `tasks.py` there
    has_tasks = any(os.path.lexists(tasks_folder / name) for name in TASKS_FILE_NAMES)
    folders = (root, tasks_folder) if has_tasks else (root,)
    return next((exposure for folder in folders for exposure in _exposures(folder)), None)


def _exposures(folder: Path) -> Iterator[Exposure]:
    files = [folder / name for name in OBEYED_FILE_NAMES if os.path.lexists(folder / name)]
    if not files:
        return
    trusted_uids = _trusted_uids()
    for path in (folder, *files):
        # A symbolic link has an owner too: who may choose its target.
        for status in (path.lstat(), *((path.stat(),) if os.path.exists(path) else ())):  # noqa: PTH110 - raises nothing
            if status.st_uid not in trusted_uids:
                yield Exposure(folder, path, f"belongs to {_user_name(status.st_uid)}, not to you")
    for path in (*files, folder, *folder.resolve().parents):
        if os.path.exists(path) and _is_open_to_all(path.stat()):  # noqa: PTH110
            yield Exposure(folder, path, "can be changed by every user of this machine")


def _trusted_uids() -> set[int]:
    """Return the users whose files are obeyed: this one, root and, below sudo, who typed it, as git has it."""
    uids = {0, os.geteuid()}
    sudo_uid = os.environ.get("SUDO_UID", "")
    if os.geteuid() == 0 and sudo_uid.isascii() and sudo_uid.isdigit():
        uids.add(int(sudo_uid))
    return uids


def _is_open_to_all(status: os.stat_result) -> bool:
    """Return whether everybody may write; in a folder with the sticky bit nobody can replace another user's files."""
    is_sticky_folder = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    return bool(status.st_mode & stat.S_IWOTH) and not is_sticky_folder


def _user_name(uid: int) -> str:
    from pwd import getpwuid

    try:
        return f"{getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"
