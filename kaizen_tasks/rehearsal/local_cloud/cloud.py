"""Starts, finds and stops the process of the local cloud."""

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
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from attrs import field, frozen

from kaizen_tasks.adapters.console.events import EVENTS_VARIABLE
from kaizen_tasks.adapters.host.extras import install_command
from kaizen_tasks.adapters.host.job_page import PAGE_VARIABLES
from kaizen_tasks.adapters.host.program_path import typeable
from kaizen_tasks.domain.forge import TOKEN_VARIABLES
from kaizen_tasks.errors import KaizenError, Refused

STATE_FILE_NAME = "cloud.json"
STATE_FIELDS = (
    *("pid", "endpoint_url", "region", "account"),
    *("access_key_id", "secret_access_key", "control_token"),
)
"""Members of the state file that make up a `Cloud`."""

ENV_FILE_NAME = "environ"
PROFILES_FILE_NAME = "aws-config"
"""Name of the AWS configuration in a cloud's folder that leads to its accounts; see `profiles.py`."""

DEFAULT_ACCOUNT = "123456789012"
"""Account of the cloud when none is configured."""

DEFAULT_REGION = "eu-west-1"
"""Region of the cloud when none is configured."""

PROFILE_NAMES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
"""Variables that come before the keys of a cloud, so that they must not be set beside those."""

NO_PROXY_NAMES = ("NO_PROXY", "no_proxy")
"""Variables to which a cloud only adds this machine, so that they may stay."""

FOREGROUND_COMMAND = (sys.executable, "-m", "kaizen_tasks.localcloud")
START_STOP_TIMEOUT_SECONDS = 120.0
"""Seconds within which the cloud starts or stops; on a busy machine it has taken twenty."""

SIGNAL_RETRY_SECONDS = 1.0
"""Seconds after which SIGTERM is sent again."""


