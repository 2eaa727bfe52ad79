"""Making a commit or a tag as objects: no ref, no index and no file of the user changes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kaizen_tasks.adapters.git_command import Git, Output

# The files are watched by nobody, and may hold normalised lines where the owner wants a warning about those.
_HERE = ("-c", "core.fsmonitor=false", "-c", "core.safecrlf=false")
_FILE_MODES = {"100644": 0o644, "100755": 0o755}


def changes(git: Git, commit: str, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the names of the files that git would store differently from what a commit holds.

    Raises:
        Refused: git would not add one of them at all.
    """
    if not files:
        return ()
    with TemporaryDirectory(prefix="kaizen-commit-") as scratch:
        index = _TemporaryIndex(git, Path(scratch))
        index.read(commit)
        index.add(commit, files)
        return index.changed(commit)


def write_commit(git: Git, *, parent: str, files: Mapping[str, bytes], message: str) -> str:
    """Write a commit object: the parent's tree with these files replaced; the commit hooks run first.

    Args:
        git: the repository.
        parent: full hash.
        files: what the working-tree files hold, by their path from the app's folder.
        message: of the commit; the commit-msg hook may edit it.

    Raises:
        Refused: a hook rejected or changed it, there is no identity, or a path is no plain file.
    """
    with TemporaryDirectory(prefix="kaizen-commit-") as scratch:
        index = _TemporaryIndex(git, Path(scratch))
        index.read(parent)
        index.add(parent, files)
        tree, content = index.write_tree(), index.content()
        index.hook("pre-commit")
        if index.content() != content and index.write_tree() != tree:
            raise Refused(
                "the pre-commit hook changed what is being committed; a release commit holds what was checked",
                state="nothing has been committed",
                hint="let the hook reject instead, or leave the released files out of it",
            )
        said = index.edit_message(message)
        return _commit_tree(git, parent, tree, said)


def write_tag(git: Git, *, name: str, commit: str, message: str, sign: bool) -> str:
    """Write an annotated tag object and return its hash; no ref names it yet.

    Raises:
        Refused: there is no identity, the name is no tag name, or it could not be signed.
    """
    if name.startswith("-"):
        raise Refused(f"{name!r} is no name for a tag")
    if sign:
        return _signed_tag(git, name, commit, message)
    tagger = git.identity("COMMITTER")
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


class _TemporaryIndex:
    """An index of its own, and a working tree of its own that holds the changed files only.

    `git add` in there normalises line endings and runs filters exactly as it would at home, which
    `git hash-object --path` does not: that one does not see whether the file is in the index with CRLF.
    """

    def __init__(self, git: Git, scratch: Path) -> None:
        self._git = git
        self._home = {"GIT_INDEX_FILE": str(scratch / "index")}
        self._files = scratch / "files"
        self._away = {**self._home, "GIT_DIR": str(git.place.folder), "GIT_WORK_TREE": str(self._files)}
        self._message = scratch / "COMMIT_EDITMSG"

    def read(self, parent: str) -> None:
        """Begin with the parent's tree; what the user's index knows of unchanged files spares hooks a rescan."""
        if self._git.place.index.is_file():
            shutil.copy2(self._git.place.index, self._home["GIT_INDEX_FILE"])
        self._git.must("read-tree", "--reset", parent, env=self._home)

    def add(self, parent: str, files: Mapping[str, bytes]) -> None:
        """Replace these files, as `git add` would, and keep their modes."""
        modes = _modes(self._git, parent, tuple(files))
        self._look_at(modes)
        self._files.mkdir()
        for path, content in files.items():
            self._put(path, content, modes.get(path, "100644"))
        paths = [self._git.place.prefix + path for path in files]
        added = self._git.run(
            "--literal-pathspecs", *_HERE, "add", "--force", "--sparse", "--", *paths,
            env=self._away,
            folder=self._files,
        )  # fmt: skip
        _demand(added, "git add refuses the release's files")

    def changed(self, commit: str) -> tuple[str, ...]:
        """Return the names of the files that are not as a commit has them."""
        return self._git.must(
            "diff-index", "--cached", "--name-only", "--no-renames", "--relative", "-z", commit, env=self._home
        ).items

    def content(self) -> bytes:
        """Return the index itself, which a hook that changes nothing leaves alone."""
        return Path(self._home["GIT_INDEX_FILE"]).read_bytes()

    def write_tree(self) -> str:
        """Return the hash of the tree that the index stands for."""
        return self._git.must("write-tree", env=self._home).text

    def hook(self, name: str, *arguments: str) -> None:
        """Run a hook where and how `git commit` runs it."""
        ran = self._git.run(
            "hook", "run", "--ignore-missing", name, "--", *arguments,
            env={**self._home, "GIT_EDITOR": ":"},
            folder=self._git.place.top,
        )  # fmt: skip
        _demand(ran, f"the {name} hook rejects the commit", last_line=True)

    def edit_message(self, message: str) -> bytes:
        """Return the message as the commit-msg hook leaves it."""
        self._message.write_text(message.strip() + "\n", encoding="utf-8")
        self.hook("commit-msg", str(self._message))
        said = self._message.read_bytes().strip()
        if not said:
            raise Refused("the commit-msg hook left no message", state="nothing has been committed")
        return said + b"\n"

    def _look_at(self, paths: Iterable[str]) -> None:
        """Forget that the owner has marked files as not to be looked at: `git add` would pass over them."""
        given = "".join(f"{path}\0" for path in paths)
        self._git.must(
            "update-index", "--no-assume-unchanged", "-z", "--stdin", given=os.fsencode(given), env=self._home
        )

    def _put(self, path: str, content: bytes, mode: str) -> None:
        if mode not in _FILE_MODES:
            raise Refused(f"{path} is committed as something else than a plain file (mode {mode})")
        file = self._files / self._git.place.prefix / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(_FILE_MODES[mode])


def _commit_tree(git: Git, parent: str, tree: str, message: bytes) -> str:
    signed = ["-S"] if _signs(git) else []
    written = git.run("-c", "i18n.commitEncoding=UTF-8", "commit-tree", *signed, "-p", parent, tree, given=message)
    if not written.ok:
        raise Refused(
            f"git cannot write the commit: {written.reason}",
            state="nothing has been committed",
            hint=IDENTITY_HINT if "tell me who you are" in written.err else "",
        )
    return written.text


def _modes(git: Git, commit: str, paths: tuple[str, ...]) -> dict[str, str]:
    listed = git.must("ls-tree", "-z", commit, "--", *paths).items
    return {path: entry.partition(" ")[0] for entry, _, path in (each.partition("\t") for each in listed)}


def _signs(git: Git) -> bool:
    return git.run("config", "--type=bool", "--get", "commit.gpgSign").text == "true"


def _demand(output: Output, what: str, *, last_line: bool = False) -> None:
    if output.ok:
        return
    said = [line.strip() for line in output.err.splitlines() if line.strip()]
    reason = said[-1] if last_line and said else output.reason
    raise Refused(f"{what}: {reason}", state="nothing has been committed")
