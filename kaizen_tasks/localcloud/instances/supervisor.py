"""Runs programs, and stops each when the local cloud stops it, exits or is killed.

The local cloud runs this file once, by its path with `python -I -S`, and holds the other end of its standard input. For
every program it sends two descriptors: of a connection, and of the file for the output. A fork of this process then
supervises the program, which takes a tenth of the time of another interpreter. It reads from the connection what to
run, and answers with its process identifier and, in the end, the program's exit code. When the connection is closed,
for whatever reason, the program's process group gets SIGTERM and then SIGKILL.
"""

from __future__ import annotations

import _thread
import json
import os
import signal
import socket
import time

try:  # here, so that no fork has to
    from _ctypes import call_function, dlopen, dlsym

    _prctl = dlsym(dlopen(None, 0), "prctl")  # type: ignore[arg-type]
except (ImportError, OSError):
    _prctl = 0

COMMAND_NOT_FOUND = 127  # a shell's exit code for a program that it cannot start
_POLL_SECONDS = 0.02
_PR_SET_PDEATHSIG = 1  # prctl(2), linux/prctl.h


def main() -> None:
    """Fork a supervisor for each pair of descriptors that arrives, until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for supervisors
    requests = socket.socket(fileno=0)
    while True:
        data, descriptors, _, _ = socket.recv_fds(requests, 1, 2)
        if not data:
            return
        _fork_supervisor(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _fork_supervisor(connection: int, output: int) -> None:
    """Start to supervise a program in another process; if there can be none, the connection is closed without a word.

    This process has one thread, so that any code is safe after its fork.
    """
    try:
        if os.fork():
            return
    except OSError:
        return
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()  # Ctrl-C in the terminal is for the cloud alone
        for target, descriptor in enumerate((connection, output, output)):
            os.dup2(descriptor, target)
        os.close(connection)
        os.close(output)
        _supervise(**json.loads(_read_line()))
    finally:
        os._exit(0)


def _read_line() -> bytes:
    content = b""
    while not content.endswith(b"\n") and (chunk := os.read(0, 1 << 16)):
        content += chunk
    return content


def _supervise(*, program: list[str], environment: dict[str, str], working_directory: str, grace: float) -> None:
    """Run a program, stop it when standard input ends, and report its exit code there."""
    _report(os.getpid())
    child = os.fork()  # still with one thread
    if child == 0:
        _exec(program, environment, working_directory)
    _set_process_group(child)
    _thread.start_new_thread(_stop_on_eof, (child, grace))
    _, status = os.waitpid(child, 0)
    _signal_group(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    _report(code if code >= 0 else 128 - code)


def _report(number: int) -> None:
    try:
        os.write(0, b"%d\n" % number)
    except OSError:  # the cloud has ended
        return


def _set_process_group(child: int) -> None:
    """Move the program to its own group. Parent and child both do, as either may run first."""
    try:
        os.setpgid(child, child)
    except OSError:  # it has called exec already, or has ended
        return


def _exec(program: list[str], environment: dict[str, str], working_directory: str) -> None:
    try:
        os.setpgid(0, 0)
        _die_with_parent()
        _close_input()
        os.umask(0o022)  # as in a container; the cloud's own files are private
        os.chdir(working_directory)
        os.execvpe(program[0], program, environment)  # noqa: S606 - no shell is the point
    except OSError as error:
        os.write(2, f"{program[0]} cannot be run: {error.strerror}\n".encode())
    finally:
        os._exit(COMMAND_NOT_FOUND)


def _die_with_parent() -> None:
    """Let Linux kill the program if this process is killed; other systems do not support that."""
    if _prctl:
        call_function(_prctl, (_PR_SET_PDEATHSIG, signal.SIGKILL))


def _close_input() -> None:
    devnull = os.open(os.devnull, os.O_RDONLY)
    os.dup2(devnull, 0)
    os.close(devnull)


def _stop_on_eof(child: int, grace: float) -> None:
    while os.read(0, 1024):
        pass
    _signal_group(child, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    _signal_group(child, signal.SIGKILL)


def _signal_group(group: int, signal_number: int) -> None:
    try:
        os.killpg(group, signal_number)
    except (ProcessLookupError, PermissionError):  # all its processes have ended
        return


if __name__ == "__main__":
    main()