@frozen(kw_only=True)
class Cloud:
    """A running local cloud.

    Attributes:
        state: the folder with the cloud's state.
        pid: the identifier of the cloud's process.
        endpoint_url: base URL of all its APIs.
        region: the region it emulates.
        account: the account it emulates.
        access_key_id: names the key that its clients sign requests with.
        secret_access_key: that key, which is another one for each state folder.
        control_token: gives access to its control API, by which tests inject faults.
    """

    state: Path
    pid: int
    endpoint_url: str
    region: str
    account: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    control_token: str = field(repr=False)

    @property
    def environ(self) -> dict[str, str]:
        """Variables that point any AWS client, and these tasks, at this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": "",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            **self._profile_variables,
            **dict.fromkeys(NO_PROXY_NAMES, _no_proxy_hosts()),
        }

    @property
    def _profile_variables(self) -> dict[str, str]:
        """Return the variables by which clients find the profiles of this cloud, and none of the user's; often none."""
        path = self.state / PROFILES_FILE_NAME
        variables = {"AWS_CONFIG_FILE": str(path), "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        return variables if self.has_profiles else {}

    @property
    def has_profiles(self) -> bool:
        """Whether its folder has profiles that lead to other accounts."""
        return (self.state / PROFILES_FILE_NAME).exists()

    @property
    def registries(self) -> dict[str, str]:
        """Host and port of each registry, the home's first, by account and region: `210987654321/eu-central-1`."""
        ports = sorted((self.state / "accounts").glob("*/*/port"))
        others = {f"{path.parts[-3]}/{path.parts[-2]}": f"127.0.0.1:{path.read_text()}" for path in ports}
        return {f"{self.account}/{self.region}": urlsplit(self.endpoint_url).netloc, **others}


def _no_proxy_hosts() -> str:
    """Return the value of `no_proxy` plus this machine; like most programs, prefer the lower-case variable."""
    hosts = os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")
    return ",".join(dict.fromkeys((*filter(None, hosts.split(",")), "127.0.0.1", "localhost")))


def clean_environ() -> dict[str, str]:
    """Return this process's variables without those that lead to a real account or page, or to this process's locks.

    Events of the child processes go to the same file as those of this process.
    """
    names = {name for name in os.environ if not name.startswith(("AWS_", "KAIZEN_"))} - {
        *TOKEN_VARIABLES,
        *PAGE_VARIABLES,
    }
    environ = {name: os.environ[name] for name in names}
    if events := os.environ.get(EVENTS_VARIABLE):
        environ[EVENTS_VARIABLE] = str(Path(events).absolute())
    return environ


def find_cloud(state: Path) -> Cloud | None:
    """Return the cloud that runs on a state folder, or None."""
    try:
        record = json.loads((state / STATE_FILE_NAME).read_bytes())
        cloud = Cloud(state=state, **{name: record[name] for name in STATE_FIELDS})
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return cloud if _is_running(state) and _holder(state) in (None, cloud.pid) else None


def _holder(state: Path) -> int | None:
    """Return the PID that the process with the folder's lock has written into it; None if it is of an older version."""
    try:
        return int((state / "lock").read_text())
    except (OSError, ValueError):
        return None


def check_no_cloud(state: Path) -> None:
    """Make sure that no cloud runs on a folder, also none that `find_cloud` cannot describe.

    Raises:
        KaizenError: one does.
    """
    if _is_running(state):
        message = f"a local cloud is running on {state}, but {STATE_FILE_NAME} does not describe it"
        hint = f"if it has not just been started: kill {_holder(state) or 'its process'}"
        raise KaizenError(message, state="it has not been stopped", hint=hint)


def _is_running(state: Path) -> bool:
    """Return whether a cloud holds the folder's lock; its PID may be that of a zombie or have been reused."""
    try:
        with (state / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def require_installed() -> None:
    """Make sure that what the local cloud needs is installed.

    Raises:
        Refused: the extra `[local]` is not installed.
    """
    if find_spec("moto") is None:
        message = "the local cloud needs the extra [local] of kaizen-tasks, which is not installed"
        raise Refused(message, state="nothing has been started", hint=install_command("local"))


def start_cloud(state: Path, *, region: str, account: str, engine: str = "auto", port: int = 0) -> Cloud:
    """Start a cloud in the background, or return the one that already runs on this folder.

    Args:
        state: the cloud's folder; created when missing.
        region: the region to emulate.
        account: the account to emulate.
        engine: how deployed images run: `auto`, `docker`, `process`, or `none` for stand-ins.
        port: port on loopback; 0 picks a free one.

    Raises:
        Refused: the extra `[local]` is not installed, the port is taken, another cloud runs on the folder, or nothing
            can be written there.
        KaizenError: the cloud did not start.
    """
    if (cloud := find_cloud(state)) is not None:
        _require_same_cloud(cloud, region=region, account=account, port=port)
        return cloud
    require_installed()
    output_file = _open_output(state)
    argv = [*FOREGROUND_COMMAND, "--state", str(state), "--port", str(port)]
    argv += ["--region", region, "--account", account, "--engine", engine]
    with output_file as output:
        process = subprocess.Popen(
            argv, env=clean_environ(), stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
        )
    return _wait_until_running(state, process)


def _open_output(state: Path) -> BinaryIO:
    """Open the file for what a cloud prints, in its folder, which is created when missing."""
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        return open_private(state / "output")
    except OSError as error:
        message = f"the local cloud's folder cannot be written: {error.filename}: {error.strerror}"
        hint = "name a folder that you can write to: inv local.up --state FOLDER"
        raise Refused(message, state="nothing has been started", hint=hint) from error


def _require_same_cloud(cloud: Cloud, *, region: str, account: str, port: int) -> None:
    """Refuse to take a running cloud for one with another region, account or port."""
    wanted = {"region": region, "account": account}
    differences = [f"{name} {getattr(cloud, name)}" for name, value in wanted.items() if getattr(cloud, name) != value]
    if port and urlsplit(cloud.endpoint_url).port != port:
        differences.append(f"port {urlsplit(cloud.endpoint_url).port}")
    if differences:
        raise Refused(
            f"another local cloud is running on {cloud.state}, with {', '.join(differences)}",
            state="no second one has been started",
            hint=f"{stop_command(cloud.state)}  # or choose another --state",
        )


def stop_command(state: Path) -> str:
    """Return the command that stops the cloud on a folder, wherever it is typed."""
    return f"kaizen local.down --state {shlex.quote(str(state))}"


def _wait_until_running(state: Path, process: subprocess.Popen[bytes]) -> Cloud:
    deadline = time.monotonic() + START_STOP_TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        cloud = find_cloud(state)
        if cloud is not None and cloud.pid == process.pid:
            return cloud  # another PID is in a file that a killed cloud left behind
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise _start_error(process.returncode, state / "output")


def _start_error(code: int, output: Path) -> KaizenError:
    """Return the cloud's own refusal, or an error with the end of its output: the file may be removed."""
    lines = output.read_text(errors="replace").strip().splitlines()
    if code == Refused.exit_code and lines:
        return Refused(f"the local cloud did not start: {lines[0]}", state="nothing has been started", hint=lines[-1])
    return KaizenError(
        f"the local cloud did not start: {''.join(lines[-1:])}",
        state=f"before that: {' | '.join(map(str.strip, lines[-4:-1]))}" if lines[-4:-1] else "",
        hint=f"to see all of its output: {shlex.join(FOREGROUND_COMMAND)} --state $(mktemp -d)",
    )


def point_at(cloud: Cloud) -> None:
    """Let this process be a client of a cloud."""
    for name in PROFILE_NAMES:
        os.environ.pop(name, None)
    os.environ.update(cloud.environ)


def write_env_file(cloud: Cloud, **extra: str) -> Path:
    """Write the cloud's variables to a file in its folder that a shell can source; return the file's path.

    Settings of these tasks that an earlier file has are kept, such as the engine that a demo was started with.
    """
    path = cloud.state / ENV_FILE_NAME
    variables = own_variables(cloud) | extra | cloud.environ
    exports = (f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    with open_private(path) as file:
        file.write("".join((f"unset {' '.join(PROFILE_NAMES)}\n", *exports)).encode())
    return path


def own_variables(cloud: Cloud) -> dict[str, str]:
    """Return the settings of these tasks in a cloud's environment file: `INVOKE_BUILD_ENGINE` and the like."""
    variables = read_env_file(cloud.state / ENV_FILE_NAME)
    return {name: value for name, value in variables.items() if name.startswith("INVOKE_")}


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables of a file that `write_env_file` has written; none if there is no such file."""
    try:
        words = shlex.split(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: value for name, equals, value in (word.partition("=") for word in words) if equals}


def unset_command(state: Path, environ: Mapping[str, str]) -> str:
    """Return the command that unsets what points a shell at a cloud; empty if the shell does not point at it.

    Args:
        state: the cloud's folder.
        environ: the variables of the shell.
    """
    variables = read_env_file(state / ENV_FILE_NAME)
    if environ.get("AWS_ENDPOINT_URL") != variables.get("AWS_ENDPOINT_URL"):
        return ""
    # The values of our own variables may have been rewritten since: see `config.env_overrides`.
    is_set = {name for name, value in variables.items() if environ.get(name) == value or name.startswith("INVOKE_")}
    names = [name for name in variables if name in is_set and name in environ and name not in NO_PROXY_NAMES]
    return f"unset {' '.join(names)}" if names else ""


def open_private(path: Path) -> BinaryIO:
    """Open a new file that only its owner can read, in place of an earlier one."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def next_steps(clone: Path, env_file: Path, *commands: str) -> str:
    """Return a text: how to continue by hand in a scratch clone whose cloud keeps running, how to stop the cloud.

    Args:
        clone: the app's folder.
        env_file: see `write_env_file`.
        commands: examples of what to type next.
    """
    preparation = f"cd {shlex.quote(str(clone))} && . {shlex.quote(str(env_file))}"
    continuation = "\n  ".join(("Everything keeps running. To go on by hand:", preparation, *commands))
    return typeable(f"{continuation}\nTo stop it:\n  {stop_command(env_file.parent)}", anywhere=True)


def stop_cloud(cloud: Cloud) -> None:
    """Stop a cloud and everything it runs, so that another one can start on its folder.

    Raises:
        KaizenError: the cloud did not stop.
    """
    deadline = time.monotonic() + START_STOP_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError):
            _terminate(cloud)
        if _wait_for_exit(cloud.state):
            return
    message = f"the local cloud did not stop within {START_STOP_TIMEOUT_SECONDS:.0f}s"
    raise KaizenError(message, hint=f"kill {cloud.pid}")


def _terminate(cloud: Cloud) -> None:
    """Signal a cloud, but never another process that has got its PID: the folder is locked after the PID was looked up.

    Raises:
        ProcessLookupError: there is no process with this PID.
    """
    if sys.platform != "linux":
        if _is_running(cloud.state):
            os.kill(cloud.pid, signal.SIGTERM)
        return
    descriptor = os.pidfd_open(cloud.pid)
    try:
        if _is_running(cloud.state):
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
    finally:
        os.close(descriptor)


def _wait_for_exit(state: Path) -> bool:
    """Wait up to `SIGNAL_RETRY_SECONDS` for a cloud to end; return whether it has ended.

    If not, signal again: a signal that arrives while a thread starts does not wake the main thread.
    """
    deadline = time.monotonic() + SIGNAL_RETRY_SECONDS
    while time.monotonic() < deadline:
        if not _is_running(state):
            return True
        time.sleep(0.02)
    return False
