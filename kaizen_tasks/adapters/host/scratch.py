"""Scratch folders, which do not outlive the command: the next one removes those of commands that were killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIXES = ("kaizen-demo-", "kaizen-login-", "kaizen-rehearsal-")
"""Prefixes of the folders that are locked while they are used, and removed when they are not."""

MIN_AGE_SECONDS = 60.0
"""A folder is locked a moment after it was created, so that a new one is not an abandoned one."""


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """Return a context manager that creates a private folder, locks it, and removes it at the end.

    Args:
        prefix: one of `PREFIXES`.
    """
    remove_abandoned_folders()
    folder = tempfile.TemporaryDirectory(prefix=prefix)
    descriptor = os.open(folder.name, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with folder:
            yield Path(folder.name).resolve()
    finally:
        os.close(descriptor)


def remove_abandoned_folders(*, min_age: float = MIN_AGE_SECONDS) -> None:
    """Remove this user's scratch folders that no process has locked.

    Args:
        min_age: seconds for which a folder has to be unchanged.
    """
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIXES):
                with contextlib.suppress(OSError):
                    _remove_if_abandoned(Path(entry.path), min_age)


def _remove_if_abandoned(folder: Path, min_age: float) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        is_own = status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077
        if is_own and status.st_mtime <= time.time() - min_age:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
