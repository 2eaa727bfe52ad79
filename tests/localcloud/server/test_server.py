"""The HTTP server, with minimal applications."""

from __future__ import annotations

import io
import socket
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.localcloud.server.arrivals import GRACE_SECONDS, ArrivingBytes
from kaizen_tasks.localcloud.server.http_message import DropConnectionError, HttpRequest, HttpResponse
from kaizen_tasks.localcloud.server.request_body import BodyTooLargeError, RequestBody
from kaizen_tasks.localcloud.server.server import HttpServer
from tests.support.waiting import HANG_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.integration


@contextmanager
def serving(application: Callable[[HttpRequest], HttpResponse]) -> Iterator[HttpServer]:
    server = HttpServer(0)
    server.start(application)
    with closing(server):
        yield server


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


class DrippingConnection:
    """A connection on which a byte arrives every now and then."""

    def __init__(self, clock: FakeSeconds, *, seconds_per_byte: float, size: int = 1) -> None:
        self.timeouts: list[float] = []
        self._clock = clock
        self._seconds_per_byte = seconds_per_byte
        self._size = size

    def settimeout(self, seconds: float) -> None:
        self.timeouts.append(seconds)

    def recv_into(self, buffer: memoryview) -> int:
        buffer[: self._size] = b"x" * self._size
        self._clock.now += self._seconds_per_byte
        return self._size


class FakeSeconds:
    """A clock that a test moves on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def receive(arriving_bytes: ArrivingBytes) -> int:
    return arriving_bytes.readinto(memoryview(bytearray(1 << 16)))


def test_request_that_arrives_byte_by_byte_is_cut_off() -> None:
    clock = FakeSeconds()
    connection = DrippingConnection(clock, seconds_per_byte=10)
    arriving_bytes = ArrivingBytes(connection, clock)  # type: ignore[arg-type]  # a stand-in
    arriving_bytes.begin_request()
    assert [receive(arriving_bytes) for _ in range(4)] == [1, 1, 1, 1]  # each has earned a millisecond
    with pytest.raises(TimeoutError, match="arrives too slowly"):
        receive(arriving_bytes)
    assert clock.now == 40
    assert max(connection.timeouts[::2]) <= GRACE_SECONDS


def test_large_request_at_a_low_speed_is_received() -> None:
    clock = FakeSeconds()
    connection = DrippingConnection(clock, seconds_per_byte=20, size=40 << 10)
    arriving_bytes = ArrivingBytes(connection, clock)  # type: ignore[arg-type]  # a stand-in
    arriving_bytes.begin_request()
    assert sum(receive(arriving_bytes) for _ in range(1000)) == 1000 * 40 << 10


def test_pauses_of_the_application_and_between_requests_do_not_count() -> None:
    clock = FakeSeconds()
    arriving_bytes = ArrivingBytes(DrippingConnection(clock, seconds_per_byte=25), clock)  # type: ignore[arg-type]
    for _ in range(10):
        arriving_bytes.await_request()
        receive(arriving_bytes)
        arriving_bytes.begin_request()
        clock.now += 1000
        assert receive(arriving_bytes) == 1


def test_slow_client_is_disconnected_and_others_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kaizen_tasks.localcloud.server.arrivals.GRACE_SECONDS", 0.2)
    with serving(echo) as server:
        for begin in (b"GET / HTT", b"GET / HTTP/1.1\r\nX: y", b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"):
            assert conversation(server, begin) == b""
        request = b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabcde"
        assert conversation(server, request).endswith(b"abcde")


def test_connections_beyond_the_limit_are_closed_and_room_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kaizen_tasks.localcloud.server.server.MAX_CONNECTIONS", 2)
    request = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
    with serving(echo) as server:
        for _ in range(2):
            with ExitStack() as stack:
                for _ in range(2):
                    open_connection = HTTPConnection("127.0.0.1", server.port, timeout=HANG_SECONDS)
                    stack.callback(open_connection.close)
                    open_connection.request("GET", "/")
                    assert open_connection.getresponse().read() == b""
                with suppress(ConnectionError):
                    assert conversation(server, request) == b""
            wait_for(lambda: conversation_or_nothing(server, request).startswith(b"HTTP/1.1 200"))


def conversation_or_nothing(server: HttpServer, request: bytes) -> bytes:
    try:
        return conversation(server, request)
    except ConnectionError:
        return b""


@pytest.mark.parametrize("length", ["9" * 19, "9" * 10_000, "-1", "1_0", "\u0661"])
def test_length_that_is_no_length_is_a_bad_request(length: str) -> None:
    with serving(echo) as server:
        request = f"POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode()
        assert conversation(server, request).startswith(b"HTTP/1.1 400")


def test_body_that_is_read_into_memory_is_limited() -> None:
    body = RequestBody(io.BytesIO(b"x" * 11), 11)
    with pytest.raises(BodyTooLargeError, match="more than 10 bytes"):
        body.read_within(10)
    assert RequestBody(io.BytesIO(b"x" * 10), 10).read_within(10) == b"x" * 10
