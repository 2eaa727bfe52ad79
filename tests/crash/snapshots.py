"""The state of a repository: byte for byte if nothing may change, by meaning after a release."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import evolve, frozen

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.git_repository import Repository

REFS = "--format=%(refname) %(objecttype) %(subject) %(*objecttype) %(*subject)"
STATUS = ("--no-optional-locks", "status", "--porcelain", "-z", "--untracked-files=all", "--ignored")
OTHER_FILES = (":(exclude)VERSION", ":(exclude)CHANGELOG.md")


@frozen(kw_only=True)
class Snapshot:
    """The parts of a repository that a refused command must not change.

    Attributes:
        files: content and mode of every file of the working tree.
        own: hashes of git's own files (HEAD, refs, reflogs, configuration, operations in progress), without the index,
            which is compared by meaning, and without objects.
        index: `git ls-files -s`.
        staged: `git diff-index --cached`.
        refs: every ref and its object, the stash among them.
        remote: every ref of the remote and its object.
    """

    files: Mapping[str, tuple[bytes, int]]
    own: Mapping[str, str]
    index: str
    staged: str
    refs: str
    remote: str


PRIVATE_REFS = re.compile(r"(?m)^.*\trefs/(?:kaizen|remotes)/.*\n?")


def without_private_refs(state: Snapshot) -> Snapshot:
    """Return a snapshot without the private ref that an unfinished release may leave.

    Remote-tracking refs are left out as well: a rejected push updates them.
    """
    git_files = {
        name: digest for name, digest in state.own.items() if "/refs/kaizen/" not in name and "/remotes/" not in name
    }
    return evolve(state, own=git_files, refs=PRIVATE_REFS.sub("", f"{state.refs}\n"), remote="")


def take_snapshot(repository: Repository) -> Snapshot:
    """Read the whole state of a repository."""
    return Snapshot(
        files={str(path): (path.read_bytes(), path.stat().st_mode) for path in _files(repository.path)},
        own={
            str(path): _hash(path) for path in sorted((repository.path / ".git").rglob("*")) if _is_git_metadata(path)
        },
        index=repository.git("ls-files", "-s"),
        staged=repository.git("diff-index", "--cached", "HEAD"),
        refs=repository.git("for-each-ref"),
        remote=repository.remote_git("for-each-ref"),
    )


@frozen(kw_only=True)
class RepositoryState:
    """The state after a release, without times and hashes, which differ between runs.

    Attributes:
        head: what HEAD names.
        log: subjects of the branch, newest first.
        refs: every ref, with the subject of what it names.
        remote: the same of the remote.
        unlike: remote refs that point to another object than the local ref of the same name.
        files: content of the working tree's files, without the date of the release.
        status: `git status` with untracked and ignored files.
        staged: staged changes of files other than the release's.
        locks: lock files left behind.
    """

    head: str
    log: str
    refs: str
    remote: str
    unlike: frozenset[str]
    files: Mapping[str, bytes]
    status: str
    staged: str
    locks: tuple[str, ...]


def repository_state(repository: Repository) -> RepositoryState:
    """Read the state after a release."""
    return RepositoryState(
        head=repository.git("symbolic-ref", "HEAD"),
        log=repository.git("log", "--format=%s"),
        refs=repository.git("for-each-ref", REFS),
        remote=repository.remote_git("for-each-ref", REFS),
        unlike=frozenset(
            name for name, object_id in parse_refs(repository.remote_git("for-each-ref")).items()
            if parse_refs(repository.git("for-each-ref")).get(name) != object_id
        ),
        files={
            str(path.relative_to(repository.path)): _mask_date(path.read_bytes()) for path in _files(repository.path)
        },
        status=repository.git(*STATUS),
        staged=repository.git("diff-index", "--cached", "HEAD", "--", ".", *OTHER_FILES),
        locks=tuple(path.name for path in sorted((repository.path / ".git").rglob("*.lock"))),
    )  # fmt: skip


def parse_refs(output: str) -> dict[str, str]:
    """Parse `git for-each-ref` into the object of every ref."""
    return {line.partition("\t")[2]: line.partition(" ")[0] for line in output.splitlines()}


def _files(root: Path) -> list[Path]:
    return [path for path in sorted(root.rglob("*")) if path.is_file() and ".git" not in path.relative_to(root).parts]


def _is_git_metadata(path: Path) -> bool:
    return path.is_file() and path.name != "index" and "objects" not in path.parts


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _mask_date(content: bytes) -> bytes:
    return re.sub(rb"(?m)^(## \[\d+\.\d+\.\d+\] - )\d{4}-\d\d-\d\d", rb"\1DATE", content)
