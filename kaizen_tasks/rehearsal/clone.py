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
from kaizen_tasks.rehearsal.fingerprint import QUIET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TAKEN_ALONG = ("user.name", "user.email", "core.autocrlf", "core.eol")
"""What the repository's own git configuration may say that a release depends on."""

OWN = {
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "core.hooksPath": "/dev/null",  # a hook may do anything, anywhere
    "gc.auto": "0",
}
LEFT_AS_THEY_ARE = ("VERSION", "CHANGELOG.md")
"""What a release edits may be edited already: the flow itself says whether it goes on from that."""


@frozen(kw_only=True)
class Copy:
    """What a rehearsal works on.

    Attributes:
        app: the app's folder in the scratch clone.
        remote: the bare remote; None when the app has none.
        refusals: why the real flow would refuse to begin, although the rehearsal goes on.
    """

    app: Path
    remote: Path | None
    refusals: tuple[str, ...]


@frozen(kw_only=True)
class _Original:
    """The user's repository, which is only looked at."""

    top: Path
    settings: Settings

    def git(self, *words: str) -> str:
        """Look; an empty string when there is nothing to see."""
        finished = process.run(("git", *words), cwd=self.top, env=QUIET)
        return finished.out.rstrip("\n") if finished.ok else ""

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
    def modified(self) -> tuple[str, ...]:
        """Tracked files whose content differs from HEAD, staged or not."""
        return tuple(filter(None, self.git("diff", "--name-only", "--no-renames", "-z", "HEAD").split("\0")))


def make(work: Path, top: Path, settings: Settings, *, branches: Sequence[str]) -> Copy:
    """Copy commits, branches, tags and what is not committed; the scratch remote is what was fetched last.

    Args:
        work: an empty folder.
        top: the work tree of the user's repository.
        settings: of the app in it.
        branches: from which the flow starts: names or patterns.

    Raises:
        KaizenError: git cannot do it.
    """
    original, clone = _Original(top=top, settings=settings), work / top.name
    branch = _branch(original, branches)
    refusals = [*_off_branch(original, branches)]
    _clone(original, clone, branch)
    remote = _remote(original, work / f"{top.name}.git", clone, branch) if original.has_remote else None
    refusals += _carry_along(original, clone)
    return Copy(app=clone / settings.root.relative_to(top), remote=remote, refusals=tuple(refusals))


def _is_released(branch: str, branches: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(branch, pattern) for pattern in branches)


def _branch(original: _Original, branches: Sequence[str]) -> str:
    """Return the branch that the rehearsal is on: the one that is checked out, else one that is released from."""
    if original.branch and _is_released(original.branch, branches):
        return original.branch
    plain = [each for each in branches if not set(each) & set("*?[")]
    return plain[0] if plain else branches[0].translate({ord("*"): "rehearsal", ord("?"): "x"})


def _off_branch(original: _Original, branches: Sequence[str]) -> Iterator[str]:
    if not original.branch:
        yield "HEAD is detached: check out a branch"
    elif not _is_released(original.branch, branches):
        yield f"the branch {original.branch} is not released from; allowed: {', '.join(branches)}"


def _clone(original: _Original, clone: Path, branch: str) -> None:
    clone.mkdir()
    _git(clone, "init", "--quiet", "--template=")
    for key in TAKEN_ALONG:
        if value := original.git("config", "--get", key):
            _git(clone, "config", key, value)
    for key, value in OWN.items():
        _git(clone, "config", key, value)
    refs = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+refs/kaizen/*:refs/kaizen/*")
    _git(
        clone, "fetch", "--quiet", "--update-head-ok", "--update-shallow", "--no-tags", str(original.top), "HEAD", *refs
    )
    _git(clone, "update-ref", f"refs/heads/{branch}", original.head)
    _git(clone, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    _git(clone, "reset", "--quiet", "--hard")


def _remote(original: _Original, remote: Path, clone: Path, branch: str) -> Path:
    """Make a bare remote; a branch that stands for another one counts as merged into it."""
    name = original.settings.release.remote
    _git(remote.parent, "init", "--quiet", "--bare", "--template=", str(remote))
    seen = (f"+refs/remotes/{name}/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
    _git(remote, "fetch", "--quiet", "--no-tags", str(original.top), *seen)
    _git(remote, "update-ref", "-d", "refs/heads/HEAD")
    _git(clone, "remote", "add", name, str(remote))
    if branch != original.branch:
        _git(clone, "push", "--quiet", "--force", name, branch)
    _git(clone, "fetch", "--quiet", name)
    return remote


def _carry_along(original: _Original, clone: Path) -> Iterator[str]:
    """Commit what is not committed, so that it is rehearsed as well; say that a release would not begin."""
    modified = [name for name in original.modified if not name.endswith(LEFT_AS_THEY_ARE)]
    unknown = [name for name in _own_files(original) if not original.git("ls-files", "--", name)]
    for name in (*original.modified, *unknown):
        _bring(original.top / name, clone / name)
    if modified:
        yield f"uncommitted changes would not be in the release: {', '.join(modified[:3])}{_more(modified)}"
    if unknown:
        yield f"{', '.join(unknown)} is not committed"
    if modified or unknown:
        _git(clone, "add", "--force", "--", *modified, *unknown)
        _git(clone, "commit", "--quiet", "--no-verify", "--message", "What was not committed")


def _own_files(original: _Original) -> tuple[str, ...]:
    """Return what these tasks need of an app, as paths in the repository, whether git knows it or not."""
    root = original.settings.root
    names = (load.FILE, "tasks.py", "pyproject.toml", *LEFT_AS_THEY_ARE)
    return tuple(str((root / name).relative_to(original.top)) for name in names if (root / name).is_file())


def _bring(there: Path, here: Path) -> None:
    if not there.exists() and not there.is_symlink():
        here.unlink(missing_ok=True)
        return
    here.parent.mkdir(parents=True, exist_ok=True)
    here.unlink(missing_ok=True)
    shutil.copy2(there, here, follow_symlinks=False)


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - 3} more" if len(names) > 3 else ""


def _git(folder: Path, *words: str) -> None:
    finished = process.run(("git", *words), cwd=folder, env=QUIET)
    if not finished.ok:
        raise KaizenError(f"git {words[0]} failed in the scratch clone: {finished.last}", hint="see git --version")
