"""Programs that are stopped when this process ends, even if it is killed: each has a supervisor, see `supervisor`."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING

from kaizen_tasks.errors import DeployFailed
from kaizen_tasks.localcloud.instances import supervisor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

KILLED = 128 + signal.SIGKILL
"""Exit code of a program whose supervisor was killed, and which was killed with it."""

_START_SECONDS = 60.0
_END_SECONDS = 2.0  # what a supervisor may take for itself
_BUFFER_BYTES = 64


class SupervisedProgram:
    """A program with a supervisor of its own. Safe to use from several threads.

    Args:
        program: the program and its arguments.
        grace: seconds between SIGTERM and SIGKILL.
        output: the file to which stdout and stderr are appended.
        environment: the program's environment.
        working_directory: the program's working directory.

    Raises:
        DeployFailed: this machine can start no further process.
    """

    def __init__(
        self,
        program: Sequence[str],
        *,
        grace: float,
        output: Path,
        environment: Mapping[str, str],
        working_directory: Path,
    ) -> None:
        self._grace = grace
        self._lock = threading.Lock()
        self._answer = b""
        self._has_ended = False
        self._connection, supervisors_end = socket.socketpair()
        with supervisors_end, output.open("ab") as file:
            _supervisors.fork(supervisors_end.fileno(), file.fileno())
        launch = {
            "program": [*program],
            "environment": {**environment},
            "working_directory": str(working_directory),
            "grace": grace,
        }
        try:
            self._connection.sendall(json.dumps(launch).encode() + b"\n")
            self._receive(lines=1, timeout=_START_SECONDS)
        except OSError:
            self._answer = b""
        if b"\n" not in self._answer:
            self._connection.close()
            raise DeployFailed(f"{program[0]} cannot be run: there is no further process")

    @cached_property
    def session(self) -> int:
        """The session of the program's processes, which is the process identifier of the supervisor."""
        return int(self._answer.split()[0])

    def exit_code(self, *, timeout: float = 0.0) -> int | None:
        """Return the program's exit code; None while it runs, and after `timeout` seconds."""
        with self._lock:
            self._receive(lines=2, timeout=timeout)
            if not self._has_ended:
                return None
            _, *codes = self._answer.split()
            return int(codes[0]) if codes else KILLED

    def stop(self) -> None:
        """Stop the program's process group, and wait until it has ended."""
        with contextlib.suppress(OSError):  # it has ended
            self._connection.shutdown(socket.SHUT_WR)
        if self.exit_code(timeout=self._grace + _END_SECONDS) is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.session, signal.SIGKILL)
            self.exit_code(timeout=_END_SECONDS)
        with self._lock:
            self._has_ended = True
            self._connection.close()

    def _receive(self, *, lines: int, timeout: float) -> None:
        """Read what the supervisor has said, until it is so many lines, it has ended or the time is over."""
        deadline = time.monotonic() + timeout
        while not self._has_ended and self._answer.count(b"\n") < lines:
            self._connection.settimeout(max(0.0, deadline - time.monotonic()))
            try:
                chunk = self._connection.recv(_BUFFER_BYTES)
            except (BlockingIOError, TimeoutError):
                return
            except ConnectionError:
                chunk = b""
            self._answer += chunk
            self._has_ended = not chunk
        self._has_ended |= self._answer.count(b"\n") > 1


class _Supervisors:
    """The process that forks a supervisor for each program; started with the first one, and again if it was killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def fork(self, connection: int, output: int) -> None:
        """Let a supervisor have copies of these descriptors."""
        with self._lock:
            try:
                self._send(connection, output)
            except OSError:
                self._end()
                self._send(connection, output)

    def close(self) -> None:
        """End the process; the supervisors go on until their programs have ended or are stopped."""
        with self._lock:
            self._end()

    def _send(self, connection: int, output: int) -> None:
        if self._requests is None:
            self._start()
        assert self._requests is not None
        socket.send_fds(self._requests, [b"+"], [connection, output])

    def _start(self) -> None:
        self._requests, other_end = socket.socketpair()
        with other_end:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", supervisor.__file__],
                stdin=other_end.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def _end(self) -> None:
        if self._requests is not None and self._process is not None:
            self._requests.close()
            self._process.kill()  # a fork of this process may have the other end too
            self._process.wait()
        self._requests = self._process = None


_supervisors = _Supervisors()
atexit.register(_supervisors.close)
