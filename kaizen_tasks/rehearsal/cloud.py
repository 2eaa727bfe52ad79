"""The local cloud as a process: start it, find it, stop it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

from kaizen_tasks.errors import KaizenError, Refused

STATE = "cloud.json"
ACCOUNT = "123456789012"
"""The account that is played where none is configured."""

PATIENCE = 20.0
"""Seconds within which the cloud starts or stops."""

ASK_AGAIN = 1.0
"""Seconds after which a cloud that does not stop is asked again."""


@frozen(kw_only=True)
class Cloud:
    """A local cloud that runs.

    Attributes:
        state: its folder.
        pid: its process.
        endpoint_url: where it answers.
        region: the region it plays.
        account: the account it plays.
    """

    state: Path
    pid: int
    endpoint_url: str
    region: str
    account: str

    @property
    def environ(self) -> dict[str, str]:
        """The variables that point any AWS client, and these tasks, at this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            **dict.fromkeys(("NO_PROXY", "no_proxy"), _unproxied()),
        }


def _unproxied() -> str:
    """Return the hosts that no proxy is asked for, this machine among them; lower case wins in most programs."""
    hosts = os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")
    return ",".join(dict.fromkeys((*filter(None, hosts.split(",")), "127.0.0.1", "localhost")))


def surroundings() -> dict[str, str]:
    """Return this process's variables without those that lead to a real account, or to the locks of a run above."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KAIZEN_"))}


def find(state: Path) -> Cloud | None:
    """Return the cloud that runs on a state folder, or None."""
    try:
        said = json.loads((state / STATE).read_bytes())
        found = Cloud(
            state=state,
            pid=said["pid"],
            endpoint_url=said["endpoint_url"],
            region=said["region"],
            account=said["account"],
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return found if _runs(state) else None


def _runs(state: Path) -> bool:
    """Return whether a cloud holds the folder's lock; a process identifier may be a zombie's, or somebody else's."""
    try:
        with (state / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def start(state: Path, *, region: str, account: str, engine: str = "auto", port: int = 0) -> Cloud:
    """Start a cloud in the background, or return the one that runs on this folder already.

    Args:
        state: its folder; created when missing.
        region: the region to play.
        account: the account to play.
        engine: how deployed images run: `auto`, `docker` or `process`.
        port: where to listen on loopback; 0 picks a free one.

    Raises:
        Refused: the extra `[local]` is not installed.
        KaizenError: it did not come up.
    """
    running = find(state)
    if running is not None:
        return running
    if find_spec("moto") is None:
        raise Refused(
            "the local cloud needs moto, which is not installed",
            state="nothing has been started",
            hint="pip install 'kaizen-tasks[local]'",
        )
    state.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "kaizen_tasks.localcloud", "--state", str(state), "--port", str(port)]
    argv += ["--region", region, "--account", account, "--engine", engine]
    with (state / "output").open("wb") as output:
        process = subprocess.Popen(
            argv, env=surroundings(), stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
        )
    return _wait(state, process)


def _wait(state: Path, process: subprocess.Popen[bytes]) -> Cloud:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and (process.poll() is None or _runs(state)):
        running = find(state)
        if running is not None and (running.pid == process.pid or process.returncode is not None):
            return running  # not what a cloud that was killed has left behind
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise _unstarted(process.returncode, state / "output")


def _unstarted(code: int, output: Path) -> KaizenError:
    """Pass on what the cloud has said in its own three lines; anything else that ends it is in its output."""
    lines = output.read_text(errors="replace").strip().splitlines()
    if code == Refused.exit_code and lines:
        return Refused(f"the local cloud did not start: {lines[0]}", state="nothing has been started", hint=lines[-1])
    return KaizenError(f"the local cloud did not start: {''.join(lines[-1:])}", hint=f"its output is in {output}")


def write_environ(cloud: Cloud, **more: str) -> Path:
    """Write the variables as a file that a shell can source, beside the cloud's state; return its path."""
    path = cloud.state / "environ"
    variables = cloud.environ | more
    exports = (f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    path.write_text("".join(("unset AWS_PROFILE AWS_DEFAULT_PROFILE\n", *exports)), encoding="utf-8")
    return path


def stop(cloud: Cloud) -> None:
    """Stop a cloud and everything it runs; when this returns, another one can start on its folder.

    Raises:
        KaizenError: it did not stop.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError):
            os.kill(cloud.pid, signal.SIGTERM)
        if _is_gone(cloud.state):
            return
    raise KaizenError(f"the local cloud did not stop within {PATIENCE:.0f}s", hint=f"kill {cloud.pid}")


def _is_gone(state: Path) -> bool:
    """Wait for a cloud's end, but not for long.

    A process that begins a thread at the very moment of a signal handles it there, and its main thread sleeps on:
    then it has to be asked again.
    """
    deadline = time.monotonic() + ASK_AGAIN
    while time.monotonic() < deadline:
        if not _runs(state):
            return True
        time.sleep(0.02)
    return False
