"""A scratch clone of the app that the user stands in, with a scratch remote: nothing of the real ones is written to."""

from __future__ import annotations

import fnmatch
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.host import process
from kaizen_tasks.config import load
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.rehearsal.fingerprint import NO_LOCKS_ENV

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COPIED_GIT_CONFIG = ("user.name", "user.email", "core.autocrlf", "core.eol")
"""What the repository's own git configuration may say that a release depends on."""

CLONE_GIT_CONFIG = {
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "core.hooksPath": "/dev/null",  # a hook may do anything, anywhere
    "gc.auto": "0",
}
UNCOMMITTED_OK = ("VERSION", "CHANGELOG.md")
"""What a release edits may be edited already: the flow itself says whether it goes on from that."""


@frozen(kw_only=True)
class ScratchClone:
    """What a rehearsal works on.

    Attributes:
        app_folder: the app's folder in the scratch clone.
        remote: the bare remote; None when the app has none.
        refusals: why the real flow would refuse to begin, although the rehearsal goes on.
    """

    app_folder: Path
    remote: Path | None
    refusals: tuple[str, ...]


@frozen(kw_only=True)
class _UserRepo:
    """The user's repository, which is only looked at."""

    top: Path
    settings: Settings

    def git(self, *arguments: str) -> str:
        """Look; an empty string when there is nothing to see."""
        result = process.run(("git", *arguments), cwd=self.top, env=NO_LOCKS_ENV)
        return result.out.rstrip("\n") if result.ok else ""

    @property
    def branch(self) -> str:
        """What is checked out; empty when HEAD is detached."""
        return self.git("symbolic-ref", "--quiet", "--short", "HEAD")

    @property
    def head(self) -> str:
        """The commit that is checked out."""
        return self.git("rev-parse", "--verify", "HEAD")

    @property
    def has_remote(self) -> bool:
        """Whether there is one to push to."""
        return self.settings.release.remote in self.git("remote").split()

    @property
    def modified_files(self) -> tuple[str, ...]:
        """Tracked files whose content differs from HEAD, staged or not."""
        return tuple(filter(None, self.git("diff", "--name-only", "--no-renames", "-z", "HEAD").split("\0")))


def create_clone(work: Path, top: Path, settings: Settings, *, branches: Sequence[str]) -> ScratchClone:
    """Copy commits, branches, tags and what is not committed; the scratch remote is what was fetched last.

    Args:
        work: an empty folder.
        top: the work tree of the user's repository.
        settings: of the app in it.
        branches: from which the flow starts: names or patterns.

    Raises:
        KaizenError: git cannot do it.
    """
    user_repo, clone = _UserRepo(top=top, settings=settings), work / top.name
    branch = _choose_branch(user_repo, branches)
    refusals = [*_branch_refusals(user_repo, branches)]
    _clone_repo(user_repo, clone, branch)
    remote = _create_remote(user_repo, work / f"{top.name}.git", clone, branch) if user_repo.has_remote else None
    refusals += _commit_local_changes(user_repo, clone)
    return ScratchClone(app_folder=clone / settings.root.relative_to(top), remote=remote, refusals=tuple(refusals))


def _is_release_branch(branch: str, branches: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(branch, pattern) for pattern in branches)


def _choose_branch(user_repo: _UserRepo, branches: Sequence[str]) -> str:
    """Return the branch that the rehearsal is on: the one that is checked out, else one that is released from."""
    if user_repo.branch and _is_release_branch(user_repo.branch, branches):
        return user_repo.branch
    branch_names = [pattern for pattern in branches if not set(pattern) & set("*?[")]
    return branch_names[0] if branch_names else branches[0].translate({ord("*"): "rehearsal", ord("?"): "x"})


def _branch_refusals(user_repo: _UserRepo, branches: Sequence[str]) -> Iterator[str]:
    if not user_repo.branch:
        yield "HEAD is detached: check out a branch"
    elif not _is_release_branch(user_repo.branch, branches):
        yield f"the branch {user_repo.branch} is not released from; allowed: {', '.join(branches)}"


