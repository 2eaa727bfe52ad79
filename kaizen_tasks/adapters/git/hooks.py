"""Runs the hooks of a commit that is written without `git commit`: as it does, with the release's files in place."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import evolve, frozen

from kaizen_tasks.adapters.git.command import Git, GitResult
from kaizen_tasks.adapters.git.objects import Check, encode_message
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.domain.text.log_excerpt import last_words, output_tail
from kaizen_tasks.errors import Refused

_FAILED_HOOK_ID = re.compile(r"^- hook id: (.+)$", re.MULTILINE)  # of https://pre-commit.com
_RUNS = 2  # a hook that corrects files fails for that, and passes when it is run again


@frozen(kw_only=True)
class _Draft:
    """A commit that is about to be written.

    Attributes:
        git: the repository.
        env: the variable that names its index, which is not the user's.
        tree: hash of its tree.
        paths: the files that it changes, relative to the app's folder.
    """

    git: Git
    env: Mapping[str, str]
    tree: str
    paths: tuple[str, ...]

    def names(self, *arguments: str) -> frozenset[str]:
        """Return the paths that a git command prints, separated by NUL bytes."""
        return frozenset(self.git.run_checked(*arguments, env=self.env).items)

    @property
    def edited(self) -> frozenset[str]:
        """The files of the whole working tree that differ from the index, relative to the toplevel."""
        return self.names("diff", "--name-only", "--no-ext-diff", "--ignore-submodules=dirty", "-z")

    @property
    def top_paths(self) -> frozenset[str]:
        """The files that the commit changes, relative to the toplevel."""
        return frozenset(self.git.repo.prefix + path for path in self.paths)


def run_commit_hooks(
    git: Git, *, tree: str, paths: tuple[str, ...], message: str, check: Check | None
) -> tuple[str, bytes]:
    """Run the hooks of a commit; return the tree and the message, which they may change.

    Args:
        git: the repository.
        tree: hash of the commit's tree.
        paths: the files that the commit changes, relative to the app's folder; hooks may change these and no other.
        message: the commit's message.
        check: called with the contents of the files that hooks have changed.

    Raises:
        Refused: a hook rejected the commit, or changed another file.
    """
    with TemporaryDirectory(prefix="kaizen-hooks-") as scratch:
        index = Path(scratch) / "index"
        draft = _Draft(git=git, env={"GIT_INDEX_FILE": str(index)}, tree=tree, paths=paths)
        if git.repo.index_file.is_file():
            shutil.copy2(git.repo.index_file, index)  # its cached file stats save hooks a rescan
        git.run_checked("read-tree", "--reset", tree, env=draft.env)
        with _files_in_place(draft):
            draft = _run_pre_commit(draft)
            if draft.tree != tree and check is not None:
                check(_changed_contents(draft, tree))
            return draft.tree, _run_message_hooks(draft, message)


def run_hook(git: Git, name: str, *arguments: str, env: Mapping[str, str] | None = None) -> GitResult:
    """Run a hook where `git commit` runs it, in the language of the user, and return its result."""
    return git.run(
        "hook", "run", "--ignore-missing", name, "--", *arguments,
        env={**(env or {}), "GIT_EDITOR": ":", "GIT_PREFIX": ""},
        cwd=git.repo.toplevel,
        is_parsed=False,
    )  # fmt: skip


def rejection(name: str, result: GitResult, what: str = "the commit") -> Refused:
    """Return the error for a hook that rejects something, with all that it printed."""
    failed = ", ".join(_FAILED_HOOK_ID.findall(result.err))
    return Refused(
        f"the {name} hook rejects {what}: {failed or last_words(result.err.splitlines()) or 'it printed nothing'}",
        state="nothing has been committed",
        hint="fix what the hook complains about, then run the same command again",
        output=output_tail(result.err),
    )


def _run_pre_commit(draft: _Draft) -> _Draft:
    """Run the pre-commit hook, again after it has corrected the release's files; return the draft with its changes."""
    edited_before = draft.edited
    for _ in range(_RUNS):
        result = run_hook(draft.git, "pre-commit", env=draft.env)
        staged = draft.git.run_checked("write-tree", env=draft.env).text
        changed = (draft.edited - edited_before) | (_changed_paths(draft, staged) if staged != draft.tree else set())
        if foreign := sorted(changed - draft.top_paths):
            raise _foreign_changes_error(foreign, result)
        if changed:
            draft.git.run_checked("add", "--force", "--sparse", "--", *_top_specs(changed), env=draft.env)
            draft = evolve(draft, tree=draft.git.run_checked("write-tree", env=draft.env).text)
        if result.ok:
            return draft
        if not changed:
            break
    raise rejection("pre-commit", result)


def _changed_paths(draft: _Draft, tree: str) -> frozenset[str]:
    return draft.names("diff-tree", "-r", "--name-only", "--no-renames", "-z", draft.tree, tree)


def _changed_contents(draft: _Draft, old_tree: str) -> dict[str, bytes]:
    prefix, contents = draft.git.repo.prefix, {}
    for path in _changed_paths(draft, old_tree):
        result = draft.git.run("cat-file", "blob", f"{draft.tree}:{path}")
        contents[path.removeprefix(prefix)] = result.out if result.ok else b""
    return contents


def _top_specs(paths: Collection[str]) -> tuple[str, ...]:
    return tuple(f":(top,literal){path}" for path in sorted(paths))


@contextmanager
def _files_in_place(draft: _Draft) -> Iterator[None]:
    """Write the commit's files to the working tree, as an editor would have; restore those that had other contents.

    A file that had the commit's content already keeps what a hook makes of it, unless the hook fails.
    """
    top = draft.git.repo.toplevel
    before = {path: _read(top / path) for path in draft.top_paths}
    present = draft.names("ls-files", "-z", "--full-name", "--", *_top_specs(draft.top_paths)) & draft.top_paths
    stdin = "".join(f"{path}\0" for path in sorted(present))
    checkout = ("-C", str(top), "checkout-index", "--force", "--quiet", "--index", "-z", "--stdin")
    restored = before
    try:
        for path in draft.top_paths - present:
            (top / path).unlink(missing_ok=True)
        draft.git.run_checked(*checkout, env=draft.env, stdin=os.fsencode(stdin))
        written = {path: _read(top / path) for path in draft.top_paths}
        yield
        restored = {path: content for path, content in before.items() if content != written[path]}
    finally:
        for path, content in restored.items():
            _restore(top / path, content)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _restore(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    elif _read(path) != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _run_message_hooks(draft: _Draft, message: str) -> bytes:
    """Run the hooks that may change the message; return it."""
    git, file = draft.git, draft.git.repo.git_dir / "COMMIT_EDITMSG"  # where hooks look for it that take no argument
    before = _read(file)
    try:
        file.write_bytes(encode_message(message))
        for name, *arguments in (("prepare-commit-msg", str(file), "message"), ("commit-msg", str(file))):
            result = run_hook(git, name, *arguments, env=draft.env)
            if not result.ok:
                raise rejection(name, result)
        edited_message = file.read_bytes().strip()
    finally:
        _restore(file, before)
    if edited_message:
        return edited_message + b"\n"
    raise Refused("the commit-msg hook left no message", state="nothing has been committed", hint="correct the hook")


def _foreign_changes_error(paths: list[str], result: GitResult) -> Refused:
    return Refused(
        f"the pre-commit hook changed {list_names(paths)}, which the release commit does not change",
        state="nothing has been committed",
        hint="git diff shows it: commit or restore these files, then run the same command again",
        output=output_tail(result.err),
    )
