"""Puts a local cloud behind TLS and a public host name, as AWS is."""

from __future__ import annotations

import re
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from tests.support.local_cloud import Cloud

HOP_BY_HOP_HEADERS = {"connection", "transfer-encoding", "content-length", "x-amz-crc32"}
SERVICE = re.compile(r"/([a-z-]+)/aws4_request")


class TlsGateway:
    """A server that passes requests on to a local cloud. Use it as a context manager; it listens on a free port.

    The cloud answers only to its own host name, which signatures cover: requests are signed again.

    Args:
        cloud: the cloud.
        context: TLS with the certificate of `host`.
        host: the host name under which clients know the cloud.
    """

    def __init__(self, cloud: Cloud, *, context: ssl.SSLContext, host: str) -> None:
        self.cloud = cloud
        self.host = host
        self.requests: list[str] = []
        self._server = _Server(("127.0.0.1", 0), self)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def inward(self, text: bytes) -> bytes:
        """Return a request's body with the cloud's own name."""
        return text.replace(self.host.encode(), self.cloud.registry.encode())

    def outward(self, text: bytes) -> bytes:
        """Return a response's body or header with the public name."""
        own = self.cloud.registry.encode()
        return text.replace(b"http://" + own, b"https://" + self.host.encode()).replace(own, self.host.encode())

    def headers(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """Return the headers of a request to the cloud, signed again if it was signed."""
        kept = {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP_HEADERS | {"host"}}
        service = SERVICE.search(headers.get("Authorization", ""))
        if service is None:
            return kept
        unsigned = {name: value for name, value in kept.items() if name.lower() not in {"authorization", "x-amz-date"}}
        request = AWSRequest(method, self.cloud.endpoint_url + path, unsigned, body)
        environ = self.cloud.environ
        credentials = Credentials(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"])
        SigV4Auth(credentials, service[1], environ["AWS_REGION"]).add_auth(request)
        return dict(request.headers.items())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], gateway: TlsGateway) -> None:
        super().__init__(address, _Handler)
        self.gateway = gateway

    def handle_error(self, *_: object) -> None:
        """Print nothing when a client disconnects."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _answer(self) -> None:
        gateway = self.server.gateway
        gateway.requests.append(f"{self.command} {self.path}")
        body = gateway.inward(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        headers = gateway.headers(self.command, self.path, dict(self.headers.items()), body)
        connection = HTTPConnection(gateway.cloud.registry)
        connection.request(self.command, self.path, body or None, headers)
        response = connection.getresponse()
        content = gateway.outward(response.read())
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in HOP_BY_HOP_HEADERS:
                self.send_header(name, gateway.outward(value.encode()).decode())
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    # The names are the base class's.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Print nothing."""
