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

HUGE = 100 * 1024 * 1024
DRIP = 0.2  # seconds between two bytes


def old_version(app: BaseHTTPRequestHandler) -> None:
    """Answer as the release before."""
    send(app, b'{"version": "v0.1.7", "environment": "staging"}')


def version_before(app: BaseHTTPRequestHandler) -> None:
    """Answer as the release before does in a small world, whatever was deployed."""
    send(app, b'{"version": "v0.2.0", "environment": "staging"}')


def another_environment(app: BaseHTTPRequestHandler) -> None:
    """Answer as the right release in the wrong place."""
    send(app, b'{"version": "v0.2.0", "environment": "prod"}')


def page(app: BaseHTTPRequestHandler) -> None:
    """Answer a page for people, as a proxy does while the app starts."""
    send(app, b"<!doctype html><title>v0.2.0</title>", kind="text/html")


def not_utf8(app: BaseHTTPRequestHandler) -> None:
    """Answer bytes that are no text."""
    send(app, b"\xff\xfe\x00{}")


def a_list(app: BaseHTTPRequestHandler) -> None:
    """Answer JSON of another shape."""
    send(app, b'["v0.2.0", "staging"]')


def deep(app: BaseHTTPRequestHandler) -> None:
    """Answer JSON that is nested deeper than any parser goes."""
    send(app, b"[" * 60_000)


def escape_codes(app: BaseHTTPRequestHandler) -> None:
    """Answer what would clear a terminal."""
    send(app, b'{"version": "\\u001b[2J\\u001b]0;owned\\u0007v9", "environment": "staging\\nsecond line"}')


def in_circles(app: BaseHTTPRequestHandler) -> None:
    """Send whoever asks round and round."""
    app.send_response(302)
    app.send_header("Location", app.path)
    app.send_header("Content-Length", "0")
    app.end_headers()


def broken(app: BaseHTTPRequestHandler) -> None:
    """Answer that something is wrong with the app."""
    app.send_error(500)


def huge(app: BaseHTTPRequestHandler) -> None:
    """Answer 100 MB."""
    app.send_response(200)
    app.send_header("Content-Length", str(HUGE))
    app.end_headers()
    for _ in range(HUGE // 65536):
        app.wfile.write(b" " * 65536)


def nothing(app: BaseHTTPRequestHandler) -> None:
    """Hang up without a word."""
    app.close_connection = True


def drip(app: BaseHTTPRequestHandler) -> None:
    """Answer right, and never come to the end of it."""
    app.send_response(200)
    app.send_header("Content-Length", "1000000")
    app.end_headers()
    for byte in b'{"version": "v0.2.0", "environment": "staging"' + b" " * 1000:
        app.wfile.write(bytes((byte,)))
        time.sleep(DRIP)


WAYS = (
    old_version,
    another_environment,
    page,
    not_utf8,
    a_list,
    deep,
    escape_codes,
    in_circles,
    broken,
    huge,
    nothing,
    drip,
)


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """Serve on a free loopback port, and give its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(ConnectionError):
                answer(self)

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


def send(app: BaseHTTPRequestHandler, body: bytes, kind: str = "application/json") -> None:
    """Answer with a body."""
    app.send_response(200)
    app.send_header("Content-Type", kind)
    app.send_header("Content-Length", str(len(body)))
    app.end_headers()
    app.wfile.write(body)
