"""Moving the branch to a commit that was made beside it, and a few files with it.

The ref moves first, in one transaction; index and files follow. Whoever is interrupted in between calls
again: what still holds the old content is then brought along.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.host.atomic_write import WorkingTree
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaizen_tasks.adapters.git.command import Git
    from kaizen_tasks.adapters.git.snapshot import Look, Position

_LOCK = re.compile(r"'([^']+\.lock)': File exists")
_SKIPPED = "S"  # `git ls-files -v`: the sparse checkout leaves this file out


@frozen(kw_only=True)
class _Entry:
    """A file as a tree or the index has it."""

    mode: str
    blob: str


@frozen(kw_only=True)
class _Spot:
    """One file of the landing: what each side holds.

    Attributes:
        path: from the app's folder.
        new: in the commit.
        indexed: whether the index holds the new entry.
        written: whether the working tree holds the new content, or need not hold any.
        skipped: whether a sparse checkout leaves it out of the working tree.
        foreign: whether index or working tree hold somebody's other changes.
    """

    path: str
    new: _Entry
    indexed: bool
    written: bool
    skipped: bool
    foreign: bool


def land(git: Git, look: Look, commit: str, paths: tuple[str, ...], *, with_refs: tuple[str, ...] = ()) -> None:
    """Move the branch forward to a commit, and these paths in index and working tree with it.

    Args:
        git: the repository.
        look: what it shows; the transaction demands that the branch is still there.
        commit: full hash.
        paths: from the app's folder.
        with_refs: commands of `git update-ref -z --stdin` for the same transaction.

    Raises:
        Refused: the branch has moved meanwhile, another git is at work, or a path holds other changes.
    """
    here = look.position
    before = look.commit_of(f"{commit}^")
    if here.commit in {commit, before}:
        old = before
    elif git.is_ancestor(here.commit, commit):
        old = here.commit
    elif git.is_ancestor(commit, here.commit):
        _move(git, here, here.commit, with_refs)
        return
    else:
        raise _moved(here, commit)
    spots = tuple(_survey(git, old=old, new=commit, paths=paths))
    _demand_room(git, [each.path for each in spots if each.foreign])
    _move(git, here, commit, with_refs)
    _follow(git, here, spots)


def _survey(git: Git, *, old: str, new: str, paths: tuple[str, ...]) -> Iterable[_Spot]:
    """Look at those of the paths that the landing changes."""
    changes = _changes(git, old, new, paths)
    index, skipped = _index(git, paths)
    differs_from_old = _differing(git, old, tuple(changes)) if old else frozenset(changes)
    # What is as before cannot be as it will be, so that most landings need not ask for the rest.
    differs_from_new = (changes.keys() - differs_from_old) | _differing(git, new, tuple(differs_from_old))
    for path, (before, after) in changes.items():
        tracked = path in index
        written = _holds(git, path, after) if not tracked else path not in differs_from_new
        kept_old = not (git.root / path).exists() if not tracked else path not in differs_from_old
        yield _Spot(
            path=path,
            new=after,
            indexed=index.get(path) == after,
            written=written or path in skipped,
            skipped=path in skipped,
            foreign=index.get(path) not in (after, before) or not (written or kept_old),
        )


def _holds(git: Git, path: str, entry: _Entry) -> bool:
    """Return whether a file that git does not track yet is what the commit has."""
    hashed = git.run("hash-object", f"--path={git.place.prefix}{path}", "--", path)
    return hashed.ok and hashed.text == entry.blob


def _changes(git: Git, old: str, new: str, paths: tuple[str, ...]) -> dict[str, tuple[_Entry | None, _Entry]]:
    """Return the entries before and after, by path, of what a commit changes and does not remove."""
    span = (old, new) if old else ("--root", "--no-commit-id", new)
    found = git.must(
        "--literal-pathspecs", "diff-tree", "-r", "--raw", "--no-renames", "--relative", "-z", *span, "--", *paths
    ).items
    changes = {}
    for entry, path in zip(found[::2], found[1::2], strict=True):
        old_mode, mode, old_blob, blob, kind = entry.removeprefix(":").split(" ")
        before = None if kind == "A" else _Entry(mode=old_mode, blob=old_blob)
        if kind != "D":
            changes[path] = before, _Entry(mode=mode, blob=blob)
    return changes


def _index(git: Git, paths: tuple[str, ...]) -> tuple[dict[str, _Entry], frozenset[str]]:
    """Return the index's entries and those left out by a sparse checkout; an unmerged one equals no other."""
    entries, skipped = {}, set()
    for item in git.must("--literal-pathspecs", "ls-files", "-s", "-v", "-z", "--", *paths).items:
        entry, _, path = item.partition("\t")
        flag, mode, blob, stage = entry.split(" ")
        if flag.islower():
            raise _unwatched(path)
        entries[path] = _Entry(mode=mode, blob=blob if stage == "0" else f"{blob} at stage {stage}")
        if flag.upper() == _SKIPPED:
            skipped.add(path)
    return entries, frozenset(skipped)


