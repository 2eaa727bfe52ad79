"""Atomic replacement of files: readers see the old content or the new, never a part."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


_TEMPORARY_NAME = re.compile(r"\..+\.[0-9a-f]{12}", re.DOTALL)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file that only its owner can read, and create its folder, but not the folders above.

    There is no fsync: the state of a local cloud need not survive a power failure.

    Args:
        path: the file.
        content: its new content.
    """
    path.parent.mkdir(exist_ok=True)  # without its parents: a deleted state folder must not come back
    temporary = path.with_name(f".{path.name[:64]}.{os.urandom(6).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_temporary_files(folder: Path) -> None:
    """Remove what a process has left in a folder that was killed while it replaced a file."""
    for path in folder.glob(".*"):
        if _TEMPORARY_NAME.fullmatch(path.name):
            path.unlink()
