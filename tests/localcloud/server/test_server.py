"""The HTTP server, with small applications behind it."""

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
    """Send bytes and return all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=HANG_SECONDS) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            return answer.read()


def test_answers_many_requests_on_one_connection() -> None:
    with serving(echo) as server:
        connection = HTTPConnection("127.0.0.1", server.port)
        seen = set()
        for number in range(5):
            connection.request("POST", "/", str(number))
            assert connection.getresponse().read() == str(number).encode()
            seen.add(connection.sock.getsockname())
        connection.close()
    assert len(seen) == 1


def test_keeps_the_connection_when_a_body_was_not_wanted() -> None:
    with serving(refuse) as server:
        connection = HTTPConnection("127.0.0.1", server.port)
        connection.request("POST", "/", b"x" * 100_000)
        assert connection.getresponse().read() == b"no"
        sock = connection.sock
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"no"
        assert connection.sock is sock
        connection.close()


def test_joins_a_body_that_comes_in_chunks() -> None:
    with serving(echo) as server:
        request = (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            b"5;note=1\r\nhello\r\n1\r\n,\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n"
        )
        assert conversation(server, request).endswith(b"\r\n\r\nhello, world")


def test_invites_a_body_only_when_it_is_read() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    with serving(echo) as server:
        answer = conversation(server, head + b"ok")
        assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    with serving(refuse) as server:
        assert conversation(server, head).startswith(b"HTTP/1.1 401 ")


def test_closes_the_connection_after_a_refusal_that_invited_nothing() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    with serving(refuse) as server:
        assert conversation(server, head).endswith(b"no")


def test_streams_a_body_that_is_made_while_it_is_sent() -> None:
    def stream(_call: HttpRequest) -> HttpResponse:
        return HttpResponse(status=200, headers={"Content-Length": "6"}, body=iter([b"abc", b"def"]))

    with serving(stream) as server:
        answer = conversation(server, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"abcdef")


def test_sends_no_length_with_an_answer_that_has_no_content() -> None:
    with serving(lambda _call: HttpResponse(status=204)) as server:
        answer = conversation(server, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"Content-Length" not in answer


@pytest.mark.parametrize("length", [b"-1", b"x", b"1_0"])
def test_refuses_a_length_that_is_no_number(length: bytes) -> None:
    with serving(echo) as server:
        answer = conversation(server, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_resets_the_connection_when_told_to() -> None:
    def drop(_call: HttpRequest) -> HttpResponse:
        raise DropConnectionError

    with serving(drop) as server, pytest.raises(ConnectionResetError):
        conversation(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


def test_survives_a_client_that_goes_away_within_its_request() -> None:
    with serving(echo) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        answer = conversation(server, b"POST / HTTP/1.1\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
        assert answer.endswith(b"x")


def test_listens_on_loopback_only() -> None:
    with serving(echo) as server:
        assert server.socket.getsockname()[0] == "127.0.0.1"


def test_leaves_the_next_request_alone() -> None:
    stream = io.BytesIO(b"first" + b"GET / HTTP/1.1")
    body = RequestBody(stream, 5)
    assert (body.readall(), body.bytes_received, stream.read()) == (b"first", 5, b"GET / HTTP/1.1")


def test_gives_up_on_a_body_that_is_too_long_to_discard() -> None:
    assert not RequestBody(io.BytesIO(b"x" * 100), 100).drain(10)
    assert RequestBody(io.BytesIO(b"x" * 100), 100).drain(100)


@pytest.mark.parametrize("chunks", [b"zz\r\n", b"-1\r\n", b"\r\n", b"5\r\nab"])
def test_refuses_chunks_that_are_not_well_formed(chunks: bytes) -> None:
    with pytest.raises(ConnectionResetError):
        RequestBody(io.BytesIO(chunks), None).readall()
