"""Every file of a repository before and after, so that a rehearsal can prove that it has left everything alone."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.host import process
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NO_LOCKS_ENV = {"GIT_OPTIONAL_LOCKS": "0"}
"""git may refresh its index even when it only looks: https://git-scm.com/docs/git#Documentation/git.txt."""


def repo_folders(app: Path) -> tuple[Path, ...]:
    """Return the work tree around an app and git's own folders, which a linked work tree has elsewhere.

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
    """Return for every file and folder what it is: mode, and the hash of its content."""
    return {str(path): _fingerprint(path) for root in roots for path in _walk(root)}


def _walk(root: Path) -> Iterator[Path]:
    yield root
    for folder, subfolders, files in os.walk(root):
        yield from (Path(folder) / name for name in (*subfolders, *files))


def _fingerprint(path: Path) -> str:
    """Describe one path; what is no file, folder or link has no content that could change."""
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
    """Return the paths that are not as they were, sorted."""
    return tuple(sorted({path for path, _ in before.items() ^ after.items()}))
