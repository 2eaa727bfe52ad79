"""Fingerprints of every file of a repository, so that a rehearsal can verify that it changed none."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.host import process
from kaizen_tasks.errors import Refused
from kaizen_tasks.rehearsal.commands import NO_LOCKS_ENV

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def repo_folders(app: Path) -> tuple[Path, ...]:
    """Return the work tree that an app is in, and git's own folders where they are outside of it (linked work trees).

    Raises:
        Refused: the app is not in a git repository.
    """
    argv = ("git", "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir")
    result = process.run(argv, cwd=app, env=NO_LOCKS_ENV)
    if not result.ok:
        raise Refused(f"{app} is not in a git repository", state="nothing has been started", hint="git init")
    top, *git_folders = (Path(line) for line in result.out.splitlines())
    return (top, *(folder for folder in dict.fromkeys(git_folders) if not folder.is_relative_to(top)))


def fingerprint_tree(roots: tuple[Path, ...]) -> Mapping[str, str]:
    """Return a fingerprint of every file and folder: its mode, and the hash of its content."""
    return {str(path): _fingerprint(path) for root in roots for path in _walk(root)}


def _walk(root: Path) -> Iterator[Path]:
    yield root
    for folder, subfolders, files in os.walk(root):
        yield from (Path(folder) / name for name in (*subfolders, *files))


def _fingerprint(path: Path) -> str:
    """Return mode and content hash of a file, mode and target of a link, and the mode of anything else."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return f"{mode:o} {path.readlink()}"
        if not stat.S_ISREG(mode):
            return f"{mode:o}"
        with path.open("rb") as file:
            return f"{mode:o} {hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        return f"{type(error).__name__}"


def diff_fingerprints(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Return the paths that were changed, added or removed, sorted."""
    return tuple(sorted({path for path, _ in before.items() ^ after.items()}))
