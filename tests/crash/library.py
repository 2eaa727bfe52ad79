"""A scratch library with a remote, and commands that run in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

from tests.support import git_repository
from tests.support.git_repository import ENVIRONMENT, Repository
from tests.support.workspaces import COMMAND_SECONDS, CommandResult, clean_environ, program

CHANGELOG = b"""\
# Changelog

## [Unreleased]

### Added

- A lever

## [1.2.2] - 2026-01-01

### Fixed

- A squeak
"""
FILES: Mapping[str, bytes] = {
    "VERSION": b"1.2.2\n",
    "CHANGELOG.md": CHANGELOG,
    "kaizen.toml": b'app = "lib"\n',
    "tasks.py": b'from kaizen_tasks import namespace\n\n__all__ = ["namespace"]\n',
    "lib.py": b"LEVERS = 1\n",
    "notes.txt": b"as committed\n",
}
CUT = ("cut",)
CUT_AND_PUSH = ("cut", "--push")
CHAIN = ("bump", "changelog.release", "commit", "tag")


@frozen(kw_only=True)
class Library:
    """A clone with a remote, in which `inv` runs.

    Attributes:
        repository: the clone.
        environ: the whole environment of commands.
    """

    repository: Repository
    environ: Mapping[str, str] = field(repr=False)

    @property
    def path(self) -> Path:
        """The working directory of commands."""
        return self.repository.path

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start `inv …` in a process group of its own, so that a kill hits nothing else."""
        return subprocess.Popen(
            [program("inv"), *words],
            cwd=self.path,
            env={**self.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def inv(self, *words: str, **variables: str) -> CommandResult:
        """Run `inv …`."""
        return wait_for_result(self.start(*words, **variables))

    def shell(self, line: str) -> CommandResult:
        """Run a line of a hint in a shell, with this Python's programs on PATH."""
        path = os.pathsep.join((str(Path(program("inv")).parent), self.environ["PATH"]))
        words = ("sh", "-c", line)
        completed = subprocess.run(
            words, cwd=self.path, env={**self.environ, "PATH": path}, stdin=subprocess.DEVNULL,
            capture_output=True, encoding="utf-8", timeout=COMMAND_SECONDS, check=False,
        )  # fmt: skip
        return CommandResult(words=words, code=completed.returncode, out=completed.stdout, err=completed.stderr)

    def copy_to(self, folder: Path) -> Library:
        """Return a copy of clone and remote in another folder."""
        shutil.copytree(self.path.parent, folder, symlinks=True)
        repository = Repository(folder / self.path.name, folder / self.repository.remote.name)
        repository.git("remote", "set-url", repository.git("remote"), str(repository.remote))
        return Library(repository=repository, environ=user_environ(folder))

    def clone_for_colleague(self, folder: Path) -> Library:
        """Return another clone of the same remote."""
        folder.mkdir(parents=True)
        clone = git_repository.clone_repository(self.repository, folder / "app")
        clone.git("remote", "set-url", "origin", str(self.repository.remote))
        return Library(repository=clone, environ=user_environ(folder))


def create_library(folder: Path, files: Mapping[str, bytes] = FILES) -> Library:
    """Create a library with one release and one unreleased change, all pushed."""
    repository = git_repository.make_repository(folder, files)
    repository.git("tag", "--annotate", "--message", "lib v1.2.2", "v1.2.2")
    repository.git("push", "--quiet", "origin", "v1.2.2")
    return Library(repository=repository, environ=user_environ(folder))


def user_environ(folder: Path) -> dict[str, str]:
    """Return a user's environment with an identity and no other configuration."""
    return {**clean_environ(folder / "user"), **ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "1"}


def wait_for_result(process: subprocess.Popen[str]) -> CommandResult:
    """Wait for a command to end, and return its result."""
    out, err = process.communicate(timeout=COMMAND_SECONDS)
    return CommandResult(words=process.args, code=process.returncode, out=out, err=err)  # type: ignore[arg-type]  # it was started with a list
