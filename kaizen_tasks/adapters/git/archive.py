"""Exports the app's files of a commit."""

from __future__ import annotations

import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from kaizen_tasks.adapters.git.command import Git
from kaizen_tasks.errors import Refused

# The same bytes and modes on every machine, independent of the user's configuration.
_REPRODUCIBLE_CONFIG = ("-c", "core.autocrlf=false", "-c", "core.eol=lf", "-c", "tar.umask=0022")


def export(git: Git, commit: str, destination: Path, folder: str = ".") -> None:
    """Write a commit's version of a folder into an empty folder; apply `export-ignore` and `export-subst`.

    Git LFS files are written as pointers, and submodules as empty folders.

    Args:
        git: the repository.
        commit: the commit.
        destination: the empty folder.
        folder: `.` is the app's folder, `..` the one above.

    Raises:
        Refused: the folder is outside the repository, the commit lacks it, or has a path that leads out of it.
    """
    git.require_in_repository(folder)
    with TemporaryDirectory(prefix="kaizen-export-") as scratch:
        archive = Path(scratch) / "tree.tar"
        # Run in a subfolder, git archives only that, and still applies attributes and `export-subst`.
        result = git.run(
            *_REPRODUCIBLE_CONFIG, "archive", "--format=tar", f"--output={archive}", "--end-of-options", commit,
            env={"GIT_LFS_SKIP_SMUDGE": "1"}, cwd=git.root / folder,
        )  # fmt: skip
        if not result.ok:
            raise Refused(f"{commit[:12]} cannot be exported: {result.reason}", state="nothing has been built")
        _unpack(archive, destination)


def _unpack(archive: Path, destination: Path) -> None:
    """Unpack an archive, links and modes included; refuse paths that lead out of the folder."""
    try:
        with tarfile.open(archive, encoding="utf-8", errors="surrogateescape") as tree:
            tree.extractall(destination, filter="tar")
    except tarfile.FilterError as error:
        raise Refused(f"the commit has a path that leads out of its folder: {error}") from error
