"""Identifies processes across reboots, containers and reused numbers, and detects ended ones. Linux only: proc(5)."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen

PROC = Path("/proc")
ENDED_STATES = frozenset("ZX")  # states of a process that has ended: zombie and dead
STOPPED_STATES = frozenset("Tt")


@frozen
class ProcessIdentity:
    """A unique identity of a process.

    Attributes:
        boot_id: identifier of the machine's current boot.
        pid_namespace: inode of the PID namespace.
        uid: the user's number; processes of other users may be hidden.
        pid: number of the process.
        start_ticks: clock ticks from the boot to the start of the process.
    """

    boot_id: str
    pid_namespace: str
    uid: str
    pid: str
    start_ticks: str

    @property
    def table(self) -> tuple[str, ...]:
        """The parts that identify the process table in which this user's processes are visible."""
        return self.boot_id, self.pid_namespace, self.uid

    def __str__(self) -> str:
        return "/".join((*self.table, self.pid, self.start_ticks))


def current_process_identity() -> str:
    """Return this process's identity as text, or an empty string where proc(5) is missing."""
    try:
        return str(_identity(str(os.getpid())))
    except (OSError, ValueError):
        return ""


def is_dead(identity: str, *, env_marker: str) -> bool:
    """Return whether a process and all programs that it started have certainly ended.

    Args:
        identity: what `current_process_identity` returned in the process.
        env_marker: a text in the environment of all programs that the process started.
    """
    try:
        target, current = ProcessIdentity(*identity.split("/")), _identity(str(os.getpid()))
        is_same_table = target.table == current.table
        return is_same_table and not _is_alive(target) and not _is_in_any_environ(env_marker)
    except (OSError, TypeError, ValueError):
        return False


def is_running(identity: str) -> bool:
    """Return whether another process certainly runs on this machine; False for one that is stopped.

    Args:
        identity: what `current_process_identity` returned in the process.
    """
    try:
        target, current = ProcessIdentity(*identity.split("/")), _identity(str(os.getpid()))
        is_other_here = target.table == current.table and target != current
        return is_other_here and _is_alive(target, excluded_states=ENDED_STATES | STOPPED_STATES)
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


def _is_alive(identity: ProcessIdentity, *, excluded_states: frozenset[str] = ENDED_STATES) -> bool:
    try:
        state, start_ticks = _read_stat(identity.pid)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return start_ticks == identity.start_ticks and state not in excluded_states


def _read_stat(pid: str) -> tuple[str, str]:
    """Return a process's state and start time, fields 3 and 22 of `stat`; field 2 may contain spaces and brackets."""
    fields = PROC.joinpath(pid, "stat").read_text(errors="replace").rpartition(")")[2].split()
    return fields[0], fields[19]


def _is_in_any_environ(text: str) -> bool:
    """Return whether a text occurs in the environment of any process of this user."""
    marker = text.encode()
    return any(marker in _read_environ(process_dir / "environ") for process_dir in PROC.glob("[0-9]*"))


def _read_environ(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # it has ended, or belongs to another user
