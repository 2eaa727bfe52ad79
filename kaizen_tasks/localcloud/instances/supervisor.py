"""A process that keeps one program running for as long as the local cloud lives, and not a moment longer.

The local cloud holds the other end of this process's standard input. It ends, for whatever reason, when the
cloud stops the program, exits or is killed: the program's whole process group is then asked to stop, and made
to. This file is run by its path with `python -I -S`, once for every instance. So it imports the standard library only,
and of that only what is built in: `contextlib`, `signal`, `threading` and `typing` would be three quarters of its time.

    keeper.py GRACE_SECONDS PROGRAM [ARGUMENT ...]
"""

from __future__ import annotations

import _thread
import os
import sys
import time

_COMMAND_NOT_FOUND = 127  # what a shell answers for a program that it cannot start
_POLL_SECONDS = 0.02
_PR_SET_PDEATHSIG = 1  # prctl(2), linux/prctl.h
_SIGKILL, _SIGTERM = 9, 15  # the same on every POSIX system: kill(1p)


def main(arguments: list[str]) -> int:
    """Start the program, stop it when standard input ends, and exit as it does."""
    grace, *program = arguments
    # The only fork of a process that has one thread: what runs between it and exec is safe.
    child = os.fork()
    if child == 0:
        _exec(program)
    _set_process_group(child)
    _thread.start_new_thread(_stop_on_eof, (child, float(grace)))
    _, status = os.waitpid(child, 0)
    _signal_group(child, _SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _set_process_group(child: int) -> bool:
    """Put the program into a group of its own; by both sides, so that neither can be too late."""
    try:
        os.setpgid(child, child)
    except OSError:  # it runs already, or has ended
        return False
    return True


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
    """Have Linux kill the program if this keeper is killed; other systems do not offer it."""
    if sys.platform != "linux":
        return
    import ctypes

    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    except (OSError, AttributeError):
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


def _signal_group(group: int, signal_number: int) -> bool:
    """Send a signal; return whether there was anybody left to receive it."""
    try:
        os.killpg(group, signal_number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
