"""HTTP requests to an app, and their errors."""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from attrs import field, frozen

from kaizen_tasks.adapters.http.prober import HttpProber
from kaizen_tasks.adapters.http.request import BoundedRequest
from kaizen_tasks.adapters.network.settings import NetworkSettings
from kaizen_tasks.domain.health import ProbeRequest, ProbeResponse
from kaizen_tasks.errors import Refused
from tests.contracts.prober import ProberContract
from tests.fakes.prober import FakeProber
from tests.support.certificates import self_signed
from tests.support.connect_proxy import ConnectProxy
from tests.support.waiting import HANG_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration


def whole(connection: socket.socket) -> bytes:
    """Receive a request with its whole body."""
    request = connection.recv(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    announced = re.search(rb"Content-Length: (\d+)", head)
    while announced and len(body) < int(announced[1]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@frozen
class Server:
    """A listening socket that treats every connection as a test says, and counts them."""

    talk: list[Callable[[socket.socket, bytes], None]] = field(factory=list)
    requests: list[bytes] = field(factory=list)
    listener: socket.socket = field(factory=lambda: socket.create_server(("127.0.0.1", 0)))
    closing: threading.Event = field(factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/version"

    def says(self, *parts: bytes) -> str:
        """Respond with these parts; return the URL."""

        def send(connection: socket.socket, _: bytes) -> None:
            for part in parts:
                connection.sendall(part)

        self.talk[:] = [send]
        return self.url

    def drips(self, head: bytes, drop: bytes) -> str:
        """Answer with a beginning and then with drops, and never come to an end; return the address."""

        def send(connection: socket.socket, _: bytes) -> None:
            connection.sendall(head)
            while not self.closing.wait(0.1):
                connection.sendall(drop)

        self.talk[:] = [send]
        return self.url

    def run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection, suppress(OSError):
                    request = whole(connection)
                    self.requests.append(request)
                    self.talk[0](connection, request)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server
    server.closing.set()
    server.listener.shutdown(socket.SHUT_RDWR)
    server.listener.close()
    thread.join()


def ask(url: str, *, timeout: float = HANG_SECONDS, limit: int = 1000) -> ProbeResponse:
    return HttpProber().probe(url, timeout=timeout, max_bytes=limit)


def response(body: bytes, *, status: str = "200 OK", header: str = "X-Nothing: 0") -> bytes:
    return f"HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


class RealSite:
    """The contract's address on a real socket."""

    def __init__(self, server: Server) -> None:
        self.prober = HttpProber()
        self.url = server.url
        self._server = server
        with socket.create_server(("127.0.0.1", 0)) as closed:
            self.nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}/"

    def answer(self, status: int, body: bytes) -> None:
        self._server.says(response(body, status=f"{status} Status", header="X-Site: here"))

    @property
    def heard(self) -> ProbeRequest:
        head, _, body = self._server.requests[-1].decode().partition("\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.split("\r\n") if line.startswith("X-"))
        return ProbeRequest(method=head.partition(" ")[0], headers=headers, body=body.encode())


class FakeSite:
    """The contract's address in memory."""

    def __init__(self) -> None:
        self.prober = FakeProber()
        self.url = "https://staging.example.com/version"
        self.nowhere = "https://nowhere.example.com/"

    def answer(self, status: int, body: bytes) -> None:
        self.prober.answers[self.url] = ProbeResponse(status=status, body=body, headers={"x-site": "here"})

    @property
    def heard(self) -> ProbeRequest:
        return self.prober.requests[-1]


class TestUrllibKeepsTheContract(ProberContract):
    @pytest.fixture
    def site(self, server: Server) -> RealSite:
        return RealSite(server)


class TestFakeKeepsTheContract(ProberContract):
    @pytest.fixture
    def site(self) -> FakeSite:
        return FakeSite()

    def test_answers_as_a_function_says(self) -> None:
        answers = iter([ProbeResponse(status=503), ProbeResponse(status=200)])
        prober = FakeProber({"https://a/": lambda: next(answers)})

        assert [prober.probe("https://a/", timeout=1, max_bytes=1).status for _ in range(2)] == [503, 200]
        assert prober.urls == ["https://a/"] * 2


def test_takes_a_new_connection_each_time(server: Server) -> None:
    url = server.says(response(b"ok"))
    ask(url)
    ask(url)

    assert len(server.requests) == 2
    assert all(b"Connection: close" in request for request in server.requests)


def test_request_header_replaces_the_default(server: Server) -> None:
    url = server.says(response(b"ok"))
    HttpProber().probe(url, timeout=HANG_SECONDS, max_bytes=100, request=ProbeRequest(headers={"accept": "text/plain"}))

    assert server.requests[0].lower().count(b"accept:") == 1
    assert b"text/plain" in server.requests[0]


def test_every_request_asks_past_caches(server: Server) -> None:
    """With headers and, if asked to, with a query that differs each time."""
    request = ProbeRequest(bypass_cache=True)
    for url in [server.says(response(b"ok"))] * 2 + [f"{server.url}?week=12#top"]:
        HttpProber().probe(url, timeout=HANG_SECONDS, max_bytes=100, request=request)
    ask(server.url)

    paths = [sent.split()[1].decode() for sent in server.requests]
    assert all(b"Cache-Control: no-cache" in sent and b"Pragma: no-cache" in sent for sent in server.requests)
    assert len(set(paths)) == 4
    assert paths[0].startswith("/version?kaizen=")
    assert paths[2].startswith("/version?week=12&kaizen=")
    assert paths[3] == "/version"


def test_post_without_body_has_content_length_zero(server: Server) -> None:
    url = server.says(response(b"ok"))
    HttpProber().probe(url, timeout=HANG_SECONDS, max_bytes=100, request=ProbeRequest(method="POST"))

    assert b"Content-Length: 0" in server.requests[0]


def test_the_answer_to_head_has_no_body(server: Server) -> None:
    url = server.says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")

    assert HttpProber().probe(
        url, timeout=HANG_SECONDS, max_bytes=100, request=ProbeRequest(method="HEAD")
    ) == ProbeResponse(status=200)


def test_follows_no_redirect(server: Server) -> None:
    answer = ask(server.says(response(b"", status="302 Found", header=f"Location: {server.url}/other")))

    assert answer == ProbeResponse(status=302)
    assert len(server.requests) == 1


def test_reads_a_compressed_answer(server: Server) -> None:
    url = server.says(response(gzip.compress(b"hello"), header="Content-Encoding: gzip"))

    assert ask(url) == ProbeResponse(status=200, body=b"hello")


def test_decompression_stops_at_the_limit(server: Server) -> None:
    url = server.says(response(gzip.compress(bytes(50_000_000)), header="Content-Encoding: gzip"))

    assert ask(url).error == "answers more than 1000 bytes"


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (b"", "resets the connection"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "does not answer in HTTP"),
        (response(b"abcdef")[:-3], "ends its response too early"),
        (response(b"abcd", header="Content-Encoding: gzip"), "sends a response that cannot be decompressed"),
    ],
)
def test_invalid_response_is_explained(server: Server, said: bytes, fault: str) -> None:
    assert fault == ask(server.says(said)).error


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"", b""),
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
    ],
    ids=["nothing", "slow head", "slow body"],
)
def test_probe_ends_at_its_timeout(server: Server, head: bytes, drop: bytes) -> None:
    assert ask(server.drips(head, drop), timeout=0.4) == ProbeResponse(error="does not answer within 0.4s")


