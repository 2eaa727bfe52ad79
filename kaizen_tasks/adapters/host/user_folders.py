"""This user's folders for what outlives a command.

Containers run as users without an entry in `/etc/passwd`, without a home, or with one that they cannot write to.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from kaizen_tasks.errors import NOTHING_CHANGED, Refused


def cache_folder() -> Path:
    """Return the folder for what can be made again. It may not exist yet.

    Raises:
        Refused: this user can write to no suitable folder.
    """
    return _choose("XDG_CACHE_HOME", ".cache")


def state_folder() -> Path:
    """Return the folder for what cannot be made again. It may not exist yet.

    Raises:
        Refused: this user can write to no suitable folder.
    """
    return _choose("XDG_STATE_HOME", ".local/state")


def home_folder() -> Path | None:
    """Return the home of this user, or None if the machine does not know one."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def _choose(variable: str, home_subfolder: str) -> Path:
    """Return the folder of https://specifications.freedesktop.org/basedir-spec/latest, else one for temporary files."""
    home, configured = home_folder(), os.environ.get(variable, "")
    if os.path.isabs(configured):  # noqa: PTH117 - of a text that may be empty
        base = Path(configured)
    elif home is not None:
        base = home / home_subfolder
    else:
        return _temporary_folder(variable)
    return base / "kaizen" if _is_usable(base / "kaizen") else _temporary_folder(variable)


def _is_usable(folder: Path) -> bool:
    """Return whether a folder is this user's alone to write to, or can be created."""
    nearest = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not os.access(nearest, os.W_OK | os.X_OK) or not nearest.is_dir():
        return False
    return nearest != folder or _is_private(folder.stat(), stat.S_IWOTH)


def _temporary_folder(variable: str) -> Path:
    """Return a folder below that for temporary files, where other users may have put something in its place."""
    base = Path(tempfile.gettempdir())
    folder = base / f"kaizen-{os.geteuid()}"
    hint = f"set {variable} to a folder that you can write to"
    if base == Path.cwd():  # tempfile's last choice
        raise Refused("there is no folder for temporary files", state=NOTHING_CHANGED, hint=hint)
    folder.mkdir(mode=0o700, exist_ok=True)
    if not _is_private(folder.lstat(), 0o077):
        raise Refused(f"{folder} is accessible to other users", state=NOTHING_CHANGED, hint=hint)
    return folder


def _is_private(status: os.stat_result, forbidden_mode: int) -> bool:
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & forbidden_mode
