"""Apps that answer `/version` in every way but the right one."""

from __future__ import annotations

import contextlib
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HUGE_BYTES = 100 * 1024 * 1024
DRIP_SECONDS = 0.2  # seconds between two bytes


def old_version(app: BaseHTTPRequestHandler) -> None:
    """Answer as the release before."""
    send_body(app, b'{"version": "v0.1.7", "environment": "staging"}')


def previous_version(app: BaseHTTPRequestHandler) -> None:
    """Answer as the release before does in a small world, whatever was deployed."""
    send_body(app, b'{"version": "v0.2.0", "environment": "staging"}')


def another_environment(app: BaseHTTPRequestHandler) -> None:
    """Answer as the right release in the wrong place."""
    send_body(app, b'{"version": "v0.2.0", "environment": "prod"}')


def html_page(app: BaseHTTPRequestHandler) -> None:
    """Answer a page for people, as a proxy does while the app starts."""
    send_body(app, b"<!doctype html><title>v0.2.0</title>", kind="text/html")


def not_utf8(app: BaseHTTPRequestHandler) -> None:
    """Answer bytes that are no text."""
    send_body(app, b"\xff\xfe\x00{}")


def json_list(app: BaseHTTPRequestHandler) -> None:
    """Answer JSON of another shape."""
    send_body(app, b'["v0.2.0", "staging"]')


def deeply_nested_json(app: BaseHTTPRequestHandler) -> None:
    """Answer JSON that is nested deeper than any parser goes."""
    send_body(app, b"[" * 60_000)


def escape_codes(app: BaseHTTPRequestHandler) -> None:
    """Answer what would clear a terminal."""
    send_body(app, b'{"version": "\\u001b[2J\\u001b]0;owned\\u0007v9", "environment": "staging\\nsecond line"}')


def redirect_loop(app: BaseHTTPRequestHandler) -> None:
    """Send whoever asks round and round."""
    app.send_response(302)
    app.send_header("Location", app.path)
    app.send_header("Content-Length", "0")
    app.end_headers()


def server_error(app: BaseHTTPRequestHandler) -> None:
    """Answer that something is wrong with the app."""
    app.send_error(500)


def huge_body(app: BaseHTTPRequestHandler) -> None:
    """Answer 100 MB."""
    app.send_response(200)
    app.send_header("Content-Length", str(HUGE_BYTES))
    app.end_headers()
    for _ in range(HUGE_BYTES // 65536):
        app.wfile.write(b" " * 65536)


def hang_up(app: BaseHTTPRequestHandler) -> None:
    """Hang up without a word."""
    app.close_connection = True


def slow_drip(app: BaseHTTPRequestHandler) -> None:
    """Answer right, and never come to the end of it."""
    app.send_response(200)
    app.send_header("Content-Length", "1000000")
    app.end_headers()
    app.wfile.write(b'{"version": "v0.2.0", "environment": "staging"')
    while True:  # until the client disconnects
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
    """Serve on a free loopback port, and give its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(ConnectionError):
                respond(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

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


def send_body(app: BaseHTTPRequestHandler, body: bytes, kind: str = "application/json") -> None:
    """Answer with a body."""
    app.send_response(200)
    app.send_header("Content-Type", kind)
    app.send_header("Content-Length", str(len(body)))
    app.end_headers()
    app.wfile.write(body)