def _clone_repo(user_repo: _UserRepo, clone: Path, branch: str) -> None:
    clone.mkdir()
    _run_git(clone, "init", "--quiet", "--template=")
    for key in COPIED_GIT_CONFIG:
        if value := user_repo.git("config", "--get", key):
            _run_git(clone, "config", key, value)
    for key, value in CLONE_GIT_CONFIG.items():
        _run_git(clone, "config", key, value)
    refspecs = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+refs/kaizen/*:refs/kaizen/*")
    _run_git(
        clone,
        "fetch",
        "--quiet",
        "--update-head-ok",
        "--update-shallow",
        "--no-tags",
        str(user_repo.top),
        "HEAD",
        *refspecs,
    )
    _run_git(clone, "update-ref", f"refs/heads/{branch}", user_repo.head)
    _run_git(clone, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    _run_git(clone, "reset", "--quiet", "--hard")


def _create_remote(user_repo: _UserRepo, remote: Path, clone: Path, branch: str) -> Path:
    """Make a bare remote; a branch that stands for another one counts as merged into it."""
    name = user_repo.settings.release.remote
    _run_git(remote.parent, "init", "--quiet", "--bare", "--template=", str(remote))
    refspecs = (f"+refs/remotes/{name}/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
    _run_git(remote, "fetch", "--quiet", "--no-tags", str(user_repo.top), *refspecs)
    _run_git(remote, "update-ref", "-d", "refs/heads/HEAD")
    _run_git(clone, "remote", "add", name, str(remote))
    if branch != user_repo.branch:
        _run_git(clone, "push", "--quiet", "--force", name, branch)
    _run_git(clone, "fetch", "--quiet", name)
    return remote


def _commit_local_changes(user_repo: _UserRepo, clone: Path) -> Iterator[str]:
    """Commit what is not committed, so that it is rehearsed as well; say that a release would not begin."""
    modified_files = [name for name in user_repo.modified_files if not name.endswith(UNCOMMITTED_OK)]
    untracked_files = [name for name in _release_files(user_repo) if not user_repo.git("ls-files", "--", name)]
    for name in (*user_repo.modified_files, *untracked_files):
        _copy_file(user_repo.top / name, clone / name)
    if modified_files:
        yield f"uncommitted changes would not be in the release: {', '.join(modified_files[:3])}{_and_more(modified_files)}"
    if untracked_files:
        yield f"{', '.join(untracked_files)} is not committed"
    if modified_files or untracked_files:
        _run_git(clone, "add", "--force", "--", *modified_files, *untracked_files)
        _run_git(clone, "commit", "--quiet", "--no-verify", "--message", "What was not committed")


def _release_files(user_repo: _UserRepo) -> tuple[str, ...]:
    """Return what these tasks need of an app, as paths in the repository, whether git knows it or not."""
    root = user_repo.settings.root
    names = (load.CONFIG_FILE_NAME, "tasks.py", "pyproject.toml", *UNCOMMITTED_OK)
    return tuple(str((root / name).relative_to(user_repo.top)) for name in names if (root / name).is_file())


def _copy_file(origin: Path, destination: Path) -> None:
    if not origin.exists() and not origin.is_symlink():
        destination.unlink(missing_ok=True)
        return
    destination.parent.mkdir(parents=True, exist_ok=True)
    destination.unlink(missing_ok=True)
    shutil.copy2(origin, destination, follow_symlinks=False)


def _and_more(names: Sequence[str]) -> str:
    return f" and {len(names) - 3} more" if len(names) > 3 else ""


def _run_git(folder: Path, *arguments: str) -> None:
    result = process.run(("git", *arguments), cwd=folder, env=NO_LOCKS_ENV)
    if not result.ok:
        raise KaizenError(
            f"git {arguments[0]} failed in the scratch clone: {result.last_line}", hint="see git --version"
        )
