"""Stands between AWS clients and a local cloud: records each call with its response, and gives the responses again.

A script without a cloud behind it can then make the calls of a command once more, and gets the same responses.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from attrs import field, frozen
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.credentials import Credentials

HOP_HEADERS = frozenset({"connection", "content-length", "transfer-encoding", "server", "date"})


@frozen(kw_only=True)
class RecordedCall:
    """A request in one of the JSON protocols of AWS, which has the operation in a header and its parameters in JSON.

    Attributes:
        at: when it was made, in seconds since the epoch.
        target: prefix of the service and name of the operation: `DynamoDB_20120810.Query`.
        body: the parameters.
        status: status of the response.
        headers: headers of the response.
        response: body of the response.
    """

    at: float
    target: str
    body: bytes
    status: int
    headers: tuple[tuple[str, str], ...]
    response: bytes


@frozen
class Recorder:
    """A server that records calls.

    Attributes:
        url: where AWS clients are pointed to.
        calls: what was recorded, in order.
    """

    url: str
    calls: list[RecordedCall] = field(factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for the headers and the body

    def log_message(self, *_: object) -> None:
        """Write nothing."""

    def read_body(self) -> bytes:
        """Return the body of the request."""
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def respond(self, status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> None:
        """Send a response."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def recording(upstream_url: str, credentials: Credentials) -> Iterator[Recorder]:
    """Forward requests to a local cloud while the context lasts, and record those in JSON protocols.

    A request is signed for its host, so it is signed again.
    """
    upstream = urlsplit(upstream_url).netloc
    lock = threading.Lock()

    class Forwarder(_Handler):
        def setup(self) -> None:
            super().setup()
            self.upstream = HTTPConnection(upstream)

        def finish(self) -> None:
            self.upstream.close()
            super().finish()

        def do_POST(self) -> None:
            body, at = self.read_body(), time.time()
            self.upstream.request("POST", self.path, body, self._signed_headers(body))
            response = self.upstream.getresponse()
            content = response.read()
            headers = tuple((name, value) for name, value in response.getheaders() if name.lower() not in HOP_HEADERS)
            if target := self.headers.get("X-Amz-Target"):
                call = RecordedCall(
                    at=at, target=target, body=body, status=response.status, headers=headers, response=content
                )
                with lock:
                    recorder.calls.append(call)
            self.respond(response.status, headers, content)

        def _signed_headers(self, body: bytes) -> dict[str, str]:
            _, _, region, service, *_ = self.headers["Authorization"].partition("Credential=")[2].split("/")
            names = ("Content-Type", "X-Amz-Target")
            headers = {name: self.headers[name] for name in names if name in self.headers}
            request = AWSRequest("POST", f"{upstream_url}{self.path}", headers, body)
            SigV4Auth(credentials, service, region).add_auth(request)
            return dict(request.headers.items())

    with _serving(Forwarder) as url:
        recorder = Recorder(url)
        yield recorder


@contextmanager
def replaying(calls: list[RecordedCall]) -> Iterator[str]:
    """Serve recorded responses while the context lasts, each in turn for the same call; yield the URL.

    Requests of the distribution API get the status that they name in the header `X-Status`, and no body.
    """
    responses: dict[tuple[str, bytes], list[RecordedCall]] = defaultdict(list)
    for call in reversed(calls):
        responses[call.target, call.body].append(call)

    class Replayer(_Handler):
        remaining: ClassVar = responses

        def do_POST(self) -> None:
            body, target = self.read_body(), self.headers.get("X-Amz-Target")
            if target is None:
                self.respond(int(self.headers["X-Status"]), (), b"")
                return
            candidates = self.remaining[target, body]
            call = candidates.pop() if len(candidates) > 1 else candidates[0]
            self.respond(call.status, call.headers, call.response)

        do_HEAD = do_PUT = do_GET = do_POST  # noqa: N815 - http.server calls them

    with _serving(Replayer) as url:
        yield url


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Write nothing: our clients reset the connections that they close."""


@contextmanager
def _serving(handler: type[_Handler]) -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
