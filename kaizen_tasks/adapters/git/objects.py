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

    from kaizen_tasks.adapters.git.command import Git, Output

# The files are watched by nobody, have no modes to go by, and may hold normalised lines where the owner wants a warning
# about those.
_HERE = ("-c", "core.fsmonitor=false", "-c", "core.fileMode=false", "-c", "core.safecrlf=false")
_FILE_MODES = {"100644", "100755"}
_ABSENT = "000000"
_HOOKS = ("pre-commit", "commit-msg")


@frozen(kw_only=True)
class Staged:
    """What a commit becomes with some files replaced.

    Attributes:
        tree: hash of the tree.
        changed: names of the files in it that are not as the commit has them, from the app's folder.
    """

    tree: str
    changed: tuple[str, ...]


def stage(git: Git, commit: str, files: Mapping[str, bytes]) -> Staged:
    """Write the tree of a commit with these files replaced, as git would store them.

    Args:
        git: the repository.
        commit: full hash.
        files: what the working-tree files hold, by their path from the app's folder.

    Raises:
        Refused: git would not add one of them at all, or it is no plain file in the commit.
    """
    with TemporaryDirectory(prefix="kaizen-commit-") as scratch:
        tree = _added(git, Path(scratch), commit, files)
    changed = tuple(_changed(git, commit, tree))
    for path, mode in changed:
        if path not in files or mode not in {*_FILE_MODES, _ABSENT}:
            raise Refused(f"{path} is committed as something else than a plain file (mode {mode})")
    return Staged(tree=tree, changed=tuple(path for path, _ in changed))


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
    customs = _customs(git)
    said = _approved(git, tree, message) if customs.hooked else _written(message)
    return _commit_tree(git, parent, tree, said, signed=customs.signed)


def write_tag(git: Git, *, name: str, commit: str, message: str, tagger: Output | None) -> str:
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
        return _signed_tag(git, name, commit, message)
    if not tagger.ok:
        raise Refused(f"git does not know who is tagging: {tagger.reason}", hint=IDENTITY_HINT)
    header = f"object {commit}\ntype commit\ntag {name}\ntagger {tagger.text}\n\n"
    return git.must("mktag", given=f"{header}{message.strip()}\n".encode()).text


def _signed_tag(git: Git, name: str, commit: str, message: str) -> str:
    """Let `git tag --sign` write into our objects and into the refs of a repository that lasts no longer than this.

    Only that command knows how to sign with gpg, ssh or x509 as configured, and it insists on a ref of the tag's name.
    """
    objects, config = git.must("rev-parse", "--git-path", "objects", "--git-path", "config").text.split("\n")
    with TemporaryDirectory(prefix="kaizen-tag-") as scratch:
        aside = Path(scratch)
        (aside / "refs").mkdir()
        (aside / "HEAD").write_text("ref: refs/heads/none\n", encoding="utf-8")
        shutil.copyfile(git.root / config, aside / "config")
        env = {"GIT_DIR": scratch, "GIT_OBJECT_DIRECTORY": str((git.root / objects).resolve())}
        signed = git.run(
            "tag", "--sign", "--cleanup=whitespace", "--file=-", "--end-of-options", name, commit,
            given=message.encode(),
            env=env,
        )  # fmt: skip
        if signed.ok:
            return git.must("rev-parse", f"refs/tags/{name}", env=env).text
    raise Refused(
        f"{name} could not be signed: {signed.reason}",
        state="there is no tag",
        hint="git config user.signingKey KEY, or turn signing off in the configuration",
    )


IDENTITY_HINT = "git config user.name 'Your Name' && git config user.email you@example.com"


def _added(git: Git, scratch: Path, commit: str, files: Mapping[str, bytes]) -> str:
    """Return the tree that `git add` makes of a commit and files, in an index and a working tree of their own.

    That working tree holds these files only. `git add` normalises line endings and runs filters there exactly as it
    would at home, which `git hash-object --path` does not: that one does not see whether the file is in the index with
    CRLF. Modes stay those of the commit.
    """
    home = {"GIT_INDEX_FILE": str(scratch / "index")}
    tree = scratch / "files"
    for path, content in files.items():
        file = tree / git.place.prefix / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    git.must("read-tree", commit, env=home)
    added = git.run(
        "--literal-pathspecs", *_HERE, "add", "--force", "--sparse", "--", *(git.place.prefix + path for path in files),
        env={**home, "GIT_DIR": str(git.place.folder), "GIT_WORK_TREE": str(tree)},
        folder=tree,
    )  # fmt: skip
    _demand(added, "git add refuses the release's files")
    return git.must("write-tree", env=home).text


