"""A clone, its remote, a local cloud and an environment, in which tests run whole commands."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from kaizen_tasks.rehearsal import example

if TYPE_CHECKING:
    from collections.abc import Iterable

EXAMPLE_APP = Path(__file__).parents[2] / "examples" / "coach"
COMMAND_SECONDS = 600.0
"""Limit for one command; only a command that hangs takes longer."""

READ_PREFIXES = ("Get", "Describe", "List", "BatchGet", "BatchCheck", "Query", "Scan", "Simulate", "GET", "HEAD")
"""Prefixes of operations that change nothing."""

LOG_FILES = ("requests.jsonl", "log", "application", "streams")
"""Logs that also grow with requests that change nothing, and with what the apps print."""

STEP_LINE = re.compile(r"  (?P<verdict>\S+(?: \S+)*) {2,}(?P<step>\S+(?: \S+)*) {2,}\S.*")
"""A line about a step: its columns are two spaces apart at least."""

LOCK_JOURNAL = "/elsewhere.jsonl"
"""The local cloud's DynamoDB journal, which has a line for each request that acquires or releases locks."""

LOCK_OPERATION = "UpdateItem"
"""The operation that acquires and releases one lock; several locks, and the ledger, are written in transactions."""

CONFIG_TEMPLATE = """\
app = "{app}"
pipeline = ["staging", "prod"]

[aws]
region = "eu-west-1"
account = "123456789012"

[build]
engine = "bundle"
command = ["python", "-m", "coach"]

[environments.staging]
{further}
[verify]
matches = 2
interval = "20ms"
timeout = "2m"
"""

Request = dict[str, Any]  # one line of the local cloud's request log


@frozen(kw_only=True)
class CommandResult:
    """The result of a command.

    Attributes:
        words: the command line.
        code: its exit code.
        out: its stdout.
        err: its stderr.
    """

    words: Sequence[str]
    code: int
    out: str
    err: str

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        """The reported steps as (verdict, step): `("already done", "push staging")`."""
        matches = map(STEP_LINE.fullmatch, self.out.splitlines())
        return [(match["verdict"], match["step"]) for match in matches if match]

    @property
    def document(self) -> Any:
        """Its stdout parsed as one JSON document."""
        return json.loads(self.out)

    def expect_success(self) -> CommandResult:
        """Return itself; fail if the exit code is not 0."""
        assert self.code == 0, f"{' '.join(self.words)} exits {self.code}\n{self.out}\n{self.err}"
        return self


