"""Reads regular files of a limited size, so that no named pipe, device or endless file can stop a command."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from kaizen_tasks.errors import NOTHING_CHANGED, Refused

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE_BYTES = 16 * 1024 * 1024
KINDS = {
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
}


def kind_name(path: Path) -> str:
    """Return what is at a path, such as `a device`; `a file` for a regular one."""
    return KINDS.get(stat.S_IFMT(path.stat().st_mode), "a file")


def read_regular_file(path: Path, name: str, *, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Return the content of a regular file, or of the one that a symbolic link leads to.

    Args:
        path: the file's path.
        name: what to call the file in messages.
        max_bytes: the largest size that is accepted.

    Raises:
        FileNotFoundError: there is no such file.
        Refused: it is something else than a file, too large, or cannot be read.
    """
    try:
        kind = stat.S_IFMT(path.stat().st_mode)  # a device may react to being opened
        if kind in KINDS:
            hint = f"put a file in its place: {path}"
            raise Refused(f"{name} cannot be read: it is {KINDS[kind]}, not a file", state=NOTHING_CHANGED, hint=hint)
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123 - of a descriptor
            content = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        hint = f"ls -l {path}"
        raise Refused(f"{name} cannot be read: {error.strerror}", state=NOTHING_CHANGED, hint=hint) from error
    if len(content) > max_bytes:
        message = f"{name} cannot be read: it is larger than {max_bytes // 1024:,} KiB"
        raise Refused(message, state=NOTHING_CHANGED, hint=f"ls -lL {path}")
    return content
