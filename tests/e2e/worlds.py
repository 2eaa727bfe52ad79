"""Worlds to type commands in: a clone with a remote, a local cloud, and an environment of their own."""

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

COACH = Path(__file__).parents[2] / "examples" / "coach"
PATIENCE = 120.0
"""Seconds for one command, on a busy machine."""

LOOKING = ("Get", "Describe", "List", "BatchGet", "BatchCheck", "Query", "Scan", "GET", "HEAD")
"""How the names of requests begin that change nothing."""

LOGS = ("requests.jsonl", "log", "application")
"""What is written down of requests that change nothing: by the local cloud, and by the apps that it runs."""

STAMP = re.compile(r"^\d\d:\d\d:\d\dZ")
"""What stands before a line about several environments."""

LOCKS = "/elsewhere.jsonl"
"""The local cloud's journal of DynamoDB, in which a lock that was taken and given back leaves two lines."""

LOCKING = "UpdateItem"
"""How locks are taken and given back; the ledger is only ever appended to, by another operation."""

SMALL = """\
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
timeout = "20s"
"""

Request = dict[str, Any]  # one line of the local cloud's request log


@frozen(kw_only=True)
class Finished:
    """A command that has ended.

    Attributes:
        words: the command.
        code: its exit code.
        out: what it said on stdout.
        err: what it said on stderr.
    """

    words: Sequence[str]
    code: int
    out: str
    err: str

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        """The steps that were reported, each with its verdict: `("already done", "push staging")`."""
        lines = [STAMP.sub("", line) for line in self.out.splitlines()]
        lines = [line for line in lines if line.startswith("  ") and len(line) > 34]
        return [(line[2:14].strip(), line[16:32].strip()) for line in lines]

    @property
    def document(self) -> Any:
        """Its stdout, which is one JSON document and nothing else."""
        return json.loads(self.out)

    def well(self) -> Finished:
        """Return itself when it ended well."""
        assert self.code == 0, f"{' '.join(self.words)} exits {self.code}\n{self.out}\n{self.err}"
        return self


