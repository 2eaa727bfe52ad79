"""Creates commit and tag objects; the user's refs, index and files do not change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from kaizen_tasks.adapters.git.command import Git, GitResult
from kaizen_tasks.adapters.git.identity import IDENTITY_HINT
from kaizen_tasks.adapters.git.tree_diff import diff_trees
from kaizen_tasks.adapters.host import process
from kaizen_tasks.adapters.host.write_failure import remedy
from kaizen_tasks.errors import NotFound, Refused

# For a temporary working tree: no file watcher, no file modes, and no warnings about line endings.
_SCRATCH_CONFIG = ("-c", "core.fsmonitor=false", "-c", "core.fileMode=false", "-c", "core.safecrlf=false")
_FILE_MODES = {"100644", "100755"}
COMMIT_HOOKS = ("pre-commit", "prepare-commit-msg", "commit-msg")

Check = Callable[[Mapping[str, bytes]], None]
"""Raises Refused for contents that a hook must not have left, by path."""


class BuiltTree(NamedTuple):
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
    changes = tuple(diff_trees(git.objects, commit, tree, git.repo.prefix))
    for path, old, _ in changes:
        if path not in files or (old and old.mode not in _FILE_MODES):
            raise Refused(f"{path} is not a plain file in the commit (mode {old.mode if old else 'none'})")
    added_paths = tuple(path for path, old, _ in changes if old is None)
    return BuiltTree(tree=tree, changed_paths=tuple(path for path, _, _ in changes), added_paths=added_paths)


def has_hooks(git: Git, names: Collection[str]) -> bool:
    """Return whether there are hooks of some names, in files or in the configuration."""
    return bool(git.config.section("hook.")) or any((git.repo.hooks_dir / name).exists() for name in names)


def encode_message(message: str) -> bytes:
    """Return a message as git stores it."""
    return f"{message.strip()}\n".encode()


def write_merge_commit(git: Git, *, parents: tuple[str, str], tree: str, message: str) -> str:
    """Write a merge commit object and return its hash; like `git merge`, run no pre-commit hook.

    Raises:
        Refused: git has no author or committer.
    """
    return commit_tree(git, parents, tree, encode_message(message))


def commit_tree(git: Git, parents: tuple[str, ...], tree: str, message: bytes) -> str:
    """Write a commit object, signed as configured, and return its hash.

    Raises:
        Refused: it could not be signed, or git has no author or committer.
    """
    sign_option = ["-S"] if git.config.is_true("commit.gpgsign") else []
    parent_options = [word for parent in parents for word in ("-p", parent)]
    result = git.run(
        "-c", "i18n.commitEncoding=UTF-8", "commit-tree", *sign_option, *parent_options, tree, stdin=message
    )
    if not result.ok and sign_option and not any(words in result.err for words in _NO_IDENTITY):
        raise _signing_error(git, "the release commit", result, switch="git config commit.gpgSign false")
    if not result.ok:
        raise Refused(
            f"git cannot write the commit: {result.reason}",
            state="nothing has been committed",
            hint=IDENTITY_HINT if any(words in result.err for words in _NO_IDENTITY) else "",
        )
    return result.text


def write_tag(git: Git, *, name: str, commit: str, message: str, committer: bytes) -> str:
    """Write an annotated tag object and return its hash; no ref is created.

    Args:
        git: the repository.
        name: the tag's name.
        commit: full hash of the tagged commit.
        message: the tag's message.
        committer: who tags, and when; empty to sign the tag, of which git knows that itself.

    Raises:
        Refused: the name is not valid, or signing failed.
    """
    if name.startswith("-"):
        raise Refused(f"{name!r} is not a valid tag name")
    if not committer:
        return _write_signed_tag(git, name, commit, message)
    header = b"object %b\ntype commit\ntag %b\ntagger %b\n\n"
    fields = os.fsencode(commit), os.fsencode(name), committer
    return git.run_checked("mktag", stdin=header % fields + encode_message(message)).text


def _write_signed_tag(git: Git, name: str, commit: str, message: str) -> str:
    """Run `git tag --sign`, which signs as configured, in a temporary repository, where its ref does no harm.

    What `includeIf` includes for this repository would not be included for that one, so that it is passed on.
    """
    objects, config = git.run_checked("rev-parse", "--git-path", "objects", "--git-path", "config").text.split("\n")
    settings = git.config.section("user.", "gpg.", "i18n.", "committer.")
    with TemporaryDirectory(prefix="kaizen-tag-") as scratch:
        git_dir = Path(scratch)
        (git_dir / "refs").mkdir()
        (git_dir / "HEAD").write_text("ref: refs/heads/none\n", encoding="utf-8")
        shutil.copyfile(git.root / config, git_dir / "config")
        env = {"GIT_DIR": scratch, "GIT_OBJECT_DIRECTORY": str((git.root / objects).resolve())}
        result = git.run(
            *(word for key, value in settings for word in ("-c", f"{key}={value}")),
            "tag", "--sign", "--cleanup=whitespace", "--file=-", "--end-of-options", name, commit,
            stdin=message.encode(),
            env=env,
        )  # fmt: skip
        # With a missing ssh key, git 2.39 ends with 0 and a tag without a signature.
        if result.ok and b"-----BEGIN " in git.run("cat-file", "tag", f"refs/tags/{name}", env=env).out:
            return git.run_checked("rev-parse", f"refs/tags/{name}", env=env).text
    raise _signing_error(git, f"the tag {name}", result, switch="[tag] sign = false in kaizen.toml")


def _signing_error(git: Git, what: str, result: GitResult, *, switch: str) -> Refused:
    """Return the error for a signature that could not be made, with all that gpg or ssh-keygen has printed."""
    from kaizen_tasks.domain.git import signing
    from kaizen_tasks.domain.text.log_excerpt import output_tail

    text = result.err if signing.signing_problem(result.err) else f"{result.err}\n{_ask_gpg(git)}"
    return Refused(
        f"{what} could not be signed: {signing.signing_problem(text) or result.reason}",
        state="it was not created",
        hint="choose openpgp, ssh or x509: git config gpg.format openpgp"
        if signing.is_format_unknown(text)
        else f"{signing.signing_hint(text)}; without signatures: {switch}",
        output=output_tail(text),
    )


def _ask_gpg(git: Git) -> str:
    """Sign nothing with gpg as git does, which does not tell why it fails; return what it prints."""
    kind = git.config.value("gpg.format") or "openpgp"
    programs = {"openpgp": git.config.value("gpg.program") or "gpg", "x509": "gpgsm"}
    program = git.config.value(f"gpg.{kind}.program") or programs.get(kind, "")
    if not program:
        return ""
    key = git.config.value("user.signingkey") or git.run("var", "GIT_COMMITTER_IDENT").text.rpartition(" <")[0]
    try:
        return process.run((program, "-bsau", key), cwd=git.root).err
    except NotFound as error:
        return error.message


_NO_IDENTITY = ("tell me who you are", "was given", "empty ident")


def _write_tree(git: Git, scratch: Path, commit: str, files: Mapping[str, bytes | None]) -> str:
    """Add the files to a temporary index from a temporary working tree, and return the resulting tree.

    `git update-index` normalises line endings and runs filters as in the real working tree, and removes the files that
    are not there. `git hash-object --path` does not: that command ignores whether the index has the file with CRLF.
    Modes are those of the commit.
    """
    index_env = {"GIT_INDEX_FILE": str(scratch / "index")}
    worktree = scratch / "files"
    worktree.mkdir()
    contents = {git.repo.prefix + path: content for path, content in files.items()}
    for path, content in contents.items():
        if content is not None:
            file = worktree / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    git.run_checked("read-tree", commit, env=index_env)
    result = git.run(
        *_SCRATCH_CONFIG, "update-index", "--add", "--remove", "-z", "--stdin",
        stdin=os.fsencode("".join(f"{path}\0" for path in contents)),
        env={**index_env, "GIT_DIR": str(git.repo.git_dir), "GIT_WORK_TREE": str(worktree)},
        cwd=worktree,
    )  # fmt: skip
    _require_ok(result, "git rejects the release's files")
    return git.run_checked("write-tree", env=index_env).text


def _require_ok(result: GitResult, problem: str) -> None:
    if not result.ok:
        causes = [line.partition(": ")[2] for line in result.err.splitlines() if line.startswith("error: ")]
        reason = causes[0] if causes and "Unable to process path" in result.reason else result.reason
        raise Refused(f"{problem}: {reason}", state="nothing has been committed", hint=remedy(reason, ".git/objects"))
