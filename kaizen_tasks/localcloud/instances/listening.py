"""The TCP ports on which the processes of a group listen; by /proc, so on Linux only."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_LISTEN = "0A"  # include/net/tcp_states.h
_SOCKET = re.compile(r"socket:\[(\d+)\]")


def listening_ports(session: int) -> frozenset[int]:
    """Return the ports on which the processes of a session listen; none where there is no /proc.

    Args:
        session: the session's identifier, which is the PID of its leader.
    """
    port_by_inode = _listening_sockets()
    if not port_by_inode:
        return frozenset()
    processes = (folder for folder in _PROC.glob("[0-9]*") if _session_of(folder) == session)
    return frozenset(port_by_inode[inode] for folder in processes for inode in _sockets(folder) & {*port_by_inode})


def _listening_sockets() -> dict[str, int]:
    """Return the ports of all sockets that listen, by the socket's inode: proc_pid_net(5)."""
    ports: dict[str, int] = {}
    for name in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTEN:
                ports[fields[9]] = int(fields[1].rpartition(":")[2], 16)
    return ports


def _session_of(process: Path) -> int:
    """Return the session of a process, or 0: proc_pid_stat(5)."""
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[3])
    except (OSError, ValueError, IndexError):
        return 0


def _sockets(process: Path) -> set[str]:
    """Return the inodes of the sockets that a process has open."""
    inodes = set()
    with suppress(OSError):  # it has ended, or is another user's
        for descriptor in (process / "fd").iterdir():
            if match := _SOCKET.match(os.readlink(descriptor)):  # noqa: PTH115 - no path, but a name
                inodes.add(match[1])
    return inodes
