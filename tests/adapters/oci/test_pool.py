"""The connection pool, with scripted sockets."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from http.client import HTTPException, IncompleteRead, InvalidURL
from typing import TYPE_CHECKING

import pytest
from attrs import define, field

from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.adapters.oci.pool import ConnectionPool
from kaizen_tasks.errors import Locked
from kaizen_tasks.ports.attempts import limit_attempts
from tests.support.certificates import self_signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kaizen_tasks.adapters.oci.pool import PooledResponse

pytestmark = pytest.mark.integration

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
TIMEOUT = 10.0


@define
class Talker:
    """A listening socket whose connections each give some answers, one a request, and then hang up.

    Attributes:
        answers: of each connection, in the order in which they are made.
        context: for TLS.
        heard: the first bytes of each request.
    """

    answers: list[list[bytes]]
    context: ssl.SSLContext | None = None
    heard: list[bytes] = field(factory=list)
    hung_up: threading.Event = field(factory=threading.Event)
    _listener: socket.socket = field(factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        scheme = "https" if self.context else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def run(self) -> None:
        for answers in self.answers:
            with suppress(OSError), self._accepted() as connection:
                for answer in answers:
                    self.heard.append(connection.recv(65536))
                    connection.sendall(answer)
            self.hung_up.set()

    def close(self) -> None:
        with suppress(OSError):  # wakes the thread that waits for a connection
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accepted(self) -> socket.socket:
        connection, _ = self._listener.accept()
        connection.settimeout(TIMEOUT)
        return self.context.wrap_socket(connection, server_side=True) if self.context else connection


@contextmanager
def talking(*answers: list[bytes], context: ssl.SSLContext | None = None) -> Iterator[Talker]:
    talker = Talker(list(answers), context)
    thread = threading.Thread(target=talker.run)
    thread.start()
    try:
        yield talker
    finally:
        talker.close()
        thread.join(TIMEOUT)


def get(connections: ConnectionPool, url: str) -> PooledResponse:
    return connections.request("GET", url, "/v2/", headers={}, body=b"")


def test_takes_the_same_connection_again() -> None:
    connections = ConnectionPool(NetworkSettings())
    with talking([HELLO, HELLO]) as talker:
        assert get(connections, talker.url).body(limit=1000) == b"hello"
        assert get(connections, talker.url).body(limit=1000) == b"hello"


def test_takes_a_new_connection_while_another_is_in_use() -> None:
    connections = ConnectionPool(NetworkSettings())
    with talking([HELLO], [HELLO]) as talker:
        first = get(connections, talker.url)
        talker.hung_up.wait(TIMEOUT)

        assert get(connections, talker.url).body(limit=1000) == b"hello"
        assert first.body(limit=1000) == b"hello"


def test_takes_a_new_connection_when_the_old_one_was_hung_up_meanwhile() -> None:
    connections = ConnectionPool(NetworkSettings())
    with talking([HELLO], [HELLO]) as talker:
        get(connections, talker.url).drain()
        assert talker.hung_up.wait(TIMEOUT)

        assert get(connections, talker.url).body(limit=1000) == b"hello"


def test_connection_with_an_unread_body_is_closed() -> None:
    connections = ConnectionPool(NetworkSettings())
    with talking([HELLO, HELLO], [HELLO]) as talker:
        get(connections, talker.url).close()

        assert get(connections, talker.url).body(limit=1000) == b"hello"
    assert len(talker.heard) == 3  # the second request of the first connection is its end


def test_connection_is_released_once() -> None:
    connections = ConnectionPool(NetworkSettings())
    with talking([HELLO, HELLO], [HELLO]) as talker:
        first = get(connections, talker.url)
        first.drain()
        first.close()
        second = get(connections, talker.url)

        assert get(connections, talker.url).body(limit=1000) == b"hello"
        assert second.body(limit=1000) == b"hello"


def test_upload_is_broken_off_when_the_lock_is_lost() -> None:
    """The server must neither get the rest nor take what arrived for the whole."""
    received: list[str] = []
    begun = threading.Event()

    def receive(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                while connection.recv(65536):
                    begun.set()
                received.append("end")
            except ConnectionResetError:
                received.append("reset")

    def lose_lock() -> float:
        if begun.is_set():
            raise Locked("lost")
        return TIMEOUT

    def body() -> Iterator[bytes]:
        yield b"first"
        assert begun.wait(TIMEOUT)
        yield b"second"

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=receive, args=(listener,))
        thread.start()
        origin, headers = f"http://127.0.0.1:{listener.getsockname()[1]}", {"Content-Length": "11"}
        with limit_attempts(lose_lock), pytest.raises(Locked):
            ConnectionPool(NetworkSettings()).request("PATCH", origin, "/v2/", headers=headers, body=body())
        thread.join(TIMEOUT)

    assert received == ["reset"]


def test_wait_for_a_response_ends_with_the_lease() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, limit_attempts(lambda: 0.05), pytest.raises(TimeoutError):
        get(ConnectionPool(NetworkSettings()), f"http://127.0.0.1:{silent.getsockname()[1]}")


def test_body_without_length_is_read_to_the_end() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
    connections = ConnectionPool(NetworkSettings())
    with talking([chunked, HELLO]) as talker:
        assert get(connections, talker.url).body(limit=1000) == b"hello"
        assert get(connections, talker.url).body(limit=1000) == b"hello"


@pytest.mark.parametrize("body", [b"Content-Length: 9\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n9\r\nhello"])
def test_truncated_body_raises(body: bytes) -> None:
    with talking([b"HTTP/1.1 200 OK\r\n" + body]) as talker, pytest.raises(IncompleteRead):
        get(ConnectionPool(NetworkSettings()), talker.url).body(limit=1000)


def test_response_to_a_rejected_body_is_read() -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * 1_000_000

    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge"
    headers = {"Content-Length": "200000000"}
    with talking([refusal]) as talker:
        reply = ConnectionPool(NetworkSettings()).request(
            "PATCH", talker.url, "/upload", headers=headers, body=endless()
        )

        assert (reply.status, reply.body(limit=1000)) == (413, b"large")


def test_invalid_characters_of_a_url_are_quoted() -> None:
    with talking([HELLO]) as talker:
        ConnectionPool(NetworkSettings()).request(
            "GET", talker.url, "/a b/\u00e4?x=%20&y=1", headers={}, body=b""
        ).drain()

    assert talker.heard[0].startswith(b"GET /a%20b/%C3%A4?x=%20&y=1 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "origin", ["ftp://127.0.0.1", "http://127.0.0.1:port", "http://", "", f"http://{'a' * 64}.example"]
)
def test_invalid_url_is_refused(origin: str) -> None:
    with pytest.raises(InvalidURL):
        ConnectionPool(NetworkSettings()).request("GET", origin, "/v2/", headers={}, body=b"")


def test_response_that_is_not_http_raises() -> None:
    with talking([b"220 ready\r\n"]) as talker, pytest.raises(HTTPException):
        get(ConnectionPool(NetworkSettings()), talker.url)


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        return self_signed(tmp_path)

    @pytest.fixture
    def context(self, certificate: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        return context

    def test_untrusted_certificate_is_refused(self, context: ssl.SSLContext) -> None:
        with talking([HELLO], context=context) as talker, pytest.raises(ssl.SSLCertVerificationError):
            get(ConnectionPool(NetworkSettings()), talker.url)

    def test_system_certificate_is_trusted(
        self, context: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        connections = ConnectionPool(NetworkSettings())
        with talking([HELLO, HELLO], context=context) as talker:
            assert get(connections, talker.url).body(limit=1000) == b"hello"
            assert get(connections, talker.url).body(limit=1000) == b"hello"
