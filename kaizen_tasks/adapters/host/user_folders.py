"""This user's folders for what outlives a command.

Containers run as users without an entry in `/etc/passwd`, without a home, or with one that they cannot write to.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

from kaizen_tasks.errors import NOTHING_CHANGED, Refused


def cache_folder() -> Path:
    """Return the folder for what can be made again, which is created.

    Raises:
        Refused: this user can write to no suitable folder.
    """
    return _find_default("XDG_CACHE_HOME", ".cache")


def state_folder() -> Path:
    """Return the folder for what cannot be made again, which is created.

    Raises:
        Refused: this user can write to no suitable folder, or not to the one that the variable names: another one in
            its place would lose what is found by that name.
    """
    base, variable = _configured_base("XDG_STATE_HOME"), "XDG_STATE_HOME"
    if base and (obstacle := _find_obstacle(base / "kaizen")):
        hint = f"unset {variable}, or set it to a folder that you can write to"
        raise Refused(f"{variable}: {base / 'kaizen'}: {obstacle}", state=NOTHING_CHANGED, hint=hint)
    return _find_default(variable, ".local/state")


def home_folder() -> Path | None:
    """Return the home of this user, or None if the machine does not know one."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def _configured_base(variable: str) -> Path | None:
    configured = os.environ.get(variable, "")
    return Path(configured) if os.path.isabs(configured) else None  # noqa: PTH117 - of a text that may be empty


def _find_default(variable: str, home_subfolder: str) -> Path:
    """Return the folder of https://specifications.freedesktop.org/basedir-spec/latest, else one for temporary files."""
    base, home = _configured_base(variable), home_folder()
    if base is None and home is not None:
        base = home / home_subfolder
    return _temporary_folder(variable) if base is None or _find_obstacle(base / "kaizen") else base / "kaizen"


def _find_obstacle(folder: Path) -> str:
    """Create a folder; return why it is not this user's alone to write to, or an empty text."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        return str(error.strerror)
    if not _is_private(status, stat.S_IWOTH):
        return "other users can write there, or own it"
    return "" if os.access(folder, os.W_OK | os.X_OK) else os.strerror(errno.EACCES)


def _temporary_folder(variable: str) -> Path:
    """Return a folder below that for temporary files, where other users may have put something in its place."""
    base = Path(tempfile.gettempdir())
    folder = base / f"kaizen-{os.geteuid()}"
    hint = f"set {variable} to a folder that you can write to"
    if base == Path.cwd():  # tempfile's last choice
        raise Refused("there is no folder for temporary files", state=NOTHING_CHANGED, hint=hint)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise Refused(f"{folder}: {error.strerror}", state=NOTHING_CHANGED, hint=hint) from error
    if not _is_private(status, 0o077):
        raise Refused(f"{folder} is accessible to other users", state=NOTHING_CHANGED, hint=hint)
    return folder


def _is_private(status: os.stat_result, forbidden_mode: int) -> bool:
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & forbidden_mode
