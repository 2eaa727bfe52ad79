"""Instances that are processes of this machine, run from the unpacked image."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kaizen_tasks.errors import DeployFailed
from kaizen_tasks.localcloud.instances import health, host_config, own_network
from kaizen_tasks.localcloud.instances.listening import listening_ports
from kaizen_tasks.localcloud.instances.rootfs import resolve_in_root, unpack
from kaizen_tasks.localcloud.instances.supervised import SupervisedProgram

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from kaizen_tasks.localcloud.instances.spec import InstanceSpec

INSTANCE_VARIABLE = "KAIZEN_LOCALCLOUD_INSTANCE"
_TAIL_LINES = 40
_FIRST_SEARCH_SECONDS = 1.0  # most programs listen on their own port by then, and a search reads all of /proc
_SEARCH_SECONDS = 1.0
_ADDRESS_IN_USE = re.compile(
    r"EADDRINUSE|address (is )?already in use|port \d* ?is (already )?(in use|taken)", re.IGNORECASE
)
_PROC = Path("/proc")
_PORT_TAKEN = (
    "[local cloud] another program has the app's port: it is started again in a network of its own, from which it "
    "reaches nothing else. An app that listens on $PORT needs none.\n"
)


class ProcessInstance:
    """A program of an image, run by a supervisor.

    It is told its own port as PORT, and by its arguments and variables where they have the port that the image
    exposes. A program that listens on another port is found there. If it ends because another one has that port, it
    is started again in a network of its own.

    Args:
        spec: what to start.
        folder: where to unpack the image; deleted when the instance stops.
        port: a free port of this machine.
        aws: variables with which SDKs find the local cloud.

    Raises:
        KaizenError: the image cannot be unpacked, or has no command.
    """

    may_fail = True

    def __init__(self, spec: InstanceSpec, folder: Path, port: int, aws: Mapping[str, str]) -> None:
        self._spec = spec
        self._aws = aws
        self._own_port = port
        self._found_port = 0
        self._folder = folder
        self._may_move = not spec.runs_once
        self._next_search = 0.0
        root = folder / "root"
        unpack(spec.image, root)
        (folder / "tmp").mkdir()
        self._working_directory = resolve_in_root(root, spec.working_directory or spec.image.working_directory)
        self._working_directory.mkdir(parents=True, exist_ok=True)
        self._command_line = _command_line(spec, root, port)
        self._program = self._start()

    @property
    def port(self) -> int:
        """The port on which the program listens; its own until it listens on another one."""
        return self._found_port or self._own_port

    def accepts_connections(self, timeout: float) -> bool:
        """Return whether the program listens."""
        if health.accepts_connections(("127.0.0.1", self.port), timeout):
            return True
        ports = self._search_ports()
        if not ports or self._own_port in ports:
            return False
        self._found_port = self._spec.port if self._spec.port in ports else min(ports)
        return health.accepts_connections(("127.0.0.1", self._found_port), timeout)

    def _search_ports(self) -> frozenset[int]:
        """Return the ports on which the program listens, looked up once a second; none in between."""
        now = time.monotonic()
        if now < self._next_search:
            return frozenset()
        self._next_search = now + _SEARCH_SECONDS
        return listening_ports(self._program.session)

    def exit_code(self) -> int | None:
        """Return the program's exit code; None while it runs."""
        code = self._program.exit_code()
        if code is None or self._found_port or not self._may_move or not self._has_found_port_taken():
            return code
        self._may_move = False
        self._program.stop()
        with self._spec.output.open("a", encoding="utf-8") as output:
            output.write(_PORT_TAKEN)
        self._program = self._start(sys.executable, "-I", own_network.__file__, str(self._own_port))
        return None

    def stop(self) -> None:
        """Stop the program's process group and delete its folder."""
        self._may_move = False
        self._program.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, *prefix: str) -> SupervisedProgram:
        self._next_search = time.monotonic() + _FIRST_SEARCH_SECONDS
        return SupervisedProgram(
            (*prefix, *self._command_line),
            grace=self._spec.stop_seconds,
            output=self._spec.output,
            environment={**self._aws, **_environment(self._spec, self._folder, self._own_port)},
            working_directory=self._working_directory,
        )

    def _has_found_port_taken(self) -> bool:
        """Return whether the program says that its port is in use; where it cannot have its own network, never."""
        return sys.platform == "linux" and any(map(_ADDRESS_IN_USE.search, self._spec.tail(_TAIL_LINES)))


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


def _command_line(spec: InstanceSpec, root: Path, port: int) -> list[str]:
    """Return the program and its arguments, with paths and port of this machine."""
    if not spec.command:
        raise DeployFailed("the image has no command", hint="give it a CMD, or the service a StartCommand")
    localised = (host_config.on_this_machine(word, root) for word in spec.command)
    executable, *arguments = (host_config.with_address(word, spec.port, port) for word in localised)
    search_path = host_config.variables(spec.image, root, image_port=spec.port, port=port)["PATH"]
    if executable in ("python", "python3") and not shutil.which(executable, path=search_path):
        executable = sys.executable
    return [executable, *arguments]


def _environment(spec: InstanceSpec, folder: Path, port: int) -> dict[str, str]:
    """Return the program's environment, without variables of this process that the image does not ask for."""
    return {
        "HOME": str(folder / "root"),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",  # so that the log is complete when the program is killed
        **host_config.variables(spec.image, folder / "root", image_port=spec.port, port=port),
        **spec.variables,
        **({} if spec.runs_once else {"PORT": str(port)}),
        INSTANCE_VARIABLE: spec.instance_id,
    }