def test_status_is_known_of_a_response_that_never_ends(server: Server) -> None:
    url = server.drips(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000000\r\n\r\n", b" ")
    request = BoundedRequest(url, ProbeRequest(), timeout=HANG_SECONDS, limit=1_000_000, network=NetworkSettings())
    thread = threading.Thread(target=request.run)
    thread.start()

    wait_for(lambda: request.timeout_response.received_status == 202)
    request.cancel()
    thread.join()

    assert request.response.status == 0
    assert request.response.received_status == 202


def test_addresses_are_checked_before_anything_is_connected(server: Server) -> None:
    asked = list[str]()

    def refuse(address: str) -> None:
        asked.append(address)
        raise Refused(f"{address} is not for us", hint="correct it")

    response = HttpProber(require_address=refuse).probe(server.says(b""), timeout=HANG_SECONDS, max_bytes=1)

    assert (response.error, response.network_remedy) == ("cannot be reached: 127.0.0.1 is not for us", "correct it")
    assert (asked, server.requests) == (["127.0.0.1"], [])


def test_leaves_no_thread_behind_a_slow_server(server: Server) -> None:
    ask(server.drips(b"", b"H"), timeout=0.3)
    deadline = time.monotonic() + HANG_SECONDS

    while any(thread.name.startswith("ask ") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://no.such.invalid/", "has no address: no.such.invalid"),
        ("ftp://127.0.0.1/", "is not a valid URL: 'ftp://127.0.0.1/' begins with neither http:// nor https://"),
        ("staging", "is not a valid URL: 'staging' begins with neither http:// nor https://"),
        ("http://", "is not a valid URL: No host specified."),
    ],
)
def test_invalid_url_is_explained(url: str, fault: str) -> None:
    assert fault == ask(url).error


