"""Runs the git program with a clean environment, and redacts credentials from its errors.

What every release asks git is returned as named tuples, which take a fifth of the time of attrs classes to make.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from kaizen_tasks.adapters.git.configuration import GitConfig, parse_config
from kaizen_tasks.adapters.git.object_reader import CAT_FILE, ObjectReader
from kaizen_tasks.adapters.host import process
from kaizen_tasks.errors import NOTHING_CHANGED, NotFound, Refused

# Inside a git hook these variables would direct every command to the hook's repository. The list is that of
# `git rev-parse --local-env-vars` without the configuration of `git -c`.
_LOCAL_ENV_VARS = {
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
_DATE_VARS = ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE")
FIRST_COMMIT_COMMAND = "git add --all && git commit --message 'Begin'"
MIN_GIT_VERSION = (2, 36)  # the first version with `git hook run`
# Errors are parsed, so they must be in English.
GIT_ENV = {"GIT_TERMINAL_PROMPT": "0", "LANGUAGE": "C", "LC_ALL": "C"}
_END_OF_TRANSPORT = {"fatal: Could not read from remote repository.", "fatal: the remote end hung up unexpectedly"}
_LOCK_FILE = r"'([^']+\.lock)': File exists"
_URL_CREDENTIALS = r"://(?!git@)[^/\s'\"]+@"


class GitResult(NamedTuple):
    """Exit status and output of a git command.

    Attributes:
        status: exit status; the negative signal number when a signal ended it.
        out: standard output.
        err: standard error, with credentials redacted.
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
        """Standard output split at its NUL bytes."""
        return tuple(os.fsdecode(self.out).removesuffix("\0").split("\0")) if self.out else ()

    @property
    def reason(self) -> str:
        """Why a command failed: the last `fatal:` or `error:` line of stderr, else stderr's last line.

        Where git only says that the transport has ended, ssh has told the reason before.
        """
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        before = next((number for number, line in enumerate(lines) if line in _END_OF_TRANSPORT), 0)
        if reasons := [line for line in lines[:before] if not line.lower().startswith("warning: ")]:
            return reasons[-1].removeprefix("remote: ")
        verdicts = [line.partition(": ")[2] for line in lines if line.startswith(("fatal: ", "error: "))]
        return (verdicts or lines or [f"git ended with status {self.status}"])[-1]


class RepoInfo(NamedTuple):
    """Paths of the repository.

    Attributes:
        toplevel: folder of the working tree.
        prefix: path of the app's folder below `toplevel`, with a slash at the end, or empty.
        git_dir: the `.git` folder of this working tree.
        hooks_dir: folder of the hooks.
        is_shallow: whether this is a shallow clone.
    """

    toplevel: Path
    prefix: str
    git_dir: Path
    hooks_dir: Path
    is_shallow: bool

    @property
    def index_file(self) -> Path:
        """Path of this working tree's index."""
        return self.git_dir / "index"


