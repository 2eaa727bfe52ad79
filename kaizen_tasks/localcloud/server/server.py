"""The HTTP/1.1 server: keep-alive, `Expect: 100-continue`, bodies streamed both ways.

The standard library's server rather than werkzeug's, which closes the connection after every answer.
"""

from __future__ import annotations

import io
import logging
import os
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

from kaizen_tasks.localcloud.server.arrivals import IDLE_SECONDS, ArrivingBytes
from kaizen_tasks.localcloud.server.http_message import DropConnectionError, HttpRequest, HttpResponse
from kaizen_tasks.localcloud.server.request_body import RequestBody

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Application = Callable[[HttpRequest], HttpResponse]

LOOPBACK = "127.0.0.1"
MAX_CONNECTIONS = 1000
"""Number of connections that are served at the same time, each by a thread; further ones are closed."""

_MAX_LENGTH_DIGITS = 18
_DRAIN_BYTES = 16 << 20
_READ_BUFFER_BYTES = 1 << 16
_POLL_SECONDS = 0.05
_log = logging.getLogger(__name__)


class RequestHandler(BaseHTTPRequestHandler):
    """Passes requests to the application and sends its responses."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: HttpServer

    def handle(self) -> None:
        """Serve one connection; a client that disconnects is not an error."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError) as error:
            _log.info("%s: %s", self.client_address, error)

    def setup(self) -> None:
        """Read the connection with limits of time."""
        super().setup()
        self._arriving_bytes = ArrivingBytes(self.connection)
        self.rfile.close()
        self.rfile = io.BufferedReader(self._arriving_bytes, _READ_BUFFER_BYTES)

    def handle_one_request(self) -> None:
        """Wait for a request, and answer it if it does not arrive too slowly."""
        self._arriving_bytes.await_request()
        cast("io.BufferedReader", self.rfile).peek(1)
        self._arriving_bytes.begin_request()
        super().handle_one_request()

    def handle_expect_100(self) -> bool:
        """Defer `100 Continue` until the body is read, so that a refused request uploads nothing."""
        return True

    def version_string(self) -> str:
        """Return the server's name, without the version of Python."""
        return "kaizen-local-cloud"

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Do nothing: the access log has the request, without its query, which may contain a token."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the overridden method's name
        """Write to the log file instead of the terminal."""
        _log.info(format, *args)

    def respond(self) -> None:
        """Answer one request, and leave the connection ready for the next one."""
        length = self._body_length()
        if length == -1:
            self.close_connection = True
            self._send(HttpResponse(status=400))
            return
        body = RequestBody(self.rfile, length, self._continue_callback())
        try:
            self._send(self.server.application(self._build_request(body)))
        except DropConnectionError:
            self._reset_connection()
        else:
            self.close_connection |= not body.drain(_DRAIN_BYTES)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = respond  # noqa: N815 - the base class's names

    def _body_length(self) -> int | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return None
        text = self.headers.get("Content-Length", "0").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_LENGTH_DIGITS else -1

    def _continue_callback(self) -> Callable[[], None] | None:
        expects_continue = self.headers.get("Expect", "").strip().lower() == "100-continue"
        return self._send_continue if expects_continue else None

    def _send_continue(self) -> None:
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.wfile.flush()

    def _build_request(self, body: RequestBody) -> HttpRequest:
        return HttpRequest(
            method=self.command,
            target=self.path,
            headers=cast("Mapping[str, str]", self.headers),
            body=body,
            port=self.server.port,
        )

    def _send(self, response: HttpResponse) -> None:
        self.send_response(response.status)
        for name, value in _response_headers(response).items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":  # a client would take the body for the next response
            for chunk in (response.body,) if isinstance(response.body, bytes) else response.body:
                self.wfile.write(chunk)
        self.wfile.flush()

    def _reset_connection(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())


def _response_headers(response: HttpResponse) -> dict[str, str]:
    headers = dict(response.headers)
    if isinstance(response.body, bytes) and response.status != 204:
        headers.setdefault("Content-Length", str(len(response.body)))
    return headers


class HttpServer(ThreadingHTTPServer):
    """Listens on loopback, and serves each connection in a thread of its own from `start` on.

    Args:
        port: the port; 0 for any free one.
    """

    application: Application

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, port: int) -> None:
        super().__init__((LOOPBACK, port), RequestHandler)
        self._free_slots = threading.BoundedSemaphore(MAX_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread, or close it if there are too many."""
        if not self._free_slots.acquire(blocking=False):
            _log.warning("%s: closed, because %d connections are open", client_address, MAX_CONNECTIONS)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free_slots.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection in this thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free_slots.release()

    def handle_error(self, _request: object, client_address: object) -> None:
        """Log an error that ended a connection."""
        _log.exception("%s", client_address)

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return self.server_port

    def start(self, application: Application) -> None:
        """Answer requests in the background, by an application, until `close`."""
        self.application = application
        self._acceptor = threading.Thread(target=self.serve_forever, args=(_POLL_SECONDS,), name=f"server-{self.port}")
        self._acceptor.start()

    def close(self) -> None:
        """Free the port; requests that are being answered are not waited for."""
        self.shutdown()
        self._acceptor.join()
        self.server_close()

    def server_bind(self) -> None:
        """Bind without the base class's reverse DNS lookup, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]
