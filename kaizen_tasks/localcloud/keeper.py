"""A process that keeps one program running for as long as the local cloud lives, and not a moment longer.

The local cloud holds the other end of this process's standard input. It ends, for whatever reason, when the
cloud stops the program, exits or is killed: the program's whole process group is then asked to stop, and made
to. This file is run by its path with `python -I -S`, imports the standard library only, and must stay so.

    keeper.py GRACE_SECONDS PROGRAM [ARGUMENT ...]
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_CANNOT_RUN = 127  # what a shell answers for a program that it cannot start
_POLL_SECONDS = 0.02
_PR_SET_PDEATHSIG = 1  # prctl(2), linux/prctl.h


def main(arguments: Sequence[str]) -> int:
    """Start the program, stop it when standard input ends, and exit as it does."""
    grace, *program = arguments
    # The only fork of a process that has one thread: what runs between it and exec is safe.
    child = os.fork()
    if child == 0:
        _become(program)
    with contextlib.suppress(OSError):
        os.setpgid(child, child)  # by both sides, so that neither can be too late
    threading.Thread(target=_stop_with_input, args=(child, float(grace)), daemon=True).start()
    _, status = os.waitpid(child, 0)
    _signal(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _become(program: list[str]) -> None:
    try:
        os.setpgid(0, 0)
        _die_with_parent()
        _close_input()
        os.execvp(program[0], program)  # noqa: S606 - no shell is the point
    except OSError as error:
        os.write(2, f"{program[0]} cannot be run: {error.strerror}\n".encode())
    finally:
        os._exit(_CANNOT_RUN)


def _die_with_parent() -> None:
    """Have Linux kill the program if this keeper is killed; other systems do not offer it."""
    if sys.platform != "linux":
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _close_input() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)


def _stop_with_input(child: int, grace: float) -> None:
    while os.read(0, 1024):
        pass
    _signal(child, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    _signal(child, signal.SIGKILL)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
