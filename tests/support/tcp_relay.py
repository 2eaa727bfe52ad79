"""A TCP relay on loopback that counts bytes and cuts connections when a test asks for it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Self

from attrs import define, field

CHUNK = 1 << 16


@define
class Relay:
    """Forwards every connection to one port. Use it as a context manager; it listens on a free port.

    Attributes:
        target: port of the server.
        cuts: each resets one connection after the client has sent that many bytes.
        answer_cuts: each closes one connection after the server has sent that many bytes.
        renames_host: whether the server gets its own port in `Host`: a local cloud answers to no other one.
        sent: bytes that clients have sent.
    """

    target: int
    cuts: list[int] = field(factory=list)
    answer_cuts: list[int] = field(factory=list)
    renames_host: bool = False
    sent: int = 0
    _guard: threading.Lock = field(factory=threading.Lock)
    _listener: socket.socket = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)

    @property
    def port(self) -> int:
        """The port it listens on."""
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # unlike close(), it wakes a thread in accept()
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                for each in (client, server):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._send, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _send(self, client: socket.socket, server: socket.socket) -> None:
        passed = 0
        with contextlib.suppress(OSError), client, server:
            while part := client.recv(CHUNK):
                server.sendall(self._rename_host(part) if self.renames_host else part)
                passed += len(part)
                if self._count(len(part), passed):
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
            server.shutdown(socket.SHUT_RDWR)  # unlike close(), it wakes the thread in recv()

    def _rename_host(self, part: bytes) -> bytes:
        sent, expected = (f"Host: 127.0.0.1:{port}\r\n".encode() for port in (self.port, self.target))
        return part.replace(sent, expected)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while part := server.recv(CHUNK):
                client.sendall(part)
                passed += len(part)
                if self._is_cut(self.answer_cuts, passed):
                    break
            client.shutdown(socket.SHUT_RDWR)

    def _count(self, part: int, passed: int) -> bool:
        """Count bytes; return whether the connection should be cut."""
        with self._guard:
            self.sent += part
        return self._is_cut(self.cuts, passed)

    def _is_cut(self, cuts: list[int], passed: int) -> bool:
        """Return whether a connection should be cut that has passed some bytes on; each cut is made once."""
        with self._guard:
            cut = next((each for each in cuts if each <= passed), None)
            if cut is not None:
                cuts.remove(cut)
            return cut is not None