@frozen(kw_only=True)
class Workspace:
    """Where commands run.

    Attributes:
        clone: the app's repository.
        remote: its bare remote.
        state: the local cloud's folder.
        environ: the whole environment of commands.
        app: the app's folder in the repository.
    """

    clone: Path
    remote: Path
    state: Path
    environ: Mapping[str, str]
    app: str = field(default="coach")

    def inv(self, *words: str, cwd: Path | None = None, **variables: str) -> CommandResult:
        """Run `inv …` in the app's folder."""
        return self.run(program("inv"), *words, cwd=cwd, **variables)

    def kaizen(self, *words: str, cwd: Path | None = None, **variables: str) -> CommandResult:
        """Run `python -m kaizen_tasks …`."""
        return self.run(sys.executable, "-m", "kaizen_tasks", *words, cwd=cwd, **variables)

    def run(self, *words: str, cwd: Path | None = None, **variables: str) -> CommandResult:
        """Run a command."""
        return run(words, cwd=cwd or self.clone, environ={**self.environ, **variables})

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start `inv …` in a process group of its own."""
        return subprocess.Popen(
            [program("inv"), *words],
            cwd=self.clone,
            env={**self.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def git(self, *words: str) -> str:
        """Run git in the clone and return its output."""
        return self.run("git", *words).expect_success().out

    def commit(self, name: str, content: str, message: str = "Work") -> None:
        """Write a file and commit it."""
        (self.clone / name).write_text(content, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def add_changelog_entry(self, text: str, kind: str = "fixed") -> None:
        """Add an entry under `[Unreleased]` and commit it."""
        self.inv("changelog.add", "--type", kind, "--text", text).expect_success()
        self.git("commit", "--quiet", "--all", "--message", text)

    def copy_to(self, folder: Path) -> Workspace:
        """Return this workspace with a copy of the clone."""
        shutil.copytree(self.clone, folder)
        return evolve(self, clone=folder)

    @property
    def requests(self) -> list[Request]:
        """The local cloud's request log, oldest first."""
        lines = (self.state / "requests.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    @property
    def refs(self) -> str:
        """Every ref of clone and remote, and every commit."""
        clone_refs = self.git("for-each-ref") + self.git("log", "--all", "--format=%H")
        return clone_refs + self.git("--git-dir", str(self.remote), "for-each-ref")

    @property
    def files(self) -> dict[str, str]:
        """Every file of the clone (git's own too) and of the remote, with its hash."""
        return {**hash_files(self.clone), **hash_files(self.remote)}

    @property
    def all_files(self) -> dict[str, str]:
        """Every file of clone, remote and local cloud, with its hash."""
        return {**self.files, **self.cloud_files}

    def changed_files(self, earlier_files: Mapping[str, str], *, excluding: Sequence[str] = ()) -> list[str]:
        """Return the files that differ from `all_files` taken earlier, except paths that contain one of the texts."""
        paths = {path for path, _ in earlier_files.items() ^ self.all_files.items()}
        return sorted(path for path in paths if not any(text in path for text in excluding))

    @property
    def cloud_files(self) -> dict[str, str]:
        """Every file of the local cloud, with its hash."""
        return hash_files(self.state, excluding=LOG_FILES)


def program(name: str) -> str:
    """Return the path of a program installed beside this Python."""
    return str(Path(sys.executable).with_name(name))


def run(words: Sequence[str], *, cwd: Path, environ: Mapping[str, str]) -> CommandResult:
    """Run a command and return its result."""
    completed = subprocess.run(
        words,
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=COMMAND_SECONDS,
        check=False,
    )
    return CommandResult(words=words, code=completed.returncode, out=completed.stdout, err=completed.stderr)


def clean_environ(folder: Path) -> dict[str, str]:
    """Return a user's environment without any configuration, with HOME and TMPDIR below a folder."""
    folders = {"HOME": "home", "TMPDIR": "tmp", "XDG_CACHE_HOME": "home/cache", "XDG_STATE_HOME": "home/state"}
    for subfolder in folders.values():
        folder.joinpath(subfolder).mkdir(parents=True, exist_ok=True)
    return {
        **{name: str(folder / subfolder) for name, subfolder in folders.items()},
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def create_workspace(
    work: Path, *, app: str, state: Path, environ: Mapping[str, str], more_environments: str = ""
) -> Workspace:
    """Create a clone of the example app under another name, and its resources in a running local cloud.

    Args:
        work: an empty folder.
        app: a name that is unique in the cloud.
        state: the local cloud's folder.
        environ: the whole environment of commands.
        more_environments: tables of further environments, in TOML.
    """
    clone, remote = example.create_example_repo(work, EXAMPLE_APP)
    workspace = Workspace(clone=clone, remote=remote, state=state, environ=environ, app=app)
    pipeline = CONFIG_TEMPLATE if more_environments else CONFIG_TEMPLATE.replace(', "prod"', "")
    workspace.commit("kaizen.toml", pipeline.format(app=app, further=more_environments), "Another name")
    workspace.git("push", "--quiet")
    workspace.inv("local.up", "--state", str(state)).expect_success()
    return workspace


def hash_files(folder: Path, excluding: Iterable[str] = ()) -> dict[str, str]:
    """Return the hash of every file below a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not {*path.parts} & {*excluding})
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def mutating_operations(requests: Iterable[Request]) -> list[str]:
    """Return the operations that change something, locks excepted."""
    names = [str(request.get("operation") or request.get("method")) for request in requests]
    return [name for name in names if not name.startswith((*READ_PREFIXES, LOCK_OPERATION))]


def processes_mentioning(folder: Path) -> list[str]:
    """Return the command lines of processes that mention a folder or work in it."""
    needle = os.fsencode(folder)
    return [command for process in Path("/proc").glob("[0-9]*") if (command := _command_if_mentioning(process, needle))]


def _command_if_mentioning(process: Path, needle: bytes) -> str:
    try:
        sources = [process.joinpath(name).read_bytes() for name in ("cmdline", "environ")]
        sources.append(os.fsencode(process.joinpath("cwd").readlink()))
    except OSError:
        return ""  # it has exited, or belongs to another user
    return os.fsdecode(sources[0]).replace("\0", " ") if any(needle in source for source in sources) else ""


def assert_refused(result: CommandResult, exit_code: int) -> None:
    """Check a refusal: the exit code, and at most three lines on stderr."""
    assert result.code == exit_code, result
    lines = result.err.splitlines()
    assert 1 <= len(lines) <= 3, result
    assert all(line.strip() for line in lines), result
    assert "Traceback" not in result.err + result.out
    assert "bug of kaizen_tasks" not in result.err
