"""An instance as a process of this machine, run from the unpacked image."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from kaizen_tasks.errors import DeployFailed
from kaizen_tasks.localcloud.instances import health, supervisor
from kaizen_tasks.localcloud.instances.rootfs import resolve_in_root, unpack

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from kaizen_tasks.localcloud.instances.spec import InstanceSpec

INSTANCE_VARIABLE = "KAIZEN_LOCALCLOUD_INSTANCE"
_GRACE_SECONDS = 3.0
_PROC = Path("/proc")


class ProcessInstance:
    """A program of the image, kept alive by a keeper.

    Args:
        spec: what to start.
        folder: where to unpack the image; removed when the instance stops.
        port: a free port of this machine: the program is told to listen there.

    Raises:
        KaizenError: the image cannot be unpacked, or names nothing to run.
    """

    def __init__(self, spec: InstanceSpec, folder: Path, port: int) -> None:
        self.port = port
        self._folder = folder
        root = folder / "root"
        unpack(spec.image, root)
        (folder / "tmp").mkdir()
        self._process = start_supervised(
            _command_line(spec, root),
            grace=_GRACE_SECONDS,
            output=spec.output,
            environment=_environment(spec, folder, port),
            working_directory=_make_working_directory(spec.image.working_directory, root),
        )

    def accepts_connections(self, timeout: float) -> bool:
        """Tell whether the program listens on its port."""
        return health.accepts_connections(("127.0.0.1", self.port), timeout)

    def exit_code(self) -> int | None:
        """Return what the program exited with, None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Stop the program's process group and remove its folder."""
        stop_supervised(self._process, _GRACE_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)


def start_supervised(
    program: Sequence[str],
    *,
    grace: float,
    output: Path,
    environment: Mapping[str, str] | None = None,
    working_directory: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program that ends when this process ends, however that happens.

    Args:
        program: what to run.
        grace: seconds between asking the program to stop and making it.
        output: the file that everything printed is appended to.
        environment: the program's variables; this process's own when absent.
        working_directory: where it starts; this process's own when absent.
    """
    arguments = [sys.executable, "-I", "-S", supervisor.__file__, str(grace), *program]
    with output.open("ab") as file:
        return _spawn(arguments, file, environment, working_directory)


def _spawn(
    arguments: list[str], output: IO[bytes], environment: Mapping[str, str] | None, working_directory: Path | None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=working_directory,
        env=environment,
        start_new_session=True,  # an interrupt from the terminal is for the cloud alone
    )


def stop_supervised(process: subprocess.Popen[bytes], grace: float) -> None:
    """Let a kept program end: its keeper stops it as soon as its input ends."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(timeout=grace + 2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def kill_orphans(instance_ids: Collection[str]) -> None:
    """Kill what is left of instances whose keepers were killed too; only Linux can tell what that is."""
    if not instance_ids or not _PROC.is_dir():
        return
    for folder in _PROC.glob("[0-9]*"):
        if _instance_id_of(folder) in instance_ids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(folder.name), signal.SIGKILL)


def _instance_id_of(process: Path) -> str | None:
    """Read from a process's environment of which instance it is."""
    try:
        variables = (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return None
    prefix = f"{INSTANCE_VARIABLE}=".encode()
    return next((line[len(prefix) :].decode() for line in variables if line.startswith(prefix)), None)


def _command_line(spec: InstanceSpec, root: Path) -> list[str]:
    """Name the program and its arguments as this machine sees them."""
    words = (*spec.image.entrypoint, *(spec.arguments or spec.image.command))
    if not words:
        raise DeployFailed("the image names nothing to run", hint="give it a CMD, or the service a StartCommand")
    executable, *arguments = (_host_path(word, root) for word in words)
    if executable in ("python", "python3") and not shutil.which(executable, path=_search_path()):
        executable = sys.executable
    return [executable, *arguments]


def _host_path(word: str, root: Path) -> str:
    """Turn the absolute path of a file in the image into where it was unpacked; keep other words."""
    if not word.startswith("/"):
        return word
    path = resolve_in_root(root, word)
    return str(path) if path.is_file() else word


def _make_working_directory(path: str, root: Path) -> Path:
    folder = resolve_in_root(root, path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _environment(spec: InstanceSpec, folder: Path, port: int) -> dict[str, str]:
    """Compose a clean environment: nothing of this machine reaches the program, credentials least of all."""
    return {
        "HOME": str(folder / "root"),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",  # what a program printed must be in its log when it is killed
        **spec.image.environment,
        **spec.variables,
        "PATH": _search_path(),
        "PORT": str(port),
        INSTANCE_VARIABLE: spec.instance_id,
    }


def _search_path() -> str:
    return os.pathsep.join((str(Path(sys.executable).parent), os.defpath))
