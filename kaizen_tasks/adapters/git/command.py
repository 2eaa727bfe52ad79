"""Running git: argv lists only, one known environment, and nothing secret in what is passed on."""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.host import process
from kaizen_tasks.errors import NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

# What git itself clears before it enters another repository (`git rev-parse --local-env-vars`), without
# the configuration of `git -c`: inside a hook these would lead every command to that hook's repository.
_STRAY = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
}
OLDEST = (2, 36)  # the first with `git hook run`
# Errors are read: in English, on every machine.
SPEAKING = {"GIT_TERMINAL_PROMPT": "0", "LANGUAGE": "C", "LC_ALL": "C"}
_CREDENTIALS = re.compile(r"://(?!git@)[^/\s'\"]+@")


@frozen(kw_only=True)
class Output:
    """What a git command has left.

    Attributes:
        status: exit status; negative when a signal ended it.
        out: standard output, as it came.
        err: standard error, without credentials.
    """

    status: int
    out: bytes
    err: str

    @property
    def ok(self) -> bool:
        """Whether the command succeeded."""
        return self.status == 0

    @property
    def text(self) -> str:
        """Standard output as text, without the last line break."""
        return os.fsdecode(self.out).removesuffix("\n")

    @property
    def items(self) -> tuple[str, ...]:
        """Standard output taken apart at its NUL bytes."""
        return tuple(os.fsdecode(self.out).removesuffix("\0").split("\0")) if self.out else ()

    @property
    def reason(self) -> str:
        """The line that says why it failed: git's own verdict, else the last line of all."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        verdicts = [line.partition(": ")[2] for line in lines if line.startswith(("fatal: ", "error: "))]
        return (verdicts or lines or [f"git ended with status {self.status}"])[-1]


@frozen(kw_only=True)
class Place:
    """Where the repository is.

    Attributes:
        top: folder of the working tree.
        prefix: the app's folder in it, with a slash at the end, or empty.
        folder: git's own folder for this working tree.
        hooks: folder of the hooks.
        shallow: whether the history is cut off somewhere.
    """

    top: Path
    prefix: str
    folder: Path
    hooks: Path
    shallow: bool

    @property
    def index(self) -> Path:
        """The index of this working tree."""
        return self.folder / "index"


class Git:
    """The git program, in one folder.

    Args:
        root: the app's folder; every command starts there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(
        self,
        *arguments: str,
        given: bytes = b"",
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Output:
        """Run a command and return what it left, whether it succeeded or not.

        Args:
            arguments: everything after `git`.
            given: its standard input.
            env: more environment variables.
            folder: where it starts; the app's folder if None.

        Raises:
            Refused: git is not installed, or there is no such folder.
        """
        folder = folder or self.root
        if not folder.is_dir():
            raise Refused(f"there is no folder {folder}")
        surroundings = {**SPEAKING, **(env or {})}
        try:
            ended = process.run(
                [*undisturbed(surroundings), "git", *arguments], cwd=folder, env=surroundings, stdin=given or None
            )
        except NotFound as error:
            raise missing() from error
        return Output(status=ended.code, out=ended.raw, err=redact(ended.err))

    def must(
        self,
        *arguments: str,
        given: bytes = b"",
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Output:
        """Run a command that has no reason to fail.

        Raises:
            Refused: it failed nevertheless; git's own reason is in the message.
        """
        output = self.run(*arguments, given=given, env=env, folder=folder)
        if not output.ok:
            self.place  # noqa: B018 - says better what is wrong with the folder
            raise Refused(f"git {_command(arguments)} failed: {output.reason}")
        return output

    @cached_property
    def place(self) -> Place:
        """Where the repository is; asked once, since nothing of it changes meanwhile.

        Raises:
            Refused: the folder is in no repository, or in one that git does not trust.
        """
        output = self.run(
            "rev-parse", "--absolute-git-dir", "--show-toplevel", "--show-prefix", "--is-shallow-repository",
            "--git-path", "hooks",
        )  # fmt: skip
        if not output.ok:
            raise _homeless(self.root, output)
        folder, top, prefix, shallow, hooks = output.text.split("\n")
        return Place(
            top=Path(top), prefix=prefix, folder=Path(folder), hooks=self.root / hooks, shallow=shallow == "true"
        )

    @cached_property
    def version(self) -> tuple[int, int]:
        """Major and minor version of git itself."""
        numbers = re.findall(r"\d+", self.must("version").text)
        return int(numbers[0]), int(numbers[1])

    def transact(self, *commands: str, reason: str) -> Output:
        """Change refs, all of them or none.

        Args:
            commands: of `git update-ref -z --stdin`, without the NUL at the end.
            reason: what the reflog says.
        """
        given = "".join(f"{each}\0" for each in commands)
        return self.run("update-ref", "-m", f"kaizen: {reason}", "-z", "--stdin", given=os.fsencode(given))

    def commit_of(self, name: str) -> str:
        """Return the full hash of the commit that a ref, tag or hash names, or an empty string."""
        output = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return output.text if output.ok else ""

    def commits_of(self, *names: str) -> tuple[str, ...]:
        """Return what `commit_of` returns, of several refs or hashes at once."""
        given = "".join(f"{name}^{{commit}}\n" for name in names)
        lines = self.must("cat-file", "--batch-check=%(objectname)", given=os.fsencode(given)).text.split("\n")
        return tuple("" if " " in line else line for line in lines if line)

    def is_ancestor(self, old: str, new: str) -> bool:
        """Return whether `old` is reachable from `new`; not so when either is unknown here."""
        return self.run("merge-base", "--is-ancestor", "--end-of-options", old, new).ok


def _command(arguments: tuple[str, ...]) -> str:
    """Return the command's name, which options of git itself may precede."""
    return next(each for each in arguments if each.replace("-", "").isalpha() and not each.startswith("-"))


def missing() -> Refused:
    """Return what is said when there is no git."""
    return Refused("git is not installed, or not on PATH", hint="install it from https://git-scm.com")


def redact(text: str) -> str:
    """Take user names and tokens out of the addresses in a text."""
    return _CREDENTIALS.sub("://[redacted]@", text)


def undisturbed(given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the words before `git` that take stray variables out of its environment, but for those that are given."""
    present = sorted(os.environ.keys() & _STRAY - given.keys())
    return ("env", *(word for each in present for word in ("-u", each))) if present else ()


def _homeless(root: Path, output: Output) -> Refused:
    if "dubious ownership" in output.err:
        return Refused(
            f"git does not trust {root}: it belongs to somebody else",
            hint=f"git config --global --add safe.directory {root}",
        )
    return Refused(f"{root} is not in a git working tree: {output.reason}", hint="git init, then a first commit")
