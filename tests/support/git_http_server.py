"""Serves a bare repository over HTTP; the token allows to push."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER = "x-access-token"


@contextmanager
def serve_git(remote: Path, token: str) -> Iterator[str]:
    """Serve a bare repository on a free loopback port; yield its URL without the token.

    https://git-scm.com/docs/git-http-backend says what the program wants to know.
    """
    expected_authorization = f"Basic {base64.b64encode(f'{USER}:{token}'.encode()).decode()}"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != expected_authorization:
                self.send_response(HTTPStatus.UNAUTHORIZED)
                self.send_header("WWW-Authenticate", 'Basic realm="forge"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self._answer(self._ask())

        do_POST = do_GET  # noqa: N815 - as the base asks

        def _ask(self) -> bytes:
            target = urlsplit(self.path)
            variables = {
                "GIT_PROJECT_ROOT": str(remote.parent),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": target.path,
                "QUERY_STRING": target.query,
                "REQUEST_METHOD": self.command,
                "REMOTE_USER": USER,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            completed = subprocess.run(
                ["git", "http-backend"], env={**os.environ, **variables}, input=body, capture_output=True, check=True
            )
            return completed.stdout

        def _answer(self, cgi_response: bytes) -> None:
            head, _, body = cgi_response.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{remote.name}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
