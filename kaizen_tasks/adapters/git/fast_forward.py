"""Fast-forwards the branch to a release commit, and updates a few files accordingly.

The ref moves first, then index and files. After an interruption, the next call updates what still has the old content.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from kaizen_tasks.adapters.git.command import Git, locked_error
from kaizen_tasks.adapters.git.objects import has_hooks
from kaizen_tasks.adapters.git.snapshot import SKIP_WORKTREE, HeadRef, RepoSnapshot
from kaizen_tasks.adapters.git.tree_diff import TreeEntry, diff_trees
from kaizen_tasks.adapters.host.atomic_write import WorkingTree
from kaizen_tasks.adapters.host.write_failure import remedy
from kaizen_tasks.errors import NOTHING_CHANGED, Refused

_UNWRITABLE = r"Unable to create '([^']+\.lock)': (?!File exists)"
_EDITED = "C"
"""In `git ls-files -v --modified`: the working tree has other content than the index, as `git status` compares it."""
POST_COMMIT = "post-commit"


_Changes = dict[str, tuple[TreeEntry | None, TreeEntry | None]]
"""The old and the new entry of each path that a commit changes."""


class _Index(NamedTuple):
    """The index's entries by path; the paths that a sparse checkout skips; those that the working tree has edited."""

    entries: dict[str, TreeEntry]
    skipped_paths: set[str]
    edited_paths: set[str]


class _PathState(NamedTuple):
    """The state of one file that the fast-forward changes; `path` is relative to the app's folder.

    A file that a sparse checkout leaves out (`is_skipped`) counts as being in the working tree. `new_entry` is None if
    the commit deletes the file.
    """

    path: str
    new_entry: TreeEntry | None
    in_index: bool
    in_worktree: bool
    is_skipped: bool
    has_foreign_changes: bool


def fast_forward(
    git: Git, snapshot: RepoSnapshot, commit: str, paths: tuple[str, ...], *, ref_commands: tuple[str, ...] = ()
) -> None:
    """Fast-forward the branch to a commit, and update some paths in index and working tree.

    Args:
        git: the repository.
        snapshot: the repository's state; the transaction fails if the branch has moved since.
        commit: full hash of the commit.
        paths: files, and folders, which stand for all files in them; relative to the app's folder.
        ref_commands: further commands of `git update-ref -z --stdin` for the same transaction.

    Raises:
        Refused: the branch has moved, another git process is running, or a path has other changes.
    """
    head = snapshot.head
    parent = snapshot.resolve_commit(f"{commit}^")
    if head.commit in {commit, parent}:
        old = parent
    elif git.is_ancestor(head.commit, commit):
        old = head.commit
    elif git.is_ancestor(commit, head.commit):
        _update_branch(git, head, head.commit, ref_commands)
        return
    else:
        raise _branch_moved_error(head, commit)
    states = tuple(_path_states(git, old=old, new=commit, paths=paths))
    _require_clean(git, [state.path for state in states if state.has_foreign_changes])
    _update_branch(git, head, commit, ref_commands)
    _update_paths(git, head, states)
    if head.commit != commit and has_hooks(git, (POST_COMMIT,)):
        from kaizen_tasks.adapters.git.hooks import run_hook

        run_hook(git, POST_COMMIT)  # like `git commit`, whether it fails or not


def _path_states(git: Git, *, old: str, new: str, paths: tuple[str, ...]) -> Iterable[_PathState]:
    """Yield the state of each path that the fast-forward changes."""
    changes, index = _changed_entries(git, old, new, paths), _read_index(git, paths)
    differs_from_old = _paths_unlike_old(git, old, changes, index)
    # A file that still equals the old commit cannot equal the new one: only the others need a second diff.
    differs_from_new = (changes.keys() - differs_from_old) | _differing_paths(git, new, tuple(differs_from_old))
    for path, (old_entry, new_entry) in changes.items():
        is_tracked, is_skipped = path in index.entries, path in index.skipped_paths
        in_worktree = _matches_entry(git, path, new_entry) if not is_tracked else path not in differs_from_new
        holds_old = path not in differs_from_old if is_tracked else _is_absent_or(git, path, old_entry)
        index_entry = index.entries.get(path)
        yield _PathState(
            path=path,
            new_entry=new_entry,
            in_index=index_entry == new_entry,
            in_worktree=in_worktree or is_skipped,
            is_skipped=is_skipped,
            has_foreign_changes=index_entry not in (new_entry, old_entry) or not (in_worktree or holds_old),
        )


def _paths_unlike_old(git: Git, old: str, changes: _Changes, index: _Index) -> frozenset[str]:
    """Return the changed paths whose content in the working tree is not the old commit's.

    Where the index has the old entry, it has told so already; only the others need a diff.
    """
    unlike_index = tuple(path for path, (old_entry, _) in changes.items() if index.entries.get(path) != old_entry)
    differing_paths = _differing_paths(git, old, unlike_index) if old else frozenset(unlike_index)
    return differing_paths | (changes.keys() - set(unlike_index)) & index.edited_paths


def _is_absent_or(git: Git, path: str, entry: TreeEntry | None) -> bool:
    """Return whether an untracked file is missing, or has the content that an interrupted run has not deleted yet."""
    return not (git.root / path).exists() or (entry is not None and _matches_entry(git, path, entry))


def _matches_entry(git: Git, path: str, entry: TreeEntry | None) -> bool:
    """Return whether an untracked file has the content of a tree entry, or is missing where there is none."""
    if entry is None:
        return not (git.root / path).exists()
    return git.run("hash-object", f"--path={git.repo.prefix}{path}", "--", path).text == entry.blob


