"""Servers with every kind of bad response to `/version`."""

from __future__ import annotations

import contextlib
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HUGE_BYTES = 100 * 1024 * 1024
DRIP_SECONDS = 0.2  # seconds between two bytes


def old_version(app: BaseHTTPRequestHandler) -> None:
    """Answer with the demo's previous version."""
    send_body(app, b'{"version": "v0.1.7", "environment": "staging"}')


def previous_version(app: BaseHTTPRequestHandler) -> None:
    """Answer with the previous version of a new app."""
    send_body(app, b'{"version": "v0.2.0", "environment": "staging"}')


def cached_version(app: BaseHTTPRequestHandler) -> None:
    """Answer with the previous version of a new app from a cache, whatever the request says."""
    send_body(app, b'{"version": "v0.2.0", "environment": "staging"}', headers={"Age": "37"})


def another_environment(app: BaseHTTPRequestHandler) -> None:
    """Answer with the right version and the wrong environment."""
    send_body(app, b'{"version": "v0.2.0", "environment": "prod"}')


def html_page(app: BaseHTTPRequestHandler) -> None:
    """Answer with an HTML page, as a proxy does while the app starts."""
    send_body(app, b"<!doctype html><title>v0.2.0</title>", kind="text/html")


def not_utf8(app: BaseHTTPRequestHandler) -> None:
    """Answer with bytes that are not UTF-8."""
    send_body(app, b"\xff\xfe\x00{}")


def json_list(app: BaseHTTPRequestHandler) -> None:
    """Answer with JSON that is not an object."""
    send_body(app, b'["v0.2.0", "staging"]')


def deeply_nested_json(app: BaseHTTPRequestHandler) -> None:
    """Answer with JSON nested deeper than the parser's limit."""
    send_body(app, b"[" * 60_000)


def escape_codes(app: BaseHTTPRequestHandler) -> None:
    """Answer with escape codes that clear a terminal."""
    send_body(app, b'{"version": "\\u001b[2J\\u001b]0;owned\\u0007v9", "environment": "staging\\nsecond line"}')


def redirect_loop(app: BaseHTTPRequestHandler) -> None:
    """Redirect to itself."""
    app.send_response(302)
    app.send_header("Location", app.path)
    app.send_header("Content-Length", "0")
    app.end_headers()


def server_error(app: BaseHTTPRequestHandler) -> None:
    """Answer with HTTP 500."""
    app.send_error(500)


def huge_body(app: BaseHTTPRequestHandler) -> None:
    """Answer with 100 MB."""
    app.send_response(200)
    app.send_header("Content-Length", str(HUGE_BYTES))
    app.end_headers()
    for _ in range(HUGE_BYTES // 65536):
        app.wfile.write(b" " * 65536)


def hang_up(app: BaseHTTPRequestHandler) -> None:
    """Close the connection without an answer."""
    app.close_connection = True


def no_answer(app: BaseHTTPRequestHandler) -> None:
    """Accept the request and never answer; the connection ends with the client."""
    app.rfile.read(1)


def endless_body(app: BaseHTTPRequestHandler) -> None:
    """Answer with a body that has no end."""
    app.send_response(200)
    app.end_headers()
    while True:  # until the client hangs up
        app.wfile.write(b" " * 65536)


def cut_body(app: BaseHTTPRequestHandler) -> None:
    """Announce more than is sent, and close the connection."""
    app.send_response(200)
    app.send_header("Content-Length", "1000")
    app.end_headers()
    app.wfile.write(b"{")
    app.close_connection = True


def slow_drip(app: BaseHTTPRequestHandler) -> None:
    """Start the right answer and never finish it."""
    app.send_response(200)
    app.send_header("Content-Length", "1000000")
    app.end_headers()
    app.wfile.write(b'{"version": "v0.2.0", "environment": "staging"')
    while True:  # until the client hangs up
        app.wfile.write(b" ")
        time.sleep(DRIP_SECONDS)


BAD_RESPONSES = (
    old_version,
    another_environment,
    html_page,
    not_utf8,
    json_list,
    deeply_nested_json,
    escape_codes,
    redirect_loop,
    server_error,
    huge_body,
    hang_up,
    slow_drip,
)


@contextmanager
def serve(respond: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """Serve on a free loopback port; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(ConnectionError):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                respond(self)

        do_POST = do_GET  # noqa: N815 - the name is the base class's

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def send_body(
    app: BaseHTTPRequestHandler, body: bytes, kind: str = "application/json", headers: Mapping[str, str] | None = None
) -> None:
    """Answer with a body."""
    app.send_response(200)
    for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
        app.send_header(name, value)
    app.end_headers()
    app.wfile.write(body)
