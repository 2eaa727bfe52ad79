"""An HTTP server with scripted replies that records its requests."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from attrs import define, field, frozen


@frozen(kw_only=True)
class Reply:
    """A reply; `breaks` closes the connection without one."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(factory=dict)
    breaks: bool = False


@frozen(kw_only=True)
class Request:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def _line(request: Request) -> str:
    return f"{request.method} {request.path}"


@define
class ScriptedServer:
    """Sends the replies to each question in turn, and repeats the last one.

    Use it as a context manager; it listens on a free loopback port.

    Attributes:
        script: replies by question.
        requests: what arrived.
        question: what a request asks: `METHOD /path` unless a test has a better name for it.
        context: for TLS.
    """

    script: dict[str, list[Reply]] = field(factory=dict)
    requests: list[Request] = field(factory=list)
    question: Callable[[Request], str] = _line
    context: ssl.SSLContext | None = None
    _server: ThreadingHTTPServer = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), self)
        if self.context:
            self._server.socket = self.context.wrap_socket(self._server.socket, server_side=True)

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def asked(self, question: str) -> list[Request]:
        """Return the requests with this question."""
        return [request for request in self.requests if self.question(request) == question]

    def reply(self, request: Request) -> Reply:
        self.requests.append(request)
        replies = self.script.get(self.question(request), [Reply(status=404)])
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], owner: ScriptedServer) -> None:
        super().__init__(address, _Handler)
        self.owner = owner

    def handle_error(self, *_: object) -> None:
        """Print nothing when a client disconnects."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            method=self.command,
            path=self.path,
            headers={name.title(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        reply = self.server.owner.reply(request)
        if reply.breaks:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else reply.body)

    # The names are the base class's.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Print nothing."""