def _changed_entries(git: Git, old: str, new: str, paths: tuple[str, ...]) -> _Changes:
    """Return the old and new entries, by path, of the files that a commit changes, adds or deletes."""
    return {
        path: (old_entry, new_entry)
        for path, old_entry, new_entry in diff_trees(git.objects, old, new, git.repo.prefix)
        if path in paths or path.startswith(tuple(f"{folder}/" for folder in paths))
    }


def _read_index(git: Git, paths: tuple[str, ...]) -> _Index:
    """Return what the index has of some paths; an unmerged entry equals no other."""
    index, options = _Index({}, set(), set()), ("--cached", "--modified", "--stage", "-v", "-z")
    for item in git.run_checked("--literal-pathspecs", "ls-files", *options, "--", *paths).items:
        entry, _, path = item.partition("\t")
        flag, mode, blob, stage = entry.split(" ")
        if flag.islower():
            raise Refused(
                f"{path} is marked assume-unchanged, which hides whether it has other changes",
                state=NOTHING_CHANGED,
                hint=f"git update-index --no-assume-unchanged {path}, and run the same command again",
            )
        index.entries[path] = TreeEntry(mode=mode, blob=blob if stage == "0" else f"{blob} at stage {stage}")
        if flag == SKIP_WORKTREE:
            index.skipped_paths.add(path)
        elif flag == _EDITED:
            index.edited_paths.add(path)
    return index


def _differing_paths(git: Git, commit: str, paths: tuple[str, ...]) -> frozenset[str]:
    """Return the paths whose content in the working tree, as `git status` compares it, is not the commit's."""
    if not paths:
        return frozenset()
    result = git.run_checked(
        "--literal-pathspecs", "-c", "diff.autoRefreshIndex=true",
        "diff", "--name-only", "--no-ext-diff", "--no-renames", "--relative", "-z", commit, "--", *paths,
    )  # fmt: skip
    return frozenset(result.items)


def _require_clean(git: Git, foreign_paths: list[str]) -> None:
    if foreign_paths:
        names = " and ".join(foreign_paths)
        raise Refused(
            f"{names}: other changes than the release's would be lost",
            state="nothing has been changed",
            hint=f"git stash push -- {' '.join(foreign_paths)}, and run the same command again",
        )
    if git.repo.index_file.with_name("index.lock").exists():
        raise locked_error(f"{git.repo.index_file}.lock")


def _update_branch(git: Git, head: HeadRef, commit: str, ref_commands: tuple[str, ...]) -> None:
    commands = list(ref_commands)
    if head.commit != commit:
        commands.insert(0, f"update {head.ref}\0{commit}\0{head.commit}")
    if not commands:
        return
    if head.ref == "HEAD":
        commands.insert(0, "option no-deref")
    result = git.update_refs(*commands, reason=f"fast-forward to {commit}")
    if not result.ok:
        if "ref updates aborted by hook" in result.err:
            from kaizen_tasks.adapters.git.hooks import rejection

            raise rejection("reference-transaction", result, f"the release commit on {head.branch or 'HEAD'}")
        raise _unwritable_error(head, result.reason) or _branch_moved_error(head, commit, result.reason)


def _update_paths(git: Git, head: HeadRef, states: tuple[_PathState, ...]) -> None:
    stale_index = [state for state in states if not state.in_index]
    stale_files = [state for state in states if not state.in_worktree]
    if not stale_index and not stale_files:
        return
    _update_index(git, head, stale_index)
    _update_worktree(git, stale_files)
    git.run("update-index", "-q", "--refresh")


def _update_index(git: Git, head: HeadRef, states: list[_PathState]) -> None:
    no_entry = TreeEntry(mode="0", blob="0" * len(head.commit))
    entries = ((git.repo.prefix + state.path, state.new_entry or no_entry) for state in states)
    lines = [f"{entry.mode} {entry.blob} 0\t{path}\0" for path, entry in entries]
    result = git.run("update-index", "-z", "--index-info", stdin=os.fsencode("".join(lines)))
    if not result.ok:
        raise Refused(
            f"the index could not be written: {result.reason}",
            state=f"{head.branch or 'HEAD'} has moved to the release, but index and files have not",
            hint="run the same command again",
        )
    skipped_paths = [f"{state.path}\0" for state in states if state.is_skipped and state.new_entry]
    if skipped_paths:
        git.run_checked("update-index", "--skip-worktree", "-z", "--stdin", stdin=os.fsencode("".join(skipped_paths)))


def _update_worktree(git: Git, states: list[_PathState]) -> None:
    """Write what git would check out, with line endings and filters applied; each file changes at once."""
    worktree = WorkingTree(git.root, survives_power_loss=False)
    present_paths = [state.path for state in states if state.new_entry]
    with TemporaryDirectory(prefix="kaizen-checkout-") as scratch:
        git.run_checked("checkout-index", f"--prefix={scratch}/", "--", *present_paths)
        for path in present_paths:
            worktree.write(path, Path(scratch, git.repo.prefix, path).read_bytes())
    for path in {state.path for state in states}.difference(present_paths):
        worktree.delete(path)


def _unwritable_error(head: HeadRef, reason: str) -> Refused | None:
    """Return the error for a ref that may not be written, or None."""
    path = re.search(_UNWRITABLE, reason)
    if path is None:
        return None
    problem = f"{head.branch or 'HEAD'} cannot be moved to the release commit: {reason}"
    return Refused(problem, state="nothing has been changed", hint=remedy(reason, Path(path[1]).parent))


def _branch_moved_error(head: HeadRef, commit: str, reason: str = "") -> Refused:
    return Refused(
        f"{head.branch or 'HEAD'} has moved away from the release commit {commit[:12]}{reason and f': {reason}'}",
        state="nothing has been changed",
        hint="check with git log --oneline -5; run the same command again to release from there",
    )