def _changed(git: Git, commit: str, tree: str) -> Iterator[tuple[str, str]]:
    """Yield the files that differ, and the modes that they have in the commit."""
    items = iter(git.must("diff-tree", "-r", "--raw", "--no-renames", "--relative", "-z", commit, tree).items)
    for entry, path in zip(items, items, strict=True):
        yield path, entry.removeprefix(":").partition(" ")[0]


@frozen(kw_only=True)
class _Customs:
    """What the owner of a repository wants of every commit.

    Attributes:
        signed: a signature.
        hooked: the approval of hooks.
    """

    signed: bool
    hooked: bool


def _customs(git: Git) -> _Customs:
    """Ask the configuration, where a newer git has hooks too, and look into the folder of the hooks."""
    told = git.run("config", "--null", "--get-regexp", r"^(commit\.gpgsign|hook\..*)$").items
    keys = {each.partition("\n")[0] for each in told}
    hooked = any(key.startswith("hook.") for key in keys) or any((git.place.hooks / hook).exists() for hook in _HOOKS)
    return _Customs(signed="commit.gpgsign" in keys and _signs(git), hooked=hooked)


def _signs(git: Git) -> bool:
    return git.run("config", "--type=bool", "--get", "commit.gpgSign").text == "true"


def _written(message: str) -> bytes:
    return f"{message.strip()}\n".encode()


def _approved(git: Git, tree: str, message: str) -> bytes:
    """Run the hooks as `git commit` does, against an index of their own; return the message as they leave it."""
    with TemporaryDirectory(prefix="kaizen-hooks-") as scratch:
        index, text = Path(scratch) / "index", Path(scratch) / "COMMIT_EDITMSG"
        home = {"GIT_INDEX_FILE": str(index)}
        if git.place.index.is_file():
            shutil.copy2(git.place.index, index)  # what it knows of unchanged files spares hooks a rescan
        git.must("read-tree", "--reset", tree, env=home)
        content = index.read_bytes()
        _hook(git, home, "pre-commit")
        if index.read_bytes() != content and git.must("write-tree", env=home).text != tree:
            raise Refused(
                "the pre-commit hook changed what is being committed; a release commit holds what was checked",
                state="nothing has been committed",
                hint="let the hook reject instead, or leave the released files out of it",
            )
        text.write_bytes(_written(message))
        _hook(git, home, "commit-msg", str(text))
        said = text.read_bytes().strip()
    if not said:
        raise Refused("the commit-msg hook left no message", state="nothing has been committed")
    return said + b"\n"


def _hook(git: Git, home: Mapping[str, str], name: str, *arguments: str) -> None:
    ran = git.run(
        "hook", "run", "--ignore-missing", name, "--", *arguments,
        env={**home, "GIT_EDITOR": ":"},
        folder=git.place.top,
    )  # fmt: skip
    _demand(ran, f"the {name} hook rejects the commit", last_line=True)


def _commit_tree(git: Git, parent: str, tree: str, message: bytes, *, signed: bool) -> str:
    sign = ["-S"] if signed else []
    written = git.run("-c", "i18n.commitEncoding=UTF-8", "commit-tree", *sign, "-p", parent, tree, given=message)
    if not written.ok:
        raise Refused(
            f"git cannot write the commit: {written.reason}",
            state="nothing has been committed",
            hint=IDENTITY_HINT if "tell me who you are" in written.err else "",
        )
    return written.text


def _demand(output: Output, what: str, *, last_line: bool = False) -> None:
    if output.ok:
        return
    said = [line.strip() for line in output.err.splitlines() if line.strip()]
    reason = said[-1] if last_line and said else output.reason
    raise Refused(f"{what}: {reason}", state="nothing has been committed")
