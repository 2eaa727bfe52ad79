"""The errors of runs that are stopped from outside: by a signal, or by an output or a file that cannot be written."""

from __future__ import annotations

import atexit
import errno
import io
import os
import sys
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from kaizen_tasks.cli.error_text import text_of_parts
from kaizen_tasks.errors import NOTHING_CHANGED, Cancelled, Interrupted, KaizenError, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

RESUME_HINT = "run the same command again to finish"

ENVIRONMENT_ERRNOS = frozenset(
    (errno.EACCES, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EPERM, errno.EPIPE, errno.EROFS)
)
"""Errors of a full disk, a closed pipe or a file without permission, which no code can prevent."""


def is_environment_error(error: OSError) -> bool:
    """Return whether an error is about this machine, not about the code."""
    return error.errno in ENVIRONMENT_ERRNOS or _lacks_temporary_folder(error)


def _lacks_temporary_folder(error: OSError) -> bool:
    """Return whether `tempfile` has found no folder that it can write to."""
    return isinstance(error, FileNotFoundError) and error.filename is None


@contextmanager
def fresh_start(what: str, *, kept: Path | None) -> Iterator[None]:
    """Tell after an interruption that the command cannot continue.

    Args:
        what: what would be started again: `the demo`.
        kept: the folder that the user wants to keep; None when it is removed.

    Raises:
        Cancelled: in place of KeyboardInterrupt.
    """
    try:
        yield
    except KeyboardInterrupt as interrupt:
        state = f"what it has created is in {kept}" if kept else "everything that it has created is removed"
        hint = f"the same command starts {what} from the beginning" + (" in another --keep folder" if kept else "")
        raise Cancelled("interrupted", state=state, hint=hint) from interrupt


def signal_error(interrupt: KeyboardInterrupt) -> Cancelled:
    """Return the error for Ctrl-C, SIGTERM and SIGHUP."""
    return Cancelled("interrupted", state=_known_state(interrupt), hint=RESUME_HINT)


def output_error(error: OSError, *, read_only: bool) -> KaizenError:
    """Return the error for an output or a file that cannot be written, and leave a stdout that fails unwritten.

    Args:
        error: with the name of the file; without one it is about stdout.
        read_only: whether the command changes nothing.
    """
    state = NOTHING_CHANGED if read_only else _known_state(error)
    if _lacks_temporary_folder(error):
        error_type = Interrupted if state != NOTHING_CHANGED else Refused
        return error_type(f"{error.strerror}", state=state, hint="set TMPDIR to a folder that you can write to")
    if error.filename is None:
        discard_stdout()
    if isinstance(error, BrokenPipeError):
        return Cancelled("interrupted: the output was closed", state=state, hint=RESUME_HINT)
    message = (
        f"cannot write the output: {error.strerror}"
        if error.filename is None
        else f"{error.filename}: {error.strerror}"
    )
    error_type = Refused if state == NOTHING_CHANGED else Interrupted
    return error_type(message, state=state, hint="fix that, then run the same command again")


def _known_state(error: BaseException) -> str:
    """Return what the flows have noted about changes; empty for a command whose changes nobody notes."""
    notes = dict.fromkeys(getattr(error, "__notes__", ()))
    changes = [note for note in notes if note != NOTHING_CHANGED]
    return "; ".join(changes or notes)


def replace_unencodable_output() -> None:
    """Make stdout print a question mark for each character that its encoding lacks, instead of failing.

    An error handler that `PYTHONIOENCODING` chooses stays; stderr escapes such characters already.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in {"strict", "surrogateescape"}:
        sys.stdout.reconfigure(errors="replace")


@cache  # a namespace may be built several times
def report_failed_output() -> None:
    """Report in one line that lists and help, which Invoke prints, cannot be written; it would end in a traceback."""
    report_other = sys.excepthook

    def report(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if not (isinstance(error, OSError) and error.filename is None and error.errno in ENVIRONMENT_ERRNOS):
            report_other(kind, error, traceback)
            return
        sys.exit(_end_without_stdout(error))

    sys.excepthook = report
    atexit.register(_flush_stdout)


def _flush_stdout() -> None:
    """Flush what is left before Python does, whose message has neither a state nor an exit code of ours."""
    try:
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
    except OSError as error:
        os._exit(_end_without_stdout(error))


def _end_without_stdout(error: OSError) -> int:
    """Say why stdout failed, unless its reader has enough, as in `inv --list | head -1`; return the exit code."""
    discard_stdout()
    if isinstance(error, BrokenPipeError):
        return 0
    sys.stderr.write(f"{text_of_parts((f'cannot write the output: {error.strerror}',))}\n")
    sys.stderr.flush()
    return Refused.exit_code


def discard_stdout() -> None:
    """Silence Python's own last flush of stdout, which would fail once more."""
    if sys.__stdout__ is not None and sys.stdout is sys.__stdout__:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
