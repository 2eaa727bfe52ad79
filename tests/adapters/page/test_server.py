"""The server of a live page, by the requests of browsers and of those who should get nothing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest

from kaizen_tasks.adapters.page.server import LOOPBACK, LivePage, PageServer
from kaizen_tasks.errors import Refused
from tests.support.waiting import HANG_SECONDS

pytestmark = pytest.mark.integration

PAGE = LivePage(html="<p>caf\N{LATIN SMALL LETTER E WITH ACUTE}</p>", number=7, at="12:00:05 UTC", error="")
Ask = Callable[..., HTTPResponse]


@pytest.fixture
def reads() -> list[LivePage]:
    """Return what has been read."""
    return []


@pytest.fixture
def server(reads: list[LivePage]) -> Iterator[PageServer]:
    def read() -> LivePage:
        reads.append(PAGE)
        return PAGE

    with PageServer(0, read) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def ask(server: PageServer) -> Ask:
    """Return a function that sends a request, with the headers in place of `Host`."""

    def send(method: str = "GET", path: str = "/", *hosts: str, **headers: str) -> HTTPResponse:
        connection = HTTPConnection(LOOPBACK, server.server_port, timeout=HANG_SECONDS)
        connection.putrequest(method, path, skip_host=True)
        for host in hosts or (f"{LOOPBACK}:{server.server_port}",):
            connection.putheader("Host", host)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        return connection.getresponse()

    return send


def test_the_page_is_sent_with_headers_that_keep_others_out(ask: Ask) -> None:
    response = ask()

    assert response.status == 200
    assert response.read().decode() == PAGE.html
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not [name for name in response.headers if name.startswith("Access-Control-")]
    assert "Python" not in response.headers["Server"]


def test_a_page_that_is_up_to_date_gets_no_new_one(ask: Ask) -> None:
    known, newer = (json.loads(ask("GET", f"/live?after={number}").read()) for number in (7, 6))

    assert known == {"number": 7, "at": "12:00:05 UTC", "error": "", "html": None}
    assert newer["html"] == PAGE.html


@pytest.mark.parametrize(
    "name", ["attacker.example:{port}", "attacker.example", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", ""]
)
def test_a_site_whose_name_leads_here_gets_nothing(
    ask: Ask, server: PageServer, reads: list[LivePage], name: str
) -> None:
    """DNS rebinding: its script would be of the same origin."""
    response = ask("GET", "/", name.format(port=server.server_port))

    assert (response.status, response.read()) == (421, b"Misdirected Request\n")
    assert reads == []


def test_two_host_names_are_none(ask: Ask, server: PageServer) -> None:
    own = f"{LOOPBACK}:{server.server_port}"

    assert ask("GET", "/", own, own).status == 421


def test_the_address_may_be_localhost(ask: Ask, server: PageServer) -> None:
    assert ask("GET", "/", f"localhost:{server.server_port}").status == 200


def test_pages_of_other_sites_cause_no_reading(ask: Ask, reads: list[LivePage]) -> None:
    """An image of theirs does not; a link of theirs, which somebody follows, does."""
    assert ask(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").status == 403
    assert reads == []
    assert ask(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])
def test_nothing_can_be_sent(ask: Ask, reads: list[LivePage], method: str) -> None:
    response = ask(method)

    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")
    assert reads == []


def test_head_has_the_headers_alone(ask: Ask) -> None:
    response = ask("HEAD")

    assert (response.status, response.read()) == (200, b"")
    assert int(response.headers["Content-Length"]) == len(PAGE.html.encode())


@pytest.mark.parametrize("path", ["/x", "/../etc/passwd", "/live/", "/%2e%2e/", "http://[::1/"])
def test_there_is_nothing_else(ask: Ask, reads: list[LivePage], path: str) -> None:
    assert ask("GET", path).status == 404
    assert reads == []


def test_only_this_machine_can_connect(server: PageServer) -> None:
    assert server.socket.getsockname()[0] == LOOPBACK
    assert server.url == f"http://127.0.0.1:{server.server_port}/"


def test_a_port_in_use_is_an_error_that_names_another_one(server: PageServer) -> None:
    """Two commands must not answer in turn on one port."""
    with pytest.raises(Refused) as refusal:
        PageServer(server.server_port, lambda: PAGE)

    assert refusal.value.message.startswith(f"--port {server.server_port}: cannot be opened on 127.0.0.1: ")
    assert "inv dashboard --serve --port 0" in refusal.value.hint


def test_a_browser_that_goes_away_is_no_error(server: PageServer, ask: Ask, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        with socket.create_connection((LOOPBACK, server.server_port)) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n")

    assert ask().status == 200
    assert capfd.readouterr().err == ""