def _differing(git: Git, commit: str, paths: tuple[str, ...]) -> frozenset[str]:
    """Return the paths whose working-tree content is not the commit's, as `git status` would see it."""
    if not paths:
        return frozenset()
    output = git.must(
        "--literal-pathspecs", "-c", "diff.autoRefreshIndex=true",
        "diff", "--name-only", "--no-ext-diff", "--no-renames", "--relative", "-z", commit, "--", *paths,
    )  # fmt: skip
    return frozenset(output.items)


def _demand_room(git: Git, foreign: list[str]) -> None:
    if foreign:
        names = " and ".join(foreign)
        raise Refused(
            f"{names}: there are other changes than the release's, which landing would lose",
            state="nothing has been moved",
            hint=f"git stash push -- {' '.join(foreign)}, and run the same command again",
        )
    if git.place.index.with_name("index.lock").exists():
        raise _busy(f"{git.place.index}.lock")


def _move(git: Git, here: Position, commit: str, with_refs: tuple[str, ...]) -> None:
    commands = list(with_refs)
    if here.commit != commit:
        commands.insert(0, f"update {here.ref}\0{commit}\0{here.commit}")
    if not commands:
        return
    if here.ref == "HEAD":
        commands.insert(0, "option no-deref")
    moved = git.transact(*commands, reason=f"land {commit}")
    if not moved.ok:
        lock = _LOCK.search(moved.reason)
        raise _busy(lock[1]) if lock else _moved(here, commit, moved.reason)


def _follow(git: Git, here: Position, spots: tuple[_Spot, ...]) -> None:
    stale = [each for each in spots if not each.indexed]
    unwritten = [each for each in spots if not each.written]
    if not stale and not unwritten:
        return
    _enter(git, here, stale)
    for each in unwritten:
        WorkingTree(git.root).write(each.path, _checked_out(git, each))
    git.run("update-index", "-q", "--refresh")


def _enter(git: Git, here: Position, stale: list[_Spot]) -> None:
    lines = [f"{each.new.mode} {each.new.blob} 0\t{git.place.prefix}{each.path}\0" for each in stale]
    entered = git.run("update-index", "-z", "--index-info", given=os.fsencode("".join(lines)))
    if not entered.ok:
        raise Refused(
            f"the index could not be written: {entered.reason}",
            state=f"{here.branch or 'HEAD'} has moved to the release, index and files have not",
            hint="run the same command again",
        )
    skipped = [f"{each.path}\0" for each in stale if each.skipped]
    if skipped:
        git.must("update-index", "--skip-worktree", "-z", "--stdin", given=os.fsencode("".join(skipped)))


def _checked_out(git: Git, spot: _Spot) -> bytes:
    """Read what git would check out: with line endings and filters applied."""
    return git.must("cat-file", "--filters", f"--path={git.place.prefix}{spot.path}", spot.new.blob).out


def _busy(lock: str) -> Refused:
    return Refused(
        "another git is at work in this repository",
        state="nothing has been moved",
        hint=f"wait for it; if there is none, one was killed: rm {lock}, and run the same command again",
    )


def _unwatched(path: str) -> Refused:
    return Refused(
        f"{path} is marked assume-unchanged, so that nobody knows whether it holds other changes",
        state="nothing has been moved",
        hint=f"git update-index --no-assume-unchanged {path}, and run the same command again",
    )


def _moved(here: Position, commit: str, reason: str = "") -> Refused:
    return Refused(
        f"{here.branch or 'HEAD'} has moved away from the release commit {commit[:12]}{reason and f': {reason}'}",
        state="nothing has been moved",
        hint="git log --oneline -5 shows where it is; run the same command again to release from there",
    )