@frozen(kw_only=True)
class World:
    """Where commands are typed.

    Attributes:
        clone: the app's repository.
        remote: its bare remote.
        state: the local cloud's folder.
        environ: every variable that commands see; nothing of this machine's own gets in.
        app: the app's folder in the repository.
    """

    clone: Path
    remote: Path
    state: Path
    environ: Mapping[str, str]
    app: str = field(default="coach")

    def inv(self, *words: str, cwd: Path | None = None, **variables: str) -> Finished:
        """Type `inv …` in the app's folder and wait for its end."""
        return self.run(program("inv"), *words, cwd=cwd, **variables)

    def kaizen(self, *words: str, cwd: Path | None = None, **variables: str) -> Finished:
        """Type `python -m kaizen_tasks …` and wait for its end."""
        return self.run(sys.executable, "-m", "kaizen_tasks", *words, cwd=cwd, **variables)

    def run(self, *words: str, cwd: Path | None = None, **variables: str) -> Finished:
        """Type a command and wait for its end."""
        return run(words, cwd=cwd or self.clone, environ={**self.environ, **variables})

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Type `inv …` and go on; it has a process group of its own, as behind a shell's prompt."""
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
        """Run git in the clone and return what it says."""
        return self.run("git", *words).well().out

    def commit(self, name: str, content: str, message: str = "Work") -> None:
        """Write a file and commit it."""
        (self.clone / name).write_text(content, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def note(self, text: str, kind: str = "fixed") -> None:
        """Note a change under `[Unreleased]` and commit it."""
        self.inv("changelog.add", "--type", kind, "--text", text).well()
        self.git("commit", "--quiet", "--all", "--message", text)

    def copied(self, folder: Path) -> World:
        """Return this world with a copy of the clone, for commands that are to change nothing else."""
        shutil.copytree(self.clone, folder)
        return evolve(self, clone=folder)

    @property
    def requests(self) -> list[Request]:
        """What the local cloud was asked, oldest first."""
        lines = (self.state / "requests.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    @property
    def refs(self) -> str:
        """Every ref of clone and remote, and every commit."""
        here = self.git("for-each-ref") + self.git("log", "--all", "--format=%H")
        return here + self.git("--git-dir", str(self.remote), "for-each-ref")

    @property
    def files(self) -> dict[str, str]:
        """Every file of the clone (git's own too) and of the remote, with its hash."""
        return {**hashes(self.clone), **hashes(self.remote)}

    @property
    def everything(self) -> dict[str, str]:
        """Every file of clone, remote and local cloud, with its hash."""
        return {**self.files, **self.cloud}

    def changed(self, before: Mapping[str, str], *, but: Sequence[str] = ()) -> list[str]:
        """Return the files that are not as they were in `everything`, but for those whose path contains a text."""
        paths = {path for path, _ in before.items() ^ self.everything.items()}
        return sorted(path for path in paths if not any(text in path for text in but))

    @property
    def cloud(self) -> dict[str, str]:
        """Every file of the local cloud, with its hash."""
        return hashes(self.state, leave_out=LOGS)


def program(name: str) -> str:
    """Return the program that was installed beside this Python."""
    return str(Path(sys.executable).with_name(name))


def run(words: Sequence[str], *, cwd: Path, environ: Mapping[str, str]) -> Finished:
    """Run a command to its end."""
    ended = subprocess.run(
        words,
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    return Finished(words=words, code=ended.returncode, out=ended.stdout, err=ended.stderr)


def surroundings(folder: Path) -> dict[str, str]:
    """Return the variables of a user who has configured nothing, with home and temporary folder in this one."""
    places = {"HOME": "home", "TMPDIR": "tmp", "XDG_CACHE_HOME": "home/cache", "XDG_STATE_HOME": "home/state"}
    for place in places.values():
        folder.joinpath(place).mkdir(parents=True, exist_ok=True)
    return {
        **{name: str(folder / place) for name, place in places.items()},
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def establish(work: Path, *, app: str, state: Path, environ: Mapping[str, str], further: str = "") -> World:
    """Make a clone of the example under another name, with what it needs in a local cloud that runs.

    Args:
        work: an empty folder.
        app: a name that no other app of this cloud has.
        state: the local cloud's folder.
        environ: every variable that commands see.
        further: tables of further environments, in TOML.
    """
    clone, remote = example.make(work, COACH)
    world = World(clone=clone, remote=remote, state=state, environ=environ, app=app)
    pipeline = SMALL if further else SMALL.replace(', "prod"', "")
    world.commit("kaizen.toml", pipeline.format(app=app, further=further), "Another name")
    world.git("push", "--quiet")
    world.inv("local.up", "--state", str(state)).well()
    return world


def hashes(folder: Path, leave_out: Iterable[str] = ()) -> dict[str, str]:
    """Return the hash of every file below a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not {*path.parts} & {*leave_out})
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def mutating(requests: Iterable[Request]) -> list[str]:
    """Return the names of the requests that change something for good."""
    names = [str(each.get("operation") or each.get("method")) for each in requests]
    return [name for name in names if not name.startswith((*LOOKING, LOCKING))]


def mentioning(folder: Path) -> list[str]:
    """Return the command of every process that works below a folder, or was told of it."""
    wanted = os.fsencode(folder)
    return [command for process in Path("/proc").glob("[0-9]*") if (command := _of(process, wanted))]


def _of(process: Path, wanted: bytes) -> str:
    try:
        told = [process.joinpath(name).read_bytes() for name in ("cmdline", "environ")]
        told.append(os.fsencode(process.joinpath("cwd").readlink()))
    except OSError:
        return ""  # it has ended, or is somebody else's
    return os.fsdecode(told[0]).replace("\0", " ") if any(wanted in each for each in told) else ""


def assert_refused(said: Finished, code: int) -> None:
    """Check the shape of every refusal: its exit code, and three lines for people at most."""
    assert said.code == code, said
    lines = said.err.splitlines()
    assert 1 <= len(lines) <= 3, said
    assert all(line.strip() for line in lines), said
    assert "Traceback" not in said.err + said.out
    assert "bug of kaizen_tasks" not in said.err
