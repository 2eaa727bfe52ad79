from __future__ import annotations

import contextlib
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.localcloud.services.proxy import TcpProxy
from kaizen_tasks.localcloud.services.traffic import ResponseCount
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.integration


class Upstream:
    """A server whose connections are handled by a function."""

    def __init__(self, handle: Callable[[socket.socket], None]) -> None:
        self._handle = handle
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=HANG_SECONDS)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self._handle(connection)


def echo_after_everything(connection: socket.socket) -> None:
    connection.sendall(b"".join(iter(lambda: connection.recv(1 << 16), b"")))


def say(text: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(text)


@pytest.fixture
def upstream() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    with contextlib.ExitStack() as stack:

        def start(handle: Callable[[socket.socket], None]) -> int:
            return stack.enter_context(contextlib.closing(Upstream(handle))).port

        yield start


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[TcpProxy]:
    monkeypatch.setattr("kaizen_tasks.localcloud.services.proxy._LINGER_SECONDS", HANG_SECONDS)
    before = threading.active_count()
    with contextlib.closing(TcpProxy()) as proxy:
        yield proxy
    assert threading.active_count() <= before


def ask(port: int, content: bytes = b"") -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=HANG_SECONDS) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def test_bytes_and_half_closes_are_forwarded_both_ways(
    proxy: TcpProxy, upstream: Callable[[Callable[[socket.socket], None]], int]
) -> None:
    proxy.switch(upstream(echo_after_everything))
    content = os.urandom(3_000_000)
    assert ask(proxy.port, content) == content


def test_connections_are_served_concurrently(
    proxy: TcpProxy, upstream: Callable[[Callable[[socket.socket], None]], int]
) -> None:
    proxy.switch(upstream(echo_after_everything))
    contents = [os.urandom(1000) for _ in range(300)]
    with ThreadPoolExecutor(100) as pool:
        assert list(pool.map(lambda content: ask(proxy.port, content), contents)) == contents


def test_switch_affects_new_connections_only(
    proxy: TcpProxy, upstream: Callable[[Callable[[socket.socket], None]], int]
) -> None:
    old = upstream(echo_after_everything)
    proxy.switch(old)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=HANG_SECONDS) as early:
        early.sendall(b"still ")
        while proxy.drain(old, 0.02):  # until the proxy has accepted the connection
            pass
        proxy.switch(upstream(say(b"new")))
        assert ask(proxy.port) == b"new"
        assert not proxy.drain(old, 0.05)
        early.sendall(b"here")
        early.shutdown(socket.SHUT_WR)
        assert b"".join(iter(lambda: early.recv(100), b"")) == b"still here"
    assert proxy.drain(old, HANG_SECONDS)


def test_no_target_is_503(proxy: TcpProxy) -> None:
    assert ask(proxy.port, b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 503 ")


def test_target_that_refuses_connections_is_503(proxy: TcpProxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    proxy.switch(port)
    answer = ask(proxy.port)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert f"Content-Length: {len(body)}".encode() in head


def test_port_in_use_is_replaced_by_a_free_one(proxy: TcpProxy) -> None:
    with contextlib.closing(TcpProxy(proxy.port)) as second:
        assert second.port != proxy.port
        free = second.port
    with contextlib.closing(TcpProxy(free)) as third:
        assert third.port == free


def test_close_ends_connections_and_frees_the_port(
    upstream: Callable[[Callable[[socket.socket], None]], int],
) -> None:
    proxy = TcpProxy()
    proxy.switch(upstream(echo_after_everything))
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=HANG_SECONDS) as connection:
        connection.sendall(b"half a request")
        proxy.close()
        assert connection.recv(10) == b""
    with pytest.raises(ConnectionRefusedError):
        ask(proxy.port)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are counted in /proc")
def test_connections_leave_no_file_descriptors(
    proxy: TcpProxy, upstream: Callable[[Callable[[socket.socket], None]], int]
) -> None:
    target = upstream(say(b"hello"))
    proxy.switch(target)
    ask(proxy.port)
    assert proxy.drain(target, 5)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(50):
        ask(proxy.port)
    assert proxy.drain(target, 5)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2


def test_connections_are_distributed_and_their_responses_counted(
    proxy: TcpProxy, upstream: Callable[[Callable[[socket.socket], None]], int]
) -> None:
    good = upstream(answer(b"HTTP/1.1 200 OK\r\n\r\nold"))
    bad = upstream(answer(b"HTTP/1.1 500 Internal Server Error\r\n\r\nnew"))
    proxy.distribute({good: 3.0, bad: 1.0})

    answers = [ask(proxy.port, b"GET / HTTP/1.1\r\n\r\n")[-3:] for _ in range(8)]

    assert (answers.count(b"old"), answers.count(b"new")) == (6, 2)
    assert proxy.responses(good) == ResponseCount(total=6, errors=0)
    assert proxy.responses(bad) == ResponseCount(total=2, errors=2)


def answer(response: bytes) -> Callable[[socket.socket], None]:
    """Return a handler that answers a request."""

    def handle(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(response)

    return handle
