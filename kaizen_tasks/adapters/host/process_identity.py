"""Which process this is, and whether another one of this machine lives; only Linux tells it well enough.

proc(5) is the source: the boot and the namespace say which table of processes is meant, and the time at which a process
began tells it from a later one with the same number.
"""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen

PROC = Path("/proc")
ENDED_STATES = frozenset("ZX")
"""States of a process that runs no more: nobody has asked for its exit code yet, or somebody just has."""


@frozen
class ProcessIdentity:
    """A process, told from every other one there ever was.

    Attributes:
        boot_id: of which machine, since when it runs.
        pid_namespace: the table of processes.
        uid: number of the user; those of others may be hidden.
        pid: number of the process.
        start_ticks: clock ticks between the boot and its start.
    """

    boot_id: str
    pid_namespace: str
    uid: str
    pid: str
    start_ticks: str

    def __str__(self) -> str:
        return "/".join((self.boot_id, self.pid_namespace, self.uid, self.pid, self.start_ticks))


def current_process_identity() -> str:
    """Name this process; empty where that cannot be told."""
    try:
        return str(_identity(str(os.getpid())))
    except (OSError, ValueError):
        return ""


def is_dead(identity: str, *, env_marker: str) -> bool:
    """Tell whether a process is gone for certain, and so is everything it has started.

    Args:
        identity: of the process, as `mine` returned it there.
        env_marker: a text in the environment of everything that it started.
    """
    try:
        target, current = ProcessIdentity(*identity.split("/")), _identity(str(os.getpid()))
        is_same_table = (target.boot_id, target.pid_namespace, target.uid) == (
            current.boot_id,
            current.pid_namespace,
            current.uid,
        )
        return is_same_table and not _is_alive(target) and not _is_in_any_environ(env_marker)
    except (OSError, TypeError, ValueError):
        return False


def _identity(pid: str) -> ProcessIdentity:
    return ProcessIdentity(
        boot_id=PROC.joinpath("sys/kernel/random/boot_id").read_text().strip(),
        pid_namespace=str(PROC.joinpath("self/ns/pid").stat().st_ino),
        uid=str(os.getuid()),
        pid=pid,
        start_ticks=_read_stat(pid)[1],
    )


def _is_alive(identity: ProcessIdentity) -> bool:
    try:
        state, start_ticks = _read_stat(identity.pid)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return start_ticks == identity.start_ticks and state not in ENDED_STATES


def _read_stat(pid: str) -> tuple[str, str]:
    """Return fields 3 and 22 of `stat`; the second one may hold anything, up to the last bracket."""
    fields = PROC.joinpath(pid, "stat").read_text(errors="replace").rpartition(")")[2].split()
    return fields[0], fields[19]


def _is_in_any_environ(text: str) -> bool:
    """Look for a text in the environment of every process of this user; those of others did not inherit it."""
    marker = text.encode()
    return any(marker in _read_environ(process_dir / "environ") for process_dir in PROC.glob("[0-9]*"))


def _read_environ(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # it has ended, or is another user's
