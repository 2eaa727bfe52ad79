"""What a rehearsal must leave alone in a repository: tracked files, HEAD, refs, the index and git's configuration.

What other programs change meanwhile is left out: untracked files, the times that git keeps in its index, and what
`git fetch` brings.
"""

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

FETCHED_REFS = ("refs/remotes/", "refs/prefetch/")
"""Refs that editors and `git maintenance` update in the background."""

GIT_FILES = ("HEAD", "config", "config.worktree", "info/exclude", "info/attributes", "shallow", "MERGE_HEAD")
"""Files of git that decide what it does, relative to its folder."""


def repo_folders(app: Path) -> tuple[Path, ...]:
    """Return the work tree that an app is in, and git's own folders where they are outside of it (linked work trees).

    Raises:
        Refused: the app is not in a git repository.
    """
    top, *git_folders = _rev_parse(app, "--show-toplevel", "--git-dir", "--git-common-dir")
    return (top, *(folder for folder in dict.fromkeys(git_folders) if not folder.is_relative_to(top)))


def _rev_parse(folder: Path, *options: str) -> tuple[Path, ...]:
    result = process.run(("git", "rev-parse", "--path-format=absolute", *options), cwd=folder, env=NO_LOCKS_ENV)
    if not result.ok:
        raise Refused(
            f"{folder} is not in a git repository",
            state="nothing has been started",
            hint="git init --initial-branch=main && git add --all && git commit --message 'Begin'",
        )
    return tuple(Path(line) for line in result.out.splitlines())


def fingerprint_repository(top: Path) -> Mapping[str, str]:
    """Return a fingerprint of every tracked file, ref and index entry, and of git's configuration, by name."""
    return dict(_fingerprints(top))


def _fingerprints(top: Path) -> Iterator[tuple[str, str]]:
    for line in _git(top, "for-each-ref", "--format=%(refname) %(objectname)").splitlines():
        name, _, commit = line.partition(" ")
        if not name.startswith(FETCHED_REFS):
            yield name, commit
    for folder in dict.fromkeys(_rev_parse(top, "--git-dir", "--git-common-dir")):
        yield from ((f"{folder / name}", _fingerprint_file(folder / name)) for name in GIT_FILES)
        yield from ((str(hook), _fingerprint_file(hook)) for hook in sorted((folder / "hooks").glob("*")))
    for entry in filter(None, _git(top, "ls-files", "--stage", "-z").split("\0")):
        blob, _, path = entry.partition("\t")
        yield f"{path} in the index", blob
        yield path, _fingerprint_file(top / path)


def _git(top: Path, *arguments: str) -> str:
    return process.run(("git", *arguments), cwd=top, env=NO_LOCKS_ENV).out


def _fingerprint_file(path: Path) -> str:
    """Return mode and content hash of a file, mode and target of a link, and the mode of anything else."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return f"{mode:o} {os.readlink(path)}"  # noqa: PTH115 - a target is no path to normalise
        if not stat.S_ISREG(mode):
            return f"{mode:o}"
        with path.open("rb") as file:
            return f"{mode:o} {hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        return f"{type(error).__name__}"


def diff_fingerprints(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of what was changed, added or removed, sorted."""
    return tuple(sorted({name for name, _ in before.items() ^ after.items()}))
