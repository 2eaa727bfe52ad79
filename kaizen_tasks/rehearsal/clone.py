"""A scratch clone of the user's app with a scratch remote; the real repository and remote are only read."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.git.scm import GitScm
from kaizen_tasks.adapters.host import process
from kaizen_tasks.config import load
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.release import files, preconditions
from kaizen_tasks.rehearsal.commands import NO_LOCKS_ENV, run_git
from kaizen_tasks.wiring import Toolbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COPIED_GIT_CONFIG = ("user.name", "user.email", "core.autocrlf", "core.eol")
"""Keys of the repository's own git configuration that a release depends on."""

CLONE_GIT_CONFIG = {
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "core.hooksPath": "/dev/null",  # a hook may change anything
    "gc.auto": "0",
}

FETCH_OPTIONS = ("--quiet", "--no-tags", "--upload-pack", "git -c 'safe.directory=*' upload-pack")
"""Options of a fetch from the user's repository, whose owner may be somebody else who is trusted: the other end of the
fetch does not see the variables that say so to the first.
"""


@frozen(kw_only=True)
class ScratchClone:
    """The repository that a rehearsal works on.

    Attributes:
        app_folder: the app's folder in the scratch clone.
        remote: the bare remote; None when the app has none.
        remote_name: the remote's name; empty when the app has none.
        refusals: reasons for which the real flow would refuse to start; the rehearsal ignores them.
        branch: the branch that is checked out.
    """

    app_folder: Path
    remote: Path | None
    remote_name: str
    refusals: tuple[str, ...]
    branch: str = ""


@frozen(kw_only=True)
class _UserRepo:
    """The user's repository, which is only read."""

    top: Path
    settings: Settings

    def git(self, *arguments: str) -> str:
        """Return the output of git; an empty text when it fails."""
        result = process.run(("git", *arguments), cwd=self.top, env=NO_LOCKS_ENV)
        return result.out.rstrip("\n") if result.ok else ""

    @property
    def branch(self) -> str:
        """The branch that is checked out; empty when HEAD is detached."""
        return self.git("symbolic-ref", "--quiet", "--short", "HEAD")

    @property
    def head(self) -> str:
        return self.git("rev-parse", "--verify", "HEAD")

    @property
    def tools(self) -> Toolbox:
        """The app's toolbox, which writes nothing."""
        return Toolbox(self.settings, dry=True, draft=True, stream=sys.stderr)

    @property
    def prefix(self) -> str:
        """The app's folder in the repository, with a slash at the end; empty when it is the repository's own."""
        return f"{self.settings.root.relative_to(self.top).as_posix()}/".removeprefix("./")

    @property
    def modified_files(self) -> tuple[str, ...]:
        """Tracked files whose content differs from HEAD, staged or not; git refreshes a copy of its index for that."""
        argv = ("git", "diff", "--name-only", "--no-renames", "-z", "HEAD")
        with tempfile.TemporaryDirectory() as folder, contextlib.suppress(FileNotFoundError):
            # with its time, by which git knows that a file may have been changed just after it was added
            index = shutil.copy2(self.top / self.git("rev-parse", "--git-path", "index"), folder)
            return _names(process.run(argv, cwd=self.top, env={**NO_LOCKS_ENV, "GIT_INDEX_FILE": str(index)}).out)
        return ()

    @property
    def files(self) -> tuple[str, ...]:
        """Tracked files; before the first commit, also those that it would have."""
        others = () if self.head else ("--others", "--exclude-standard")
        return _names(self.git("ls-files", "--cached", *others, "-z"))

    @property
    def lacks_history(self) -> str:
        """Why there are no commits that can be cloned, with what to do about it; empty when there are."""
        if not self.head:
            return "nothing is committed yet: git add . && git commit"
        is_shallow = self.git("rev-parse", "--is-shallow-repository") == "true"
        return "this is a shallow clone: git fetch --unshallow" if is_shallow else ""

    @property
    def knows_committer(self) -> bool:
        """Whether git knows who commits."""
        return bool(self.git("var", "GIT_COMMITTER_IDENT"))


def _names(output: str) -> tuple[str, ...]:
    return tuple(filter(None, output.split("\0")))


def create_clone(work: Path, top: Path, settings: Settings, *, branches: Sequence[str]) -> ScratchClone:
    """Return a clone with commits, branches, tags and uncommitted changes, and a remote as of the last fetch.

    Args:
        work: an empty folder.
        top: the work tree of the user's repository.
        settings: the settings of the app in that repository.
        branches: names or patterns of the branches that the flow may start from.

    Raises:
        KaizenError: git failed.
    """
    user_repo, clone = _UserRepo(top=top, settings=settings), work / top.name
    refusals = [*preconditions.check_branch(user_repo.branch, branches)]
    branch = _release_branch(branches) if refusals else user_repo.branch
    if not user_repo.knows_committer:
        refusals.append(
            "git does not know who commits: git config user.name 'Your Name' && git config user.email you@example.com"
        )
    _init_clone(user_repo, clone)
    if user_repo.lacks_history:
        refusals.append(user_repo.lacks_history)
        _commit_files(user_repo, clone, branch)
    else:
        _fetch_commits(user_repo, clone, branch)
    remote_name = _remote_name(settings, refusals) if user_repo.head else ""
    remote = _create_remote(user_repo, work / f"{top.name}.git", clone, branch, remote_name) if remote_name else None
    refusals += _commit_local_changes(user_repo, clone) if user_repo.head else ()
    return ScratchClone(
        app_folder=clone / settings.root.relative_to(top),
        remote=remote,
        remote_name=remote_name,
        refusals=tuple(refusals),
        branch=branch,
    )


