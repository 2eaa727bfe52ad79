"""The HTTP server, with minimal applications."""

from __future__ import annotations

import io
import socket
import threading
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.localcloud.server.http_message import DropConnectionError, HttpRequest, HttpResponse
from kaizen_tasks.localcloud.server.request_body import RequestBody
from kaizen_tasks.localcloud.server.server import HttpServer
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.integration


@contextmanager
def serving(application: Callable[[HttpRequest], HttpResponse]) -> Iterator[HttpServer]:
    server = HttpServer(0)
    server.application = application
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def echo(call: HttpRequest) -> HttpResponse:
    return HttpResponse(status=200, headers={"X-Method": call.method}, body=call.content)


def refuse(_call: HttpRequest) -> HttpResponse:
    return HttpResponse(status=401, body=b"no")


def conversation(server: HttpServer, request: bytes) -> bytes:
    """Send bytes and return everything until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=HANG_SECONDS) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            return answer.read()


def test_connection_is_kept_alive() -> None:
    with serving(echo) as server:
        connection = HTTPConnection("127.0.0.1", server.port)
        seen = set()
        for number in range(5):
            connection.request("POST", "/", str(number))
            assert connection.getresponse().read() == str(number).encode()
            seen.add(connection.sock.getsockname())
        connection.close()
    assert len(seen) == 1


def test_connection_is_kept_alive_after_an_unread_body() -> None:
    with serving(refuse) as server:
        connection = HTTPConnection("127.0.0.1", server.port)
        connection.request("POST", "/", b"x" * 100_000)
        assert connection.getresponse().read() == b"no"
        sock = connection.sock
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"no"
        assert connection.sock is sock
        connection.close()


def test_chunked_body_is_joined() -> None:
    with serving(echo) as server:
        request = (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            b"5;note=1\r\nhello\r\n1\r\n,\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n"
        )
        assert conversation(server, request).endswith(b"\r\n\r\nhello, world")


def test_continue_is_sent_when_the_body_is_read() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    with serving(echo) as server:
        answer = conversation(server, head + b"ok")
        assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    with serving(refuse) as server:
        assert conversation(server, head).startswith(b"HTTP/1.1 401 ")


def test_connection_is_closed_if_continue_was_never_sent() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    with serving(refuse) as server:
        assert conversation(server, head).endswith(b"no")


def test_response_body_is_streamed() -> None:
    def stream(_call: HttpRequest) -> HttpResponse:
        return HttpResponse(status=200, headers={"Content-Length": "6"}, body=iter([b"abc", b"def"]))

    with serving(stream) as server:
        answer = conversation(server, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"abcdef")


def test_204_has_no_content_length() -> None:
    with serving(lambda _call: HttpResponse(status=204)) as server:
        answer = conversation(server, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"Content-Length" not in answer


@pytest.mark.parametrize("length", [b"-1", b"x", b"1_0"])
def test_invalid_content_length_is_400(length: bytes) -> None:
    with serving(echo) as server:
        answer = conversation(server, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_dropped_connection_is_reset() -> None:
    def drop(_call: HttpRequest) -> HttpResponse:
        raise DropConnectionError

    with serving(drop) as server, pytest.raises(ConnectionResetError):
        conversation(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


def test_server_survives_a_client_that_disconnects_during_its_request() -> None:
    with serving(echo) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        answer = conversation(server, b"POST / HTTP/1.1\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
        assert answer.endswith(b"x")


def test_server_listens_on_loopback_only() -> None:
    with serving(echo) as server:
        assert server.socket.getsockname()[0] == "127.0.0.1"


def test_body_ends_before_the_next_request() -> None:
    stream = io.BytesIO(b"first" + b"GET / HTTP/1.1")
    body = RequestBody(stream, 5)
    assert (body.readall(), body.bytes_received, stream.read()) == (b"first", 5, b"GET / HTTP/1.1")


def test_unread_body_above_the_limit_is_not_drained() -> None:
    assert not RequestBody(io.BytesIO(b"x" * 100), 100).drain(10)
    assert RequestBody(io.BytesIO(b"x" * 100), 100).drain(100)


@pytest.mark.parametrize("chunks", [b"zz\r\n", b"-1\r\n", b"\r\n", b"5\r\nab"])
def test_malformed_chunk_resets_the_connection(chunks: bytes) -> None:
    with pytest.raises(ConnectionResetError):
        RequestBody(io.BytesIO(chunks), None).readall()
