"""Scratch git repositories, and bare remotes beside them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

# No configuration of the machine's user, and a fixed identity.
ENVIRONMENT: Mapping[str, str] = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "Ada Author",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Carl Committer",
    "GIT_COMMITTER_EMAIL": "carl@example.com",
}
FILES: Mapping[str, bytes] = {
    "VERSION": b"1.2.2\n",
    "CHANGELOG.md": b"# Changelog\n",
    "app.py": b"print('hello')\n",
}


@frozen
class Repository:
    """A working tree, and what tests do with it.

    Attributes:
        path: the working tree, or the app's folder inside it.
        remote: the bare repository that it pushes to; without a remote, the working tree.
        env: further environment variables for git.
    """

    path: Path
    remote: Path
    env: Mapping[str, str] = field(factory=dict, kw_only=True)

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run git in the app's folder and return what it prints, without the last line break."""
        return self.git_bytes(*arguments, stdin=stdin).decode().removesuffix("\n")

    def git_bytes(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run git in the app's folder and return what it prints."""
        return _git(self.path, *arguments, stdin=stdin, env=self.env)

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files into the working tree."""
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def commit(self, files: Mapping[str, bytes], message: str = "Work") -> str:
        """Write, add and commit files; return the commit's hash."""
        self.write(files)
        self.git("add", "--sparse", "--", *files)
        self.git("commit", "--quiet", "--no-verify", "--message", message, "--", *files)
        return self.git("rev-parse", "HEAD")

    def hook(self, name: str, script: str) -> Path:
        """Install a shell script (without its first line) as a hook; return its path."""
        folder = self.path / self.git("rev-parse", "--git-path", "hooks")
        return _script(folder / name, script)

    def sign_with(self, script: str) -> None:
        """Sign with a shell script instead of gpg."""
        self.git("config", "gpg.program", str(_script(self.path.parent / "signer", script)))

    def remote_hook(self, name: str, script: str) -> None:
        """Install a hook in the remote."""
        _script(self.remote / "hooks" / name, script)

    def remote_git(self, *arguments: str) -> str:
        """Run git in the bare remote."""
        return _git(self.remote, *arguments).decode().removesuffix("\n")


def init_repository(folder: Path, files: Mapping[str, str]) -> Repository:
    """Create a repository without a remote in an existing folder, with one commit on main.

    Args:
        folder: the working tree.
        files: content of the first commit.
    """
    repository = Repository(folder, folder)
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.git("config", "user.name", ENVIRONMENT["GIT_AUTHOR_NAME"])
    repository.git("config", "user.email", ENVIRONMENT["GIT_AUTHOR_EMAIL"])
    repository.commit({name: content.encode() for name, content in files.items()}, "First")
    return repository


def make_repository(
    where: Path, files: Mapping[str, bytes] = FILES, *, object_format: str = "sha1", name: str = "app"
) -> Repository:
    """Create a repository whose first commit is pushed to a bare remote beside it.

    Args:
        where: an empty folder for both.
        files: content of the first commit.
        object_format: sha1 or sha256.
        name: of the working tree's folder.
    """
    remote, path = where / "remote.git", where / name
    path.mkdir(parents=True)
    create = ("init", "--quiet", "--initial-branch=main", f"--object-format={object_format}")
    _git(where, *create, "--bare", str(remote))
    repository = Repository(path, remote)
    repository.git(*create)
    repository.git("remote", "add", "origin", str(remote))
    repository.commit(files, "First")
    repository.git("push", "--quiet", "--set-upstream", "origin", "main")
    return repository


def clone_repository(repository: Repository, into: Path, *options: str) -> Repository:
    """Clone the remote into a new folder."""
    _git(into.parent, "clone", "--quiet", *options, repository.remote.as_uri(), str(into))
    return Repository(into, repository.remote)


def _git(folder: Path, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    completed = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**inherited, **ENVIRONMENT, **(env or {})},
        input=stdin,
        capture_output=True,
        check=False,
    )
    if completed.returncode:
        raise AssertionError(f"git {' '.join(arguments)}: {completed.stderr.decode()}")
    return completed.stdout


def _script(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path