def _remote_name(settings: Settings, refusals: list[str]) -> str:
    """Return the name of the remote, or an empty string; add to the refusals if it is unclear."""
    try:
        return GitScm(settings.root, remote=settings.release.remote).push_target().remote
    except Refused as error:
        refusals.append(error.message)
        return ""


def _release_branch(branches: Sequence[str]) -> str:
    """Return the name of a branch that releases are allowed from."""
    branch_names = [pattern for pattern in branches if not set(pattern) & set("*?[")]
    return branch_names[0] if branch_names else branches[0].translate({ord("*"): "rehearsal", ord("?"): "x"})


def _init_clone(user_repo: _UserRepo, clone: Path) -> None:
    clone.mkdir()
    run_git(clone, "init", "--quiet", "--template=")
    for key in COPIED_GIT_CONFIG:
        if value := user_repo.git("config", "--get", key):
            run_git(clone, "config", key, value)
    for key, value in CLONE_GIT_CONFIG.items():
        run_git(clone, "config", key, value)
    if not user_repo.knows_committer:
        run_git(clone, "config", "user.name", "Rehearsal")
        run_git(clone, "config", "user.email", "rehearsal@localhost")


def _commit_files(user_repo: _UserRepo, clone: Path, branch: str) -> None:
    """Commit the files of a repository without history as the first commit, and put its tags on that."""
    run_git(clone, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    for name in user_repo.files:
        _copy_file(user_repo.top / name, clone / name)
    run_git(clone, "add", "--all", "--force")
    run_git(clone, "commit", "--quiet", "--no-verify", "--allow-empty", "--message", "All files")
    for tag in user_repo.git("tag", "--list").split():
        run_git(clone, "tag", "--annotate", "--message", tag, tag)


def _fetch_commits(user_repo: _UserRepo, clone: Path, branch: str) -> None:
    options = (*FETCH_OPTIONS, "--update-head-ok")
    refspecs = (f"+refs/{name}/*:refs/{name}/*" for name in ("heads", "tags", "kaizen"))
    run_git(clone, "fetch", *options, str(user_repo.top), "HEAD", *refspecs)
    run_git(clone, "update-ref", f"refs/heads/{branch}", user_repo.head)
    run_git(clone, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    run_git(clone, "reset", "--quiet", "--hard")


def _create_remote(user_repo: _UserRepo, remote: Path, clone: Path, branch: str, name: str) -> Path:
    """Create a bare remote and return its path; push the branch if it is rehearsed under another name."""
    run_git(remote.parent, "init", "--quiet", "--bare", "--template=", str(remote))
    run_git(clone, "remote", "add", name, str(remote))
    if user_repo.lacks_history:
        run_git(clone, "push", "--quiet", "--tags", name, branch)
        return remote
    refspecs = (f"+refs/remotes/{name}/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
    run_git(remote, "fetch", *FETCH_OPTIONS, str(user_repo.top), *refspecs)
    run_git(remote, "update-ref", "-d", "refs/heads/HEAD")
    if branch != user_repo.branch:
        run_git(clone, "push", "--quiet", "--force", name, branch)
    run_git(clone, "fetch", "--quiet", name)
    return remote


def _commit_local_changes(user_repo: _UserRepo, clone: Path) -> Iterator[str]:
    """Commit uncommitted changes, so that they are rehearsed too; yield why a real release would refuse them."""
    modified_files = [name for name in user_repo.modified_files if not _is_release_file(name, user_repo)]
    untracked_files = [name for name in _release_files(user_repo) if not user_repo.git("ls-files", "--", name)]
    untracked_files += _untracked_fragments(user_repo)
    for name in (*user_repo.modified_files, *untracked_files):
        _copy_file(user_repo.top / name, clone / name)
    yield from preconditions.check_uncommitted(modified_files)
    if untracked_files:
        verb = "is" if len(untracked_files) == 1 else "are"
        yield f"{', '.join(untracked_files)} {verb} not committed"
    if modified_files or untracked_files:
        run_git(clone, "add", "--force", "--", *modified_files, *untracked_files)
        run_git(clone, "commit", "--quiet", "--no-verify", "--allow-empty", "--message", "Uncommitted changes")


def _is_release_file(name: str, user_repo: _UserRepo) -> bool:
    """Return whether a release overwrites a file; fragments and files that repeat VERSION must be committed first."""
    path, folder = name.removeprefix(user_repo.prefix), user_repo.settings.changelog.fragments
    if not name.startswith(user_repo.prefix) or (folder and path.startswith(f"{folder}/")):
        return False
    return files.is_release_file(path, user_repo.tools) and path not in files.version_paths(user_repo.tools)


def _untracked_fragments(user_repo: _UserRepo) -> list[str]:
    """Return the files in the folder of fragments that git does not track, as paths in the repository."""
    folder = user_repo.settings.changelog.fragments
    if not folder:
        return []
    return [*_names(user_repo.git("ls-files", "--others", "-z", "--", user_repo.prefix + folder))]


def _release_files(user_repo: _UserRepo) -> tuple[str, ...]:
    """Return the files that these tasks need, as paths in the repository, whether git tracks them or not."""
    root = user_repo.settings.root
    names = (load.CONFIG_FILE_NAME, "tasks.py", "pyproject.toml", *files.release_paths(user_repo.tools))
    return tuple(str((root / name).relative_to(user_repo.top)) for name in names if (root / name).is_file())


def _copy_file(origin: Path, destination: Path) -> None:
    """Copy a file or a link; if the origin does not exist, remove the destination."""
    destination.unlink(missing_ok=True)
    if origin.exists() or origin.is_symlink():
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(origin, destination, follow_symlinks=False)
