"""Instances that are processes of this machine, run from the unpacked image."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

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
    """A program of an image, run by a supervisor.

    Args:
        spec: what to start.
        folder: where to unpack the image; deleted when the instance stops.
        port: a free port of this machine, which the program gets as PORT.

    Raises:
        KaizenError: the image cannot be unpacked, or has no command.
    """

    may_fail = True

    def __init__(self, spec: InstanceSpec, folder: Path, port: int) -> None:
        self.port = port
        self._folder = folder
        root = folder / "root"
        unpack(spec.image, root)
        (folder / "tmp").mkdir()
        working_directory = resolve_in_root(root, spec.image.working_directory)
        working_directory.mkdir(parents=True, exist_ok=True)
        self._process = start_supervised(
            _command_line(spec, root),
            grace=_GRACE_SECONDS,
            output=spec.output,
            environment=_environment(spec, folder, port),
            working_directory=working_directory,
        )

    def accepts_connections(self, timeout: float) -> bool:
        """Return whether the program listens on its port."""
        return health.accepts_connections(("127.0.0.1", self.port), timeout)

    def exit_code(self) -> int | None:
        """Return the program's exit code; None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Stop the program's process group and delete its folder."""
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
    """Start a program that is stopped when this process ends, even if it is killed.

    Args:
        program: the program and its arguments.
        grace: seconds between SIGTERM and SIGKILL.
        output: the file to which stdout and stderr are appended.
        environment: the program's environment; by default this process's own.
        working_directory: the program's working directory; by default this process's own.
    """
    with output.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", supervisor.__file__, str(grace), *program],
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=working_directory,
            env=environment,
            start_new_session=True,  # Ctrl-C in the terminal is for the cloud alone
            umask=0o022,  # as in a container; the cloud's own files are private
        )


def stop_supervised(process: subprocess.Popen[bytes], grace: float) -> None:
    """Stop a supervised program, by ending the standard input of its supervisor."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(timeout=grace + 2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def kill_orphans(instance_ids: Collection[str]) -> None:
    """Kill processes of instances whose supervisors were killed; only on Linux, by /proc."""
    if not instance_ids or not _PROC.is_dir():
        return
    for folder in _PROC.glob("[0-9]*"):
        if _instance_id_of(folder) in instance_ids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(folder.name), signal.SIGKILL)


def _instance_id_of(process: Path) -> str | None:
    """Return the instance that a process belongs to, by its environment."""
    try:
        variables = (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return None
    prefix = f"{INSTANCE_VARIABLE}=".encode()
    return next((line[len(prefix) :].decode() for line in variables if line.startswith(prefix)), None)


def _command_line(spec: InstanceSpec, root: Path) -> list[str]:
    """Return the program and its arguments, with paths of this machine."""
    words = (*spec.image.entrypoint, *(spec.arguments or spec.image.command))
    if not words:
        raise DeployFailed("the image has no command", hint="give it a CMD, or the service a StartCommand")
    executable, *arguments = (_host_path(word, root) for word in words)
    if executable in ("python", "python3") and not shutil.which(executable, path=_search_path()):
        executable = sys.executable
    return [executable, *arguments]


def _host_path(word: str, root: Path) -> str:
    """Convert the absolute path of a file in the image to its unpacked path; keep other arguments."""
    if not word.startswith("/"):
        return word
    path = resolve_in_root(root, word)
    return str(path) if path.is_file() else word


def _environment(spec: InstanceSpec, folder: Path, port: int) -> dict[str, str]:
    """Return the program's environment, without variables of this process, such as credentials."""
    return {
        "HOME": str(folder / "root"),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",  # so that the log is complete when the program is killed
        **spec.image.environment,
        **spec.variables,
        "PATH": _search_path(),
        "PORT": str(port),
        INSTANCE_VARIABLE: spec.instance_id,
    }


def _search_path() -> str:
    return os.pathsep.join((str(Path(sys.executable).parent), os.defpath))
