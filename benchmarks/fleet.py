"""An app with very many environments, released to the first of them, in a local cloud of its own.

The app is as small as a program can be that says its version, so that it is our tasks that are measured and not what
a hundred apps cost the machine that plays the cloud: `socket` alone would double the time that it takes to start.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from benchmarks import libraries
from benchmarks.timing import inv

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 20.0
"""Seconds within which a local cloud starts."""

MAXRSS = 1 if sys.platform == "darwin" else 1024
"""Bytes in the unit of `ru_maxrss`: getrusage(2)."""

APP = """\
import _socket, _thread, os

version = open("VERSION").read().strip()
said = b'{"version": "v%s", "environment": "%s"}' % (version.encode(), os.environ["ENVIRONMENT"].encode())
reply = b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(said), said)


def answer(caller):
    caller = _socket.socket(fileno=caller)
    if caller.recv(4096):
        caller.sendall(reply)
    caller.close()


door = _socket.socket()
door.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
door.bind(("127.0.0.1", int(os.environ["PORT"])))
door.listen(64)
while True:
    _thread.start_new_thread(answer, door._accept()[:1])
"""
CONFIGURATION = """\
app = "fleet"
pipeline = ["staging", "tenants"]

[aws]
region = "eu-west-1"
account = "123456789012"

[build]
engine = "bundle"
command = ["python", "-I", "-S", "app.py"]

[environments.staging]
{environments}
[groups]
tenants = {names}

[verify]
matches = 1

[rollout]
canary = {canary}
parallel = {parallel}
"""
CHANGELOG = """\
# Changelog

## [Unreleased]

### Added

- Something that tenants had asked for

## [0.1.0] - 2026-01-01

### Added

- Everything
"""
FILES = {
    "VERSION": "0.1.0\n",
    "CHANGELOG.md": CHANGELOG,
    "Dockerfile": "FROM scratch\n",
    "app.py": APP,
    "tasks.py": libraries.CONFIGURATIONS["tasks.py"],
}


@frozen(kw_only=True)
class Run:
    """What a command cost.

    Attributes:
        seconds: from its start to its end.
        processor: seconds of processors that it used.
        megabytes: of memory that it had at its peak.
    """

    seconds: float
    processor: float
    megabytes: float


@frozen(kw_only=True)
class Fleet:
    """Where commands are typed.

    Attributes:
        clone: the app's repository.
        environ: every variable that they see.
        endpoint_url: where the local cloud answers.
        program: our `inv`.
    """

    clone: Path
    environ: Mapping[str, str]
    endpoint_url: str
    program: str

    def inv(self, *words: str) -> str:
        """Type `inv …`, and return what it says.

        Raises:
            RuntimeError: it failed.
        """
        said = subprocess.run(
            [self.program, *words], cwd=self.clone, env=self.environ, capture_output=True, text=True, check=False
        )
        if said.returncode:
            raise RuntimeError(f"inv {' '.join(words)} exits {said.returncode}\n{said.stdout}{said.stderr}")
        return said.stdout

    def measured(self, *words: str) -> Run:
        """Type `inv …`, and return what it cost.

        Raises:
            RuntimeError: it failed, so that its time says nothing.
        """
        with tempfile.TemporaryFile() as said:
            began = time.perf_counter()
            process = subprocess.Popen(
                [self.program, *words], cwd=self.clone, env=self.environ, stdout=said, stderr=said
            )
            _, code, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(code)
            if process.returncode:
                said.seek(0)
                raise RuntimeError(f"inv {' '.join(words)} exits {process.returncode}\n{said.read().decode()}")
        return Run(seconds=seconds, processor=used.ru_utime + used.ru_stime, megabytes=used.ru_maxrss * MAXRSS / 1e6)

    def release(self, text: str) -> None:
        """Note a change and release it to staging."""
        self.inv("changelog.add", "--type", "fixed", "--text", text)
        subprocess.run(("git", "commit", "--quiet", "--all", "--message", text), cwd=self.clone, check=True)
        self.inv("release-staging")

    def delay(self, seconds: float) -> None:
        """Have the local cloud answer every call of an API, from now on, this much later."""
        fault = {"do": {"latency": seconds}, "times": 100_000}
        wanted = urllib.request.Request(f"{self.endpoint_url}/_kaizen/faults", json.dumps(fault).encode())
        urllib.request.urlopen(wanted).close()

    def status(self) -> dict[str, Any]:
        """Return what `status --json` says of each environment."""
        found: dict[str, Any] = json.loads(self.inv("status", "--json"))["environments"]
        return found


@contextmanager
def established(folder: Path, *, size: int, canary: int, parallel: int, seconds: float) -> Iterator[Fleet]:
    """Make the app, its local cloud and everything in it; the app is released to staging only.

    Args:
        folder: an empty one.
        size: environments beside staging, all in the group `tenants`.
        canary: of the rollout's rules.
        parallel: of the rollout's rules.
        seconds: how long a deployment takes, at least.
    """
    clone = _clone(folder, size=size, canary=canary, parallel=parallel)
    with _cloud(folder / "cloud", seconds) as endpoint_url:
        environ = _environ(folder, endpoint_url)
        fleet = Fleet(clone=clone, environ=environ, endpoint_url=endpoint_url, program=inv())
        fleet.inv("local.up", "--state", str(folder / "cloud"))
        fleet.inv("release-staging")
        yield fleet


def _clone(folder: Path, *, size: int, canary: int, parallel: int) -> Path:
    clone, remote = folder / "fleet", folder / "fleet.git"
    clone.mkdir()
    names = [f"tenant{number:03}" for number in range(size)]
    environments = "".join(f"[environments.{name}]\n" for name in names)
    configuration = CONFIGURATION.format(environments=environments, names=names, canary=canary, parallel=parallel)
    for name, content in {**FILES, "kaizen.toml": configuration}.items():
        (clone / name).write_text(content, encoding="utf-8")
    for words in (
        ("init", "--quiet", "--bare", "--initial-branch=main", str(remote)),
        ("init", "--quiet", "--initial-branch=main"),
        ("config", "user.name", "Fleet Team"),
        ("config", "user.email", "team@fleet.example"),
        ("add", "--all"),
        ("commit", "--quiet", "--message", "An app that says its version"),
        ("remote", "add", "origin", str(remote)),
        ("push", "--quiet", "--set-upstream", "origin", "main"),
    ):
        subprocess.run(("git", *words), cwd=clone, env={**os.environ, **libraries.ENVIRON}, check=True)
    return clone


@contextmanager
def _cloud(state: Path, seconds: float) -> Iterator[str]:
    """Run a local cloud and give its address; when this ends, it and what it runs are gone."""
    argv = (sys.executable, "-m", "kaizen_tasks.localcloud", "--state", str(state), "--engine", "process")
    with subprocess.Popen((*argv, "--deploy-seconds", str(seconds)), stdout=subprocess.DEVNULL) as process:
        try:
            yield _address(state, process)
        finally:
            process.terminate()


def _address(state: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            said = json.loads((state / "cloud.json").read_bytes())
        except OSError:
            time.sleep(0.05)
        else:
            return str(said["endpoint_url"])
    raise RuntimeError(f"the local cloud in {state} did not start")


def _environ(folder: Path, endpoint_url: str) -> dict[str, str]:
    return {
        **libraries.ENVIRON,
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