class Git:
    """Runs git commands, by default in the app's folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._ancestries: dict[tuple[str, str], bool] = {}

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        is_parsed: bool = True,
    ) -> GitResult:
        """Run a command and return its result, whether it succeeded or not.

        Args:
            arguments: everything after `git`.
            stdin: the command's standard input.
            env: additional environment variables.
            cwd: the command's working directory; None for the app's folder.
            is_parsed: whether the output must be git's own in English, and not a hook's in the user's language.

        Raises:
            Refused: git is not installed, or the folder does not exist.
        """
        cwd = cwd or self.root
        _require_folder(cwd)
        overrides = {**(GIT_ENV if is_parsed else {}), **source_dates(), **(env or {})}
        argv = [*env_prefix(overrides), "git", *arguments]
        try:
            result = process.run(argv, cwd=cwd, env=overrides, stdin=stdin or None)
        except NotFound as error:
            raise git_not_found() from error
        return GitResult(status=result.code, out=result.raw, err=redact_urls(result.err))

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command that is written to and read from; what it says about errors is lost.

        Raises:
            Refused: git is not installed, or the folder does not exist.
        """
        _require_folder(self.root)
        try:
            return subprocess.Popen(
                [*env_prefix(GIT_ENV), "git", *arguments],
                cwd=self.root,
                env={**os.environ, **GIT_ENV},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except FileNotFoundError as error:
            raise git_not_found() from error

    @cached_property
    def objects(self) -> ObjectReader:
        """The objects of the repository."""
        return ObjectReader(
            start=lambda: self.start(*CAT_FILE),
            run=lambda requests: self.run_checked(*CAT_FILE, stdin=requests).out,
        )

    def run_checked(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> GitResult:
        """Run a command that must succeed, and return its result.

        Raises:
            Refused: the command failed; git's reason is in the message.
        """
        result = self.run(*arguments, stdin=stdin, env=env)
        if not result.ok:
            self.repo  # noqa: B018 - raises a better error for a folder outside a repository
            raise Refused(f"git {_subcommand(arguments)} failed: {result.reason}")
        return result

    @cached_property
    def repo(self) -> RepoInfo:
        """The repository's paths, which are read once.

        Raises:
            Refused: the folder is in no repository, or in a repository that git does not trust.
        """
        result = self.run(
            "rev-parse", "--absolute-git-dir", "--show-toplevel", "--show-prefix", "--is-shallow-repository",
            "--git-path", "hooks",
        )  # fmt: skip
        if not result.ok:
            raise _repository_error(self.root, result)
        git_dir, toplevel, prefix, is_shallow, hooks_dir = result.text.split("\n")
        return RepoInfo(
            toplevel=Path(toplevel),
            prefix=prefix,
            git_dir=Path(git_dir),
            hooks_dir=self.root / hooks_dir,
            is_shallow=is_shallow == "true",
        )

    def require_in_repository(self, folder: str) -> None:
        """Require that a folder above the app's, `..` or `../..`, is in the repository.

        Raises:
            Refused: it is not.
        """
        levels = folder.count("..")
        if levels and levels > self.repo.prefix.count("/"):
            message = f'the build needs "{folder}", which leads out of the repository {self.repo.toplevel}'
            hint = "correct context or contexts of [build] in kaizen.toml"
            raise Refused(message, state=NOTHING_CHANGED, hint=hint)

    @property
    def is_supported(self) -> bool:
        """Whether git is `MIN_GIT_VERSION` or newer, which it says or shows by what it can do."""
        return self.objects.is_supported or self.version >= MIN_GIT_VERSION

    @cached_property
    def version(self) -> tuple[int, int]:
        """Major and minor version of the git program."""
        numbers = re.findall(r"\d+", self.run_checked("version").text)
        return int(numbers[0]), int(numbers[1])

    @cached_property
    def config(self) -> GitConfig:
        """The configuration, which is read once."""
        return parse_config(self.run("config", "--null", "--list").out)

    def update_refs(self, *commands: str, reason: str) -> GitResult:
        """Change refs in one transaction, and return the result, whether it succeeded or not.

        Args:
            commands: commands of `git update-ref -z --stdin`, without the trailing NUL.
            reason: message for the reflog.

        Raises:
            Refused: another git process has locked one of the refs.
        """
        stdin = "".join(f"{command}\0" for command in commands)
        result = self.run("update-ref", "-m", f"kaizen: {reason}", "-z", "--stdin", stdin=os.fsencode(stdin))
        if not result.ok and (lock := re.search(_LOCK_FILE, result.reason)):
            raise locked_error(lock[1])
        return result

    def resolve_commit(self, name: str) -> str:
        """Return the full hash of the commit that a ref, tag or hash names; an empty string when unknown."""
        found = self.objects.find(f"{name}^{{commit}}")
        return found.name if found else ""

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Return whether `ancestor` is reachable from `descendant`; False when this clone lacks either.

        A commit and its parent are most of what is asked for, and need no walk through the history.
        """
        first, last = self.resolve_commit(ancestor), self.resolve_commit(descendant)
        if not first or not last or self.resolve_commit(f"{first}^") == last:
            return False
        if first in {last, self.resolve_commit(f"{last}^")}:
            return True
        if (first, last) not in self._ancestries:
            self._ancestries[first, last] = self.run("merge-base", "--is-ancestor", first, last).ok
        return self._ancestries[first, last]


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise Refused(f"there is no folder {folder}")


def _subcommand(arguments: tuple[str, ...]) -> str:
    """Return the name of the git command in some arguments, which global options may precede."""
    return next(word for word in arguments if word.replace("-", "").isalpha() and not word.startswith("-"))


def git_not_found() -> Refused:
    """Return the error for a missing git program."""
    return Refused("git is not installed, or not on PATH", hint="install it from https://git-scm.com")


def locked_error(lock: str) -> Refused:
    """Return the error for the lock file of another git process, or of one that was killed."""
    return Refused(
        "another git process is running in this repository",
        state=NOTHING_CHANGED,
        hint=f"wait for it; if it was killed: rm {lock}, and run the same command again",
    )


def redact_urls(text: str) -> str:
    """Return a text without the user names and passwords in its URLs."""
    return re.sub(_URL_CREDENTIALS, "://[redacted]@", text) if "@" in text else text


def source_dates() -> dict[str, str]:
    """Return the variables that date commits and tags at `SOURCE_DATE_EPOCH`, unless they are set."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not (seconds.isascii() and seconds.isdigit()):
        return {}
    return {name: f"@{seconds} +0000" for name in _DATE_VARS if name not in os.environ}


def env_prefix(overrides: Mapping[str, str]) -> tuple[str, ...]:
    """Return the `env` command to put before `git`, which unsets git's repository variables that are not overridden."""
    stray_vars = sorted(os.environ.keys() & _LOCAL_ENV_VARS - overrides.keys())
    return ("env", *(word for name in stray_vars for word in ("-u", name))) if stray_vars else ()


def trust_command(folder: Path) -> str:
    """Return what a user types so that git trusts a folder; without a home, git has no place to write that to.

    Git replaces the file that it writes to: root must not make it write to `/dev/null`.
    """
    file, prefix = os.environ.get("GIT_CONFIG_GLOBAL"), ""
    if file in {"", os.devnull}:
        prefix = 'export GIT_CONFIG_GLOBAL="$(mktemp)" && '
    elif file is None and not os.access(os.environ.get("HOME", ""), os.W_OK | os.X_OK):
        prefix = 'export HOME="$(mktemp -d)" && '
    return f"{prefix}git config --global --add safe.directory {shlex.quote(str(folder))}"


def _repository_error(root: Path, result: GitResult) -> Refused:
    if "dubious ownership" in result.err:
        message = f"git does not trust {root}: it belongs to another user"
        return Refused(message, hint=trust_command(root))
    return Refused(
        f"{root} is not in a git working tree: {result.reason}",
        hint=f"git init --initial-branch=main && {FIRST_COMMIT_COMMAND}",
    )
