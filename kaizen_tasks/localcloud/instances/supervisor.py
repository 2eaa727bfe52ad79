"""Runs one program, and stops it when the local cloud stops it, exits or is killed.

The local cloud holds the other end of this process's standard input. When it is closed, for whatever reason, the
program's process group gets SIGTERM and then SIGKILL. This file is run by its path with `python -I -S`, once for every
instance, so it imports built-in modules only: `contextlib`, `signal`, `threading` and `typing` would take three
quarters of its time.

    supervisor.py GRACE_SECONDS PROGRAM [ARGUMENT ...]
"""

from __future__ import annotations

import _thread
import os
import sys
import time

_COMMAND_NOT_FOUND = 127  # a shell's exit code for a program that it cannot start
_POLL_SECONDS = 0.02
_PR_SET_PDEATHSIG = 1  # prctl(2), linux/prctl.h
_SIGKILL, _SIGTERM = 9, 15  # the same on every POSIX system: kill(1p)


def main(arguments: list[str]) -> int:
    """Run the program, stop it when standard input ends, and return its exit code."""
    grace, *program = arguments
    # The process has one thread, so that any code is safe between fork and exec.
    child = os.fork()
    if child == 0:
        _exec(program)
    _set_process_group(child)
    _thread.start_new_thread(_stop_on_eof, (child, float(grace)))
    _, status = os.waitpid(child, 0)
    _signal_group(child, _SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _set_process_group(child: int) -> None:
    """Move the program to its own group. Parent and child both do, as either may run first."""
    try:
        os.setpgid(child, child)
    except OSError:  # it has called exec already, or has ended
        return


def _exec(program: list[str]) -> None:
    try:
        os.setpgid(0, 0)
        _die_with_parent()
        _close_input()
        os.execvp(program[0], program)  # noqa: S606 - no shell is the point
    except OSError as error:
        os.write(2, f"{program[0]} cannot be run: {error.strerror}\n".encode())
    finally:
        os._exit(_COMMAND_NOT_FOUND)


def _die_with_parent() -> None:
    """Let Linux kill the program if this process is killed; other systems do not support that."""
    if sys.platform != "linux":
        return
    try:  # `ctypes` itself would take a third of this process's time
        from _ctypes import call_function, dlopen, dlsym

        call_function(dlsym(dlopen(None, 0), "prctl"), (_PR_SET_PDEATHSIG, _SIGKILL))  # type: ignore[arg-type]
    except (ImportError, OSError):
        return


def _close_input() -> None:
    devnull = os.open(os.devnull, os.O_RDONLY)
    os.dup2(devnull, 0)


def _stop_on_eof(child: int, grace: float) -> None:
    while os.read(0, 1024):
        pass
    _signal_group(child, _SIGTERM)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    _signal_group(child, _SIGKILL)


def _signal_group(group: int, signal_number: int) -> None:
    try:
        os.killpg(group, signal_number)
    except (ProcessLookupError, PermissionError):  # all its processes have ended
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
