"""Serves one page on a port of loopback, to browsers of this machine alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from attrs import frozen

from kaizen_tasks.errors import NOTHING_CHANGED, Refused

LOOPBACK = "127.0.0.1"
HOST_NAMES = (LOOPBACK, "localhost")
"""The names that a request may give this server. A page of another site, whose name its owner lets point here (DNS
rebinding), sends the name of its own site."""

HTTP_PORT = 80
REQUEST_TIMEOUT_SECONDS = 30
"""How long a client may take to send its request."""

HTML, JSON = "text/html; charset=utf-8", "application/json"
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",  # the rest is in the page, where it counts for files too
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@frozen(kw_only=True)
class LivePage:
    """A page as it was read last.

    Attributes:
        html: the whole document.
        number: another one for each page.
        at: when it was read: `12:00:05 UTC`.
        error: why there is no newer one; empty when there is no reason.
    """

    html: str
    number: int
    at: str
    error: str


class PageServer(ThreadingHTTPServer):
    """A server of one page: `/` is the page, `/live?after=NUMBER` says as JSON whether there is a newer one.

    Args:
        port: the port; 0 for any free one.
        read: returns the newest page; called by several threads.

    Raises:
        Refused: the port cannot be opened.
    """

    allow_reuse_port = False  # or two commands would share the port, and answer in turn
    daemon_threads = True

    def __init__(self, port: int, read: Callable[[], LivePage]) -> None:
        try:
            super().__init__((LOOPBACK, port), partial(_Handler, read))
        except OSError as error:
            raise Refused(
                f"--port {port}: cannot be opened on {LOOPBACK}: {error.strerror}",
                state=NOTHING_CHANGED,
                hint="to take a free one: inv dashboard --serve --port 0",
            ) from error

    def server_bind(self) -> None:
        """Bind the socket, without asking DNS for a name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the traceback of an error, except of a browser that has closed its connection."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{LOOPBACK}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD."""

    server: PageServer
    server_version, sys_version = "kaizen", ""
    timeout = REQUEST_TIMEOUT_SECONDS

    def __init__(self, read: Callable[[], LivePage], *arguments: object) -> None:
        self._read = read
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Send the page, or whether there is a newer one."""
        path, _, query = self.path.partition("?")
        if not self._is_for_us:
            self._send(HTTPStatus.MISDIRECTED_REQUEST)
        elif self.headers.get("Sec-Fetch-Site") == "cross-site" and self.headers.get("Sec-Fetch-Mode") != "navigate":
            self._send(HTTPStatus.FORBIDDEN)  # an image on a page of another site would make us ask AWS
        elif path == "/":
            self._send(HTTPStatus.OK, self._read().html, HTML)
        elif path == "/live":
            page = self._read()
            html = None if query == f"after={page.number}" else page.html
            document = {"number": page.number, "at": page.at, "error": page.error, "html": html}
            self._send(HTTPStatus.OK, json.dumps(document), JSON)
        else:
            self._send(HTTPStatus.NOT_FOUND)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Return what answers another method: HEAD is GET without the content, and everything else is refused."""
        if name == "do_HEAD":
            return self.do_GET
        if not name.startswith("do_"):
            raise AttributeError(name)
        return partial(self._send, HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"})

    @property
    def _is_for_us(self) -> bool:
        """Whether the request names this server as its host."""
        port = self.server.server_port
        names = {f"{name}:{port}" for name in HOST_NAMES} | (set(HOST_NAMES) if port == HTTP_PORT else set())
        hosts = self.headers.get_all("Host") or []
        return len(hosts) == 1 and hosts[0] in names

    def _send(
        self, status: HTTPStatus, text: str = "", kind: str = "text/plain", headers: Mapping[str, str] | None = None
    ) -> None:
        content = (text or f"{status.phrase}\n").encode()
        self.send_response(status)
        for name, value in {**HEADERS, **(headers or {}), "Content-Type": kind}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Print nothing."""
