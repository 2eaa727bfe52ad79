"""Creates commit and tag objects; the user's refs, index and files do not change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from kaizen_tasks.adapters.git.command import Git, GitResult
from kaizen_tasks.errors import Refused

# For a temporary working tree: no file watcher, no file modes, and no warnings about line endings.
_SCRATCH_CONFIG = ("-c", "core.fsmonitor=false", "-c", "core.fileMode=false", "-c", "core.safecrlf=false")
_FILE_MODES = {"100644", "100755"}
_ABSENT_MODE = "000000"
_COMMIT_HOOKS = ("pre-commit", "commit-msg")


@frozen(kw_only=True)
class BuiltTree:
    """The tree of a commit with some files replaced.

    Attributes:
        tree: hash of the tree.
        changed_paths: the files that differ from the commit, relative to the app's folder.
        added_paths: those that the commit lacks.
    """

    tree: str
    changed_paths: tuple[str, ...]
    added_paths: tuple[str, ...]


def build_tree(git: Git, commit: str, files: Mapping[str, bytes | None]) -> BuiltTree:
    """Write a commit's tree with some files replaced, and return it; content is normalised as by `git add`.

    Args:
        git: the repository.
        commit: full hash of a commit or a tree.
        files: content by path, relative to the app's folder; None for a file to leave out.

    Raises:
        Refused: git rejects one of the files, or one is not a plain file in the commit.
    """
    with TemporaryDirectory(prefix="kaizen-commit-") as scratch:
        tree = _write_tree(git, Path(scratch), commit, files)
    changes = tuple(_diff_trees(git, commit, tree))
    for path, mode in changes:
        if path not in files or mode not in {*_FILE_MODES, _ABSENT_MODE}:
            raise Refused(f"{path} is not a plain file in the commit (mode {mode})")
    added_paths = tuple(path for path, mode in changes if mode == _ABSENT_MODE)
    return BuiltTree(tree=tree, changed_paths=tuple(path for path, _ in changes), added_paths=added_paths)


def write_commit(git: Git, *, parent: str, tree: str, message: str) -> str:
    """Run the commit hooks, write a commit object, and return its hash.

    Args:
        git: the repository.
        parent: full hash of the parent.
        tree: hash of the tree.
        message: the commit's message, which the commit-msg hook may edit.

    Raises:
        Refused: a hook rejected the commit or changed its files, or git has no author or committer.
    """
    is_signed, has_hooks = _commit_policy(git)
    final_message = _run_commit_hooks(git, tree, message) if has_hooks else _encode_message(message)
    return _commit_tree(git, (parent,), tree, final_message, with_signature=is_signed)


def write_merge_commit(git: Git, *, parents: tuple[str, str], tree: str, message: str) -> str:
    """Write a merge commit object and return its hash; like `git merge`, run no pre-commit hook.

    Raises:
        Refused: git has no author or committer.
    """
    is_signed, _ = _commit_policy(git)
    return _commit_tree(git, parents, tree, _encode_message(message), with_signature=is_signed)


def write_tag(git: Git, *, name: str, commit: str, message: str, tagger: GitResult | None) -> str:
    """Write an annotated tag object and return its hash; no ref is created.

    Args:
        git: the repository.
        name: the tag's name.
        commit: full hash of the tagged commit.
        message: the tag's message.
        tagger: result of `git var GIT_COMMITTER_IDENT`; None to sign the tag.

    Raises:
        Refused: git has no committer, the name is not valid, or signing failed.
    """
    if name.startswith("-"):
        raise Refused(f"{name!r} is not a valid tag name")
    if tagger is None:
        return _write_signed_tag(git, name, commit, message)
    if not tagger.ok:
        raise Refused(f"git has no committer for the tag: {tagger.reason}", hint=IDENTITY_HINT)
    header = b"object %b\ntype commit\ntag %b\ntagger %b\n\n"
    fields = os.fsencode(commit), os.fsencode(name), tagger.out.strip()
    return git.run_checked("mktag", stdin=header % fields + _encode_message(message)).text


def _write_signed_tag(git: Git, name: str, commit: str, message: str) -> str:
    """Run `git tag --sign`, which signs as configured, in a temporary repository, where its ref does no harm."""
    objects, config = git.run_checked("rev-parse", "--git-path", "objects", "--git-path", "config").text.split("\n")
    with TemporaryDirectory(prefix="kaizen-tag-") as scratch:
        git_dir = Path(scratch)
        (git_dir / "refs").mkdir()
        (git_dir / "HEAD").write_text("ref: refs/heads/none\n", encoding="utf-8")
        shutil.copyfile(git.root / config, git_dir / "config")
        env = {"GIT_DIR": scratch, "GIT_OBJECT_DIRECTORY": str((git.root / objects).resolve())}
        result = git.run(
            "tag", "--sign", "--cleanup=whitespace", "--file=-", "--end-of-options", name, commit,
            stdin=message.encode(),
            env=env,
        )  # fmt: skip
        if result.ok:
            return git.run_checked("rev-parse", f"refs/tags/{name}", env=env).text
    raise Refused(
        f"{name} could not be signed: {result.reason}",
        state="no tag was created",
        hint="git config user.signingKey KEY, or turn signing off in the configuration",
    )


IDENTITY_HINT = "git config user.name 'Your Name' && git config user.email you@example.com"


def _write_tree(git: Git, scratch: Path, commit: str, files: Mapping[str, bytes | None]) -> str:
    """Run `git add` on the files in a temporary index and working tree, and return the resulting tree.

    `git add` normalises line endings and runs filters as in the real working tree. `git hash-object --path` does not:
    that command ignores whether the index has the file with CRLF. Modes are those of the commit.
    """
    index_env = {"GIT_INDEX_FILE": str(scratch / "index")}
    worktree = scratch / "files"
    contents = {git.repo.prefix + path: content for path, content in files.items() if content is not None}
    for path, content in contents.items():
        file = worktree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    git.run_checked("read-tree", commit, env=index_env)
    _remove_from_index(git, [path for path in files if files[path] is None], index_env)
    if not contents:
        return git.run_checked("write-tree", env=index_env).text
    result = git.run(
        "--literal-pathspecs", *_SCRATCH_CONFIG, "add", "--force", "--sparse", "--",
        *contents,
        env={**index_env, "GIT_DIR": str(git.repo.git_dir), "GIT_WORK_TREE": str(worktree)},
        cwd=worktree,
    )  # fmt: skip
    _require_ok(result, "git add rejects the release's files")
    return git.run_checked("write-tree", env=index_env).text


def _remove_from_index(git: Git, paths: list[str], index_env: Mapping[str, str]) -> None:
    if paths:
        lines = os.fsencode("".join(f"{path}\0" for path in paths))
        git.run_checked("update-index", "--force-remove", "-z", "--stdin", env=index_env, stdin=lines)


def _diff_trees(git: Git, commit: str, tree: str) -> Iterator[tuple[str, str]]:
    """Yield the path of every file that differs, and its mode in the commit."""
    items = iter(git.run_checked("diff-tree", "-r", "--raw", "--no-renames", "--relative", "-z", commit, tree).items)
    for entry, path in zip(items, items, strict=True):
        yield path, entry.removeprefix(":").partition(" ")[0]


def _commit_policy(git: Git) -> tuple[bool, bool]:
    """Return whether commits are signed, and whether there are commit hooks, in files or in the configuration."""
    settings = git.run("config", "--null", "--get-regexp", r"^(commit\.gpgsign|hook\..*)$").items
    keys = {setting.partition("\n")[0] for setting in settings}
    is_signed = "commit.gpgsign" in keys and git.run("config", "--type=bool", "commit.gpgSign").text == "true"
    hook_files = (git.repo.hooks_dir / hook for hook in _COMMIT_HOOKS)
    return is_signed, any(key.startswith("hook.") for key in keys) or any(file.exists() for file in hook_files)


def _encode_message(message: str) -> bytes:
    return f"{message.strip()}\n".encode()


def _run_commit_hooks(git: Git, tree: str, message: str) -> bytes:
    """Run the commit hooks with a temporary index; return the message, which the commit-msg hook may edit."""
    with TemporaryDirectory(prefix="kaizen-hooks-") as scratch:
        index, message_file = Path(scratch) / "index", Path(scratch) / "COMMIT_EDITMSG"
        index_env = {"GIT_INDEX_FILE": str(index)}
        if git.repo.index.is_file():
            shutil.copy2(git.repo.index, index)  # its cached file stats save hooks a rescan
        git.run_checked("read-tree", "--reset", tree, env=index_env)
        index_content = index.read_bytes()
        _run_hook(git, index_env, "pre-commit")
        if index.read_bytes() != index_content and git.run_checked("write-tree", env=index_env).text != tree:
            raise Refused(
                "the pre-commit hook changed the files of the release commit, which have been checked already",
                state="nothing has been committed",
                hint="make the hook fail instead of editing, or exclude VERSION and CHANGELOG.md from it",
            )
        message_file.write_bytes(_encode_message(message))
        _run_hook(git, index_env, "commit-msg", str(message_file))
        edited_message = message_file.read_bytes().strip()
    if not edited_message:
        raise Refused(
            "the commit-msg hook left no message", state="nothing has been committed", hint="correct the hook"
        )
    return edited_message + b"\n"


def _run_hook(git: Git, index_env: Mapping[str, str], name: str, *arguments: str) -> None:
    result = git.run(
        "hook", "run", "--ignore-missing", name, "--", *arguments,
        env={**index_env, "GIT_EDITOR": ":"},
        cwd=git.repo.toplevel,
    )  # fmt: skip
    hint = "fix what the hook complains about, then run the same command again"
    _require_ok(result, f"the {name} hook rejects the commit", last_line=True, hint=hint)


def _commit_tree(git: Git, parents: tuple[str, ...], tree: str, message: bytes, *, with_signature: bool) -> str:
    sign_option = ["-S"] if with_signature else []
    parent_options = [word for parent in parents for word in ("-p", parent)]
    result = git.run(
        "-c", "i18n.commitEncoding=UTF-8", "commit-tree", *sign_option, *parent_options, tree, stdin=message
    )
    if not result.ok:
        raise Refused(
            f"git cannot write the commit: {result.reason}",
            state="nothing has been committed",
            hint=IDENTITY_HINT if "tell me who you are" in result.err else "",
        )
    return result.text


def _require_ok(result: GitResult, problem: str, *, last_line: bool = False, hint: str = "") -> None:
    if result.ok:
        return
    lines = [line.strip() for line in result.err.splitlines() if line.strip()]
    reason = lines[-1] if last_line and lines else result.reason
    raise Refused(f"{problem}: {reason}", state="nothing has been committed", hint=hint)
