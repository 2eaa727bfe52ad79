"""Reads which files of a folder are in the index; again only when the index has changed."""

from __future__ import annotations

from collections.abc import Mapping

from kaizen_tasks.adapters.git.command import Git
from kaizen_tasks.adapters.git.snapshot import SKIP_WORKTREE


class TrackedFiles:
    """The files in the index, which git replaces by another file whenever it changes."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._cache: dict[tuple[str, object], Mapping[str, bool]] = {}

    def of(self, folder: str) -> Mapping[str, bool]:
        """Return the files of a folder in the index by path, and of each whether it is checked out."""
        key = folder, self._index_stamp()
        if key not in self._cache:
            entries = self._git.run_checked("--literal-pathspecs", "ls-files", "-v", "-z", "--", folder).items
            self._cache = {key: {entry[2:]: entry[0].upper() != SKIP_WORKTREE for entry in entries}}
        return self._cache[key]

    def _index_stamp(self) -> tuple[int, int, int]:
        try:
            status = self._git.repo.index_file.stat()
        except FileNotFoundError:
            return 0, 0, 0
        return status.st_ino, status.st_mtime_ns, status.st_size
