"""Runs one program in a network of its own, where every port is free, and forwards a port of this machine to it.

For programs that listen on a fixed port which another service has already. They reach nothing but themselves. Linux
only: unshare(2), network_namespaces(7). This file is run by its path.

    own_network.py PORT PROGRAM [ARGUMENT ...]
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
import threading
import time
from pathlib import Path

CANNOT_ISOLATE = 126
"""Exit code when this user may not create a network."""

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000  # sched.h
_SIOCSIFFLAGS, _IFF_UP, _IFF_RUNNING = 0x8914, 0x1, 0x40  # netdevice(7)
_LISTEN = "0A"
_POLL_SECONDS = 0.05
_CHUNK_BYTES = 1 << 16


def main(arguments: list[str]) -> int:
    """Run the program and return its exit code."""
    port, *program = arguments
    with socket.socket() as listener:  # of the network around, although it is used inside
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", int(port)))
        try:
            _enter_own_network()
        except OSError as error:
            sys.stderr.write(f"this machine allows no network of its own for the app: {error.strerror}\n")
            return CANNOT_ISOLATE
        child = os.fork()
        if child == 0:
            _exec(program)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the program, in the same group, has time to end by itself
        threading.Thread(target=_forward_all, args=(listener,), daemon=True).start()
        _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _exec(program: list[str]) -> None:
    try:
        os.execvp(program[0], program)  # noqa: S606 - no shell is the point
    except OSError as error:
        os.write(2, f"{program[0]} cannot be run: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _enter_own_network() -> None:
    """Move this process to a new network with nothing but loopback; users other than root need a user namespace."""
    user, group = os.getuid(), os.getgid()
    flags = _CLONE_NEWNET | (_CLONE_NEWUSER if user else 0)
    if ctypes.CDLL(None, use_errno=True).unshare(flags):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP | _IFF_RUNNING))


def _forward_all(listener: socket.socket) -> None:
    """Wait until the program listens on some port, then listen as well and forward each connection to it."""
    while not _listening_ports():
        time.sleep(_POLL_SECONDS)
    listener.listen(128)
    while True:
        with contextlib.suppress(OSError):
            client, _ = listener.accept()
            threading.Thread(target=_forward, args=(client,), daemon=True).start()


def _listening_ports() -> list[int]:
    """Return the ports that anything in this network listens on, lowest first."""
    ports = set()
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for fields in map(str.split, Path("/proc/self/net", name).read_text().splitlines()[1:]):
                if fields[3] == _LISTEN:
                    ports.add(int(fields[1].rpartition(":")[2], 16))
    return sorted(ports)


def _forward(client: socket.socket) -> None:
    with client, contextlib.suppress(OSError), _connect() as server:
        back = threading.Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        _copy(client, server)
        back.join()


def _connect() -> socket.socket:
    for port in _listening_ports():
        for host in ("127.0.0.1", "::1"):
            with contextlib.suppress(OSError):
                return socket.create_connection((host, port))
    raise ConnectionRefusedError


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := source.recv(_CHUNK_BYTES):
            target.sendall(content)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
