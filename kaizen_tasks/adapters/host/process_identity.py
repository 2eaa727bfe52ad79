"""Which process this is, and whether another one of this machine lives; only Linux tells it well enough.

proc(5) is the source: the boot and the namespace say which table of processes is meant, and the time at which a process
began tells it from a later one with the same number.
"""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen

PROC = Path("/proc")
GONE = frozenset("ZX")
"""States of a process that runs no more: nobody has asked for its exit code yet, or somebody just has."""


@frozen
class Life:
    """A process, told from every other one there ever was.

    Attributes:
        boot: of which machine, since when it runs.
        namespace: the table of processes.
        user: number of the user; those of others may be hidden.
        pid: number of the process.
        began: clock ticks between the boot and its start.
    """

    boot: str
    namespace: str
    user: str
    pid: str
    began: str

    def __str__(self) -> str:
        return "/".join((self.boot, self.namespace, self.user, self.pid, self.began))


def mine() -> str:
    """Name this process; empty where that cannot be told."""
    try:
        return str(_life(str(os.getpid())))
    except (OSError, ValueError):
        return ""


def has_ended(name: str, *, bearing: str) -> bool:
    """Tell whether a process is gone for certain, and so is everything it has started.

    Args:
        name: of the process, as `mine` returned it there.
        bearing: a text in the environment of everything that it started.
    """
    try:
        there, here = Life(*name.split("/")), _life(str(os.getpid()))
        same_table = (there.boot, there.namespace, there.user) == (here.boot, here.namespace, here.user)
        return same_table and not _lives(there) and not _is_borne(bearing)
    except (OSError, TypeError, ValueError):
        return False


def _life(pid: str) -> Life:
    return Life(
        boot=PROC.joinpath("sys/kernel/random/boot_id").read_text().strip(),
        namespace=str(PROC.joinpath("self/ns/pid").stat().st_ino),
        user=str(os.getuid()),
        pid=pid,
        began=_state(pid)[1],
    )


def _lives(life: Life) -> bool:
    try:
        state, began = _state(life.pid)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return began == life.began and state not in GONE


def _state(pid: str) -> tuple[str, str]:
    """Return fields 3 and 22 of `stat`; the second one may hold anything, up to the last bracket."""
    fields = PROC.joinpath(pid, "stat").read_text(errors="replace").rpartition(")")[2].split()
    return fields[0], fields[19]


def _is_borne(text: str) -> bool:
    """Look for a text in the environment of every process of this user; those of others did not inherit it."""
    wanted = text.encode()
    return any(wanted in _environment(each / "environ") for each in PROC.glob("[0-9]*"))


def _environment(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # it has ended, or is another user's
