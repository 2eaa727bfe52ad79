"""Making a commit or a tag as objects: no ref, no index and no file of the user changes."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kaizen_tasks.adapters.git.command import Git, GitResult

# The files are watched by nobody, have no modes to go by, and may hold normalised lines where the owner wants a warning
# about those.
_SCRATCH_CONFIG = ("-c", "core.fsmonitor=false", "-c", "core.fileMode=false", "-c", "core.safecrlf=false")
_FILE_MODES = {"100644", "100755"}
_ABSENT_MODE = "000000"
_COMMIT_HOOKS = ("pre-commit", "commit-msg")


@frozen(kw_only=True)
class BuiltTree:
    """What a commit becomes with some files replaced.

    Attributes:
        tree: hash of the tree.
        changed_paths: names of the files in it that are not as the commit has them, from the app's folder.
    """

    tree: str
    changed_paths: tuple[str, ...]


def build_tree(git: Git, commit: str, files: Mapping[str, bytes]) -> BuiltTree:
    """Write the tree of a commit with these files replaced, as git would store them.

    Args:
        git: the repository.
        commit: full hash.
        files: what the working-tree files hold, by their path from the app's folder.

    Raises:
        Refused: git would not add one of them at all, or it is no plain file in the commit.
    """
    with TemporaryDirectory(prefix="kaizen-commit-") as scratch:
        tree = _write_tree(git, Path(scratch), commit, files)
    changes = tuple(_diff_trees(git, commit, tree))
    for path, mode in changes:
        if path not in files or mode not in {*_FILE_MODES, _ABSENT_MODE}:
            raise Refused(f"{path} is committed as something else than a plain file (mode {mode})")
    return BuiltTree(tree=tree, changed_paths=tuple(path for path, _ in changes))


def write_commit(git: Git, *, parent: str, tree: str, message: str) -> str:
    """Write a commit object; the commit hooks run first.

    Args:
        git: the repository.
        parent: full hash.
        tree: its hash.
        message: of the commit; the commit-msg hook may edit it.

    Raises:
        Refused: a hook rejected or changed it, or there is no identity.
    """
    policy = _commit_policy(git)
    final_message = _run_commit_hooks(git, tree, message) if policy.has_hooks else _encode_message(message)
    return _commit_tree(git, parent, tree, final_message, with_signature=policy.requires_signature)


def write_tag(git: Git, *, name: str, commit: str, message: str, tagger: GitResult | None) -> str:
    """Write an annotated tag object and return its hash; no ref names it yet.

    Args:
        git: the repository.
        name: of the tag.
        commit: full hash.
        message: of the tag.
        tagger: the committer's identity, as `git var` has answered; None when git shall sign, and ask for it itself.

    Raises:
        Refused: there is no identity, the name is no tag name, or it could not be signed.
    """
    if name.startswith("-"):
        raise Refused(f"{name!r} is no name for a tag")
    if tagger is None:
        return _write_signed_tag(git, name, commit, message)
    if not tagger.ok:
        raise Refused(f"git does not know who is tagging: {tagger.reason}", hint=IDENTITY_HINT)
    header = f"object {commit}\ntype commit\ntag {name}\ntagger {tagger.text}\n\n"
    return git.run_checked("mktag", stdin=f"{header}{message.strip()}\n".encode()).text


def _write_signed_tag(git: Git, name: str, commit: str, message: str) -> str:
    """Let `git tag --sign` write into our objects and into the refs of a repository that lasts no longer than this.

    Only that command knows how to sign with gpg, ssh or x509 as configured, and it insists on a ref of the tag's name.
    """
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
        state="there is no tag",
        hint="git config user.signingKey KEY, or turn signing off in the configuration",
    )


IDENTITY_HINT = "git config user.name 'Your Name' && git config user.email you@example.com"


def _write_tree(git: Git, scratch: Path, commit: str, files: Mapping[str, bytes]) -> str:
    """Return the tree that `git add` makes of a commit and files, in an index and a working tree of their own.

    That working tree holds these files only. `git add` normalises line endings and runs filters there exactly as it
    would at home, which `git hash-object --path` does not: that one does not see whether the file is in the index with
    CRLF. Modes stay those of the commit.
    """
    index_env = {"GIT_INDEX_FILE": str(scratch / "index")}
    worktree = scratch / "files"
    for path, content in files.items():
        file = worktree / git.repo.prefix / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    git.run_checked("read-tree", commit, env=index_env)
    result = git.run(
        "--literal-pathspecs", *_SCRATCH_CONFIG, "add", "--force", "--sparse", "--", *(git.repo.prefix + path for path in files),
        env={**index_env, "GIT_DIR": str(git.repo.git_dir), "GIT_WORK_TREE": str(worktree)},
        cwd=worktree,
    )  # fmt: skip
    _require_ok(result, "git add refuses the release's files")
    return git.run_checked("write-tree", env=index_env).text


def _diff_trees(git: Git, commit: str, tree: str) -> Iterator[tuple[str, str]]:
    """Yield the files that differ, and the modes that they have in the commit."""
    items = iter(git.run_checked("diff-tree", "-r", "--raw", "--no-renames", "--relative", "-z", commit, tree).items)
    for entry, path in zip(items, items, strict=True):
        yield path, entry.removeprefix(":").partition(" ")[0]


@frozen(kw_only=True)
class _CommitPolicy:
    """What the owner of a repository wants of every commit.

    Attributes:
        requires_signature: a signature.
        has_hooks: the approval of hooks.
    """

    requires_signature: bool
    has_hooks: bool


def _commit_policy(git: Git) -> _CommitPolicy:
    """Ask the configuration, where a newer git has hooks too, and look into the folder of the hooks."""
    settings = git.run("config", "--null", "--get-regexp", r"^(commit\.gpgsign|hook\..*)$").items
    keys = {setting.partition("\n")[0] for setting in settings}
    has_hooks = any(key.startswith("hook.") for key in keys) or any(
        (git.repo.hooks_dir / hook).exists() for hook in _COMMIT_HOOKS
    )
    return _CommitPolicy(requires_signature="commit.gpgsign" in keys and _signs_commits(git), has_hooks=has_hooks)


def _signs_commits(git: Git) -> bool:
    return git.run("config", "--type=bool", "--get", "commit.gpgSign").text == "true"


def _encode_message(message: str) -> bytes:
    return f"{message.strip()}\n".encode()


def _run_commit_hooks(git: Git, tree: str, message: str) -> bytes:
    """Run the hooks as `git commit` does, against an index of their own; return the message as they leave it."""
    with TemporaryDirectory(prefix="kaizen-hooks-") as scratch:
        index, message_file = Path(scratch) / "index", Path(scratch) / "COMMIT_EDITMSG"
        index_env = {"GIT_INDEX_FILE": str(index)}
        if git.repo.index.is_file():
            shutil.copy2(git.repo.index, index)  # what it knows of unchanged files spares hooks a rescan
        git.run_checked("read-tree", "--reset", tree, env=index_env)
        index_content = index.read_bytes()
        _run_hook(git, index_env, "pre-commit")
        if index.read_bytes() != index_content and git.run_checked("write-tree", env=index_env).text != tree:
            raise Refused(
                "the pre-commit hook changed what is being committed; a release commit holds what was checked",
                state="nothing has been committed",
                hint="let the hook reject instead, or leave the released files out of it",
            )
        message_file.write_bytes(_encode_message(message))
        _run_hook(git, index_env, "commit-msg", str(message_file))
        edited_message = message_file.read_bytes().strip()
    if not edited_message:
        raise Refused("the commit-msg hook left no message", state="nothing has been committed")
    return edited_message + b"\n"


def _run_hook(git: Git, index_env: Mapping[str, str], name: str, *arguments: str) -> None:
    result = git.run(
        "hook", "run", "--ignore-missing", name, "--", *arguments,
        env={**index_env, "GIT_EDITOR": ":"},
        cwd=git.repo.toplevel,
    )  # fmt: skip
    _require_ok(result, f"the {name} hook rejects the commit", last_line=True)


def _commit_tree(git: Git, parent: str, tree: str, message: bytes, *, with_signature: bool) -> str:
    sign_option = ["-S"] if with_signature else []
    result = git.run("-c", "i18n.commitEncoding=UTF-8", "commit-tree", *sign_option, "-p", parent, tree, stdin=message)
    if not result.ok:
        raise Refused(
            f"git cannot write the commit: {result.reason}",
            state="nothing has been committed",
            hint=IDENTITY_HINT if "tell me who you are" in result.err else "",
        )
    return result.text


def _require_ok(result: GitResult, problem: str, *, last_line: bool = False) -> None:
    if result.ok:
        return
    lines = [line.strip() for line in result.err.splitlines() if line.strip()]
    reason = lines[-1] if last_line and lines else result.reason
    raise Refused(f"{problem}: {reason}", state="nothing has been committed")