def test_asks_loopback_without_a_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert ask(server.says(response(b"ok"))) == ProbeResponse(status=200, body=b"ok")


def test_other_hosts_are_requested_through_the_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.says(response(b"ok")))

    assert ask("http://staging.invalid/version") == ProbeResponse(status=200, body=b"ok")
    assert server.requests[0].startswith(b"GET http://staging.invalid/version HTTP/1.1\r\n")


def test_proxy_failure_names_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("http_proxy", proxy)

    assert ask("http://staging.invalid/").error == (
        f"cannot be reached: the proxy {proxy} (http_proxy) refuses the connection"
    )


def test_failure_of_the_network_comes_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    with ConnectProxy({}) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
        refused = ask("http://staging.invalid/")
    monkeypatch.setenv("http_proxy", "socks5://proxy.example")
    unusable = ask("http://staging.invalid/")
    monkeypatch.delenv("http_proxy")
    unknown = ask("http://staging.invalid/")

    assert refused.error.endswith("(http_proxy) asks for a user name and a password (HTTP 407)")
    assert refused.network_remedy.startswith("set http_proxy to http://USER:PASSWORD@")
    assert unusable.network_remedy.startswith("set http_proxy to http://HOST:PORT")
    assert unknown.network_remedy == "check whether this machine can resolve names, and the name of the host"


def test_own_407_of_an_app_is_its_answer(server: Server) -> None:
    assert ask(server.says(response(b"", status="407 Proxy Authentication Required"))) == ProbeResponse(status=407)


@pytest.mark.parametrize(
    ("proxy", "has_address", "timeout", "response"),
    [
        ("", True, 5, ProbeResponse(error="does not answer within 5s")),
        (
            "",
            False,
            5,
            ProbeResponse(
                error="has no address within 5s: staging.example",
                network_remedy="check whether this machine can resolve names, and the name of the host",
            ),
        ),
        (
            "http://proxy.example:3128",
            True,
            5,
            ProbeResponse(
                error="cannot be reached: the proxy http://proxy.example:3128 (HTTPS_PROXY) does not answer within 5s",
                network_remedy="correct or unset HTTPS_PROXY; hosts that need no proxy belong in NO_PROXY",
            ),
        ),
        ("http://proxy.example:3128", True, 1, ProbeResponse(error="does not answer within 1s")),
        ("", False, 1, ProbeResponse(error="does not answer within 1s")),
    ],
)
def test_timeout_is_that_of_who_was_not_reached(
    monkeypatch: pytest.MonkeyPatch, proxy: str, timeout: float, response: ProbeResponse, *, has_address: bool
) -> None:
    """In less than two seconds, a slow network is no failure."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    request = BoundedRequest(
        "https://staging.example/version", ProbeRequest(), timeout=timeout, limit=100, network=NetworkSettings()
    )
    if has_address:
        request.register_address()

    assert request.timeout_response == response


def test_says_that_a_server_speaks_no_tls(server: Server) -> None:
    assert ask(server.says(b"HTTP/1.1 400\r\n\r\n").replace("http:", "https:")).error == "TLS: wrong version number"


def test_untrusted_certificate_is_refused(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_shake_hands, args=(listener, context))
        thread.start()
        answer = ask(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()

    assert answer.error.startswith(
        "cannot be reached: the certificate of 127.0.0.1 is not trusted: self-signed certificate; trusted are "
    )
    assert answer.network_remedy.startswith(
        "set AWS_CA_BUNDLE to a file with the authority of this network too; to see what is used: inv doctor"
    )


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listener.accept()
    with connection, suppress(OSError), context.wrap_socket(connection, server_side=True):
        pass
