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

STATE_FILE_NAME = "cloud.json"
DEFAULT_ACCOUNT = "123456789012"
"""The account that is played where none is configured."""

START_STOP_TIMEOUT_SECONDS = 20.0
"""Seconds within which the cloud starts or stops."""

SIGNAL_RETRY_SECONDS = 1.0
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
            **dict.fromkeys(("NO_PROXY", "no_proxy"), _no_proxy_hosts()),
        }


def _no_proxy_hosts() -> str:
    """Return the hosts that no proxy is asked for, this machine among them; lower case wins in most programs."""
    hosts = os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")
    return ",".join(dict.fromkeys((*filter(None, hosts.split(",")), "127.0.0.1", "localhost")))


def clean_environ() -> dict[str, str]:
    """Return this process's variables without those that lead to a real account, or to the locks of a run above."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KAIZEN_"))}


def find_cloud(state: Path) -> Cloud | None:
    """Return the cloud that runs on a state folder, or None."""
    try:
        record = json.loads((state / STATE_FILE_NAME).read_bytes())
        cloud = Cloud(
            state=state,
            pid=record["pid"],
            endpoint_url=record["endpoint_url"],
            region=record["region"],
            account=record["account"],
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return cloud if _is_running(state) else None


def _is_running(state: Path) -> bool:
    """Return whether a cloud holds the folder's lock; a process identifier may be a zombie's, or somebody else's."""
    try:
        with (state / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def start_cloud(state: Path, *, region: str, account: str, engine: str = "auto", port: int = 0) -> Cloud:
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
    cloud = find_cloud(state)
    if cloud is not None:
        return cloud
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
            argv, env=clean_environ(), stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
        )
    return _wait_until_running(state, process)


def _wait_until_running(state: Path, process: subprocess.Popen[bytes]) -> Cloud:
    deadline = time.monotonic() + START_STOP_TIMEOUT_SECONDS
    while time.monotonic() < deadline and (process.poll() is None or _is_running(state)):
        cloud = find_cloud(state)
        if cloud is not None and (cloud.pid == process.pid or process.returncode is not None):
            return cloud  # not what a cloud that was killed has left behind
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise _start_error(process.returncode, state / "output")


def _start_error(code: int, output: Path) -> KaizenError:
    """Pass on what the cloud has said in its own three lines; anything else that ends it is in its output."""
    lines = output.read_text(errors="replace").strip().splitlines()
    if code == Refused.exit_code and lines:
        return Refused(f"the local cloud did not start: {lines[0]}", state="nothing has been started", hint=lines[-1])
    return KaizenError(f"the local cloud did not start: {''.join(lines[-1:])}", hint=f"its output is in {output}")


def write_env_file(cloud: Cloud, **extra: str) -> Path:
    """Write the variables as a file that a shell can source, beside the cloud's state; return its path."""
    path = cloud.state / "environ"
    variables = cloud.environ | extra
    exports = (f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    path.write_text("".join(("unset AWS_PROFILE AWS_DEFAULT_PROFILE\n", *exports)), encoding="utf-8")
    return path


def stop_cloud(cloud: Cloud) -> None:
    """Stop a cloud and everything it runs; when this returns, another one can start on its folder.

    Raises:
        KaizenError: it did not stop.
    """
    deadline = time.monotonic() + START_STOP_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError):
            os.kill(cloud.pid, signal.SIGTERM)
        if _wait_for_exit(cloud.state):
            return
    raise KaizenError(
        f"the local cloud did not stop within {START_STOP_TIMEOUT_SECONDS:.0f}s", hint=f"kill {cloud.pid}"
    )


def _wait_for_exit(state: Path) -> bool:
    """Wait for a cloud's end, but not for long.

    A process that begins a thread at the very moment of a signal handles it there, and its main thread sleeps on:
    then it has to be asked again.
    """
    deadline = time.monotonic() + SIGNAL_RETRY_SECONDS
    while time.monotonic() < deadline:
        if not _is_running(state):
            return True
        time.sleep(0.02)
    return False
