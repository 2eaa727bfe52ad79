"""An HTTP proxy on loopback that asks for a password, opens tunnels with CONNECT, and forwards to http:// URLs."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Self
from urllib.parse import quote

from attrs import define, field

CHUNK = 1 << 16
USERNAME, PASSWORD = "ada", "p@ss w/rd:%"


@define
class ConnectProxy:
    """A proxy. Use it as a context manager; it listens on a free port.

    Attributes:
        hosts: the port on this machine of each `host:port` that it connects to; it answers 502 for others.
        context: for a proxy that speaks TLS itself.
        password: the password that it asks for.
        refusal: a status line with which it answers every request, such as `403 Forbidden`.
        requests: the first line of each request that brought the password, or needed none.
    """

    hosts: Mapping[str, int]
    context: ssl.SSLContext | None = None
    password: str = PASSWORD
    refusal: str = ""
    requests: list[str] = field(factory=list)
    _listener: socket.socket = field(init=False)
    _port: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._port = self._listener.getsockname()[1]

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The URL with the password, as a variable has it."""
        return f"http://{USERNAME}:{quote(PASSWORD, safe='')}@{self.address}"

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
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, StopIteration), contextlib.ExitStack() as stack:
            if self.context:
                client = self.context.wrap_socket(client, server_side=True)
            stack.enter_context(client)
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(CHUNK) or next(iter(()))
            status, server = self._connect(head)
            if server is None:
                client.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                return
            stack.enter_context(server)
            if head.startswith(b"CONNECT "):
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                server.sendall(_forwarded(head))
            threading.Thread(target=_pump, args=(server, client), daemon=True).start()
            _pump(client, server)

    def _connect(self, head: bytes) -> tuple[str, socket.socket | None]:
        """Return the status of the answer, and a connection to the server unless the proxy refuses."""
        expected = base64.b64encode(f"{USERNAME}:{self.password}".encode())
        if self.password and b"\r\nProxy-Authorization: Basic " + expected + b"\r\n" not in head:
            return "407 Proxy Authentication Required", None
        line = head.partition(b"\r\n")[0].decode()
        self.requests.append(line)
        if self.refusal:
            return self.refusal, None
        match = re.match(r"CONNECT (\S+) |\S+ http://([^/]+)/", line)
        target = (match[1] or match[2]) if match else ""
        port = self.hosts.get(target)
        return ("200", socket.create_connection(("127.0.0.1", port))) if port else ("502 Bad Gateway", None)


def _forwarded(head: bytes) -> bytes:
    """Return a request as a proxy forwards it: with a path as its target, and without the password."""
    path = re.sub(rb"^(\S+) http://[^/]+/", rb"\1 /", head, count=1)
    return re.sub(rb"\r\nProxy-Authorization: [^\r]*", b"", path)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(CHUNK):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
