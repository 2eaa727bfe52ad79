"""What every client must do with the proxies and certificates of the network it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

import pytest

from tests.support.certificates import Authority, create_authority
from tests.support.connect_proxy import PASSWORD, USERNAME, ConnectProxy
from tests.support.scripted_server import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "server.example"
VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


class NetworkClient(Protocol):
    """A client, and how it tells the outcome of a request."""

    def prepare(self, server: ScriptedServer) -> None:
        """Script the response to the client's request."""

    def request(self, url: str) -> str:
        """Send a request to a server; return an empty string, or the error that a user would see."""


class NetworkContract:
    """Subclasses provide the fixture `client`."""

    @pytest.fixture
    def authority(self, tmp_path: Path) -> Authority:
        return create_authority(tmp_path, HOST)

    @pytest.fixture
    def server(self, authority: Authority, client: NetworkClient) -> Iterator[ScriptedServer]:
        with ScriptedServer(context=authority.server) as server:
            client.prepare(server)
            yield server

    @pytest.fixture
    def proxy(self, server: ScriptedServer) -> Iterator[ConnectProxy]:
        with ConnectProxy({f"{HOST}:443": server.port}) as proxy:
            yield proxy

    @pytest.fixture(autouse=True)
    def _trust_authority(self, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))

    @pytest.mark.parametrize("variable", VARIABLES)
    def test_tunnels_through_the_proxy(
        self, client: NetworkClient, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        monkeypatch.setenv(variable, proxy.url)

        assert client.request(f"https://{HOST}") == ""
        assert {request.partition(" HTTP/")[0] for request in proxy.requests} == {f"CONNECT {HOST}:443"}

    def test_proxy_without_scheme_is_an_http_proxy(
        self, client: NetworkClient, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.removeprefix("http://"))

        assert client.request(f"https://{HOST}") == ""

    def test_tunnels_through_a_proxy_that_speaks_tls(
        self, client: NetworkClient, server: ScriptedServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with ConnectProxy({f"{HOST}:443": server.port}, context=authority.server) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http://", "https://"))

            assert client.request(f"https://{HOST}") == ""
        assert proxy.requests

    def test_plain_http_is_forwarded_by_the_proxy(self, client: NetworkClient, monkeypatch: pytest.MonkeyPatch) -> None:
        with ScriptedServer() as server, ConnectProxy({f"{HOST}:8080": server.port}) as proxy:
            client.prepare(server)
            monkeypatch.setenv("HTTP_PROXY", proxy.url)

            assert client.request(f"http://{HOST}:8080") == ""
        assert f" http://{HOST}:8080/" in proxy.requests[0]
        assert "Proxy-Authorization" not in server.requests[0].headers

    def test_loopback_is_direct(
        self, client: NetworkClient, server: ScriptedServer, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)

        assert client.request(server.url) == ""
        assert proxy.requests == []

    def test_no_proxy_is_direct(
        self, client: NetworkClient, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "192.0.2.0/24, .invalid")

        client.request("https://nowhere.invalid")

        assert proxy.requests == []

    @pytest.mark.parametrize(
        ("credentials", "expected"),
        [("", "asks for a user name and a password"), ("ada:wrong@", "rejects this user name or password")],
    )
    def test_proxy_that_wants_a_password_is_explained(
        self,
        client: NetworkClient,
        proxy: ConnectProxy,
        monkeypatch: pytest.MonkeyPatch,
        credentials: str,
        expected: str,
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{credentials}{proxy.address}")

        assert f"the proxy http://{proxy.address} (HTTPS_PROXY) {expected} (HTTP 407)" in client.request(
            f"https://{HOST}"
        )

    @pytest.mark.parametrize("status", ["403 Forbidden", "503 Service Unavailable"])
    def test_refusal_of_the_proxy_is_explained(
        self, client: NetworkClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, status: str
    ) -> None:
        with ConnectProxy({}, refusal=status) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)

            error = client.request(f"https://{HOST}")

        assert f"the proxy http://{proxy.address} (HTTPS_PROXY) does not connect to " in error
        assert f": HTTP {status[:3]}" in error
        assert_no_password(error)

    def test_unreachable_proxy_is_explained(self, client: NetworkClient, monkeypatch: pytest.MonkeyPatch) -> None:
        with ConnectProxy({}) as gone:
            monkeypatch.setenv("HTTPS_PROXY", gone.url)

        error = client.request(f"https://{HOST}")

        assert f"the proxy http://{gone.address} (HTTPS_PROXY) refuses the connection" in error
        assert_no_password(error)

    def test_value_that_is_no_proxy_is_explained(self, client: NetworkClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{USERNAME}:{PASSWORD}@proxy.example:port")

        error = client.request(f"https://{HOST}")

        assert "HTTPS_PROXY is not the address of a proxy" in error
        assert_no_password(error)

    @pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
    def test_authority_of_a_variable_is_trusted(
        self,
        client: NetworkClient,
        server: ScriptedServer,
        authority: Authority,
        monkeypatch: pytest.MonkeyPatch,
        variable: str,
    ) -> None:
        monkeypatch.delenv("AWS_CA_BUNDLE")
        monkeypatch.setenv(variable, str(authority.bundle))

        assert client.request(server.url) == ""

    def test_authority_of_the_aws_profile_is_trusted(
        self,
        client: NetworkClient,
        server: ScriptedServer,
        authority: Authority,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        config = tmp_path / "config"
        config.write_text(f"[profile work]\nca_bundle = {authority.bundle}\n")
        monkeypatch.delenv("AWS_CA_BUNDLE")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_PROFILE", "work")

        assert client.request(server.url) == ""

    def test_other_authorities_are_not_trusted(
        self, client: NetworkClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        other = tmp_path / "other"
        other.mkdir()
        bundle = create_authority(other).bundle
        monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))

        error = client.request(server.url)

        assert "the certificate of 127.0.0.1 is not trusted: unable to get local issuer certificate" in error
        assert f"trusted are the authorities in {bundle} (AWS_CA_BUNDLE)" in error

    def test_certificate_of_another_host_is_refused(
        self, client: NetworkClient, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        proxy.hosts = {"other.example:443": proxy.hosts[f"{HOST}:443"]}

        error = client.request("https://other.example")

        assert "the certificate of other.example is not trusted: " in error
        assert "match" in error.splitlines()[0]
        assert "trusted are" not in error

    @pytest.mark.parametrize(("content", "expected"), [(None, "No such file or directory"), ("", "no certificates")])
    def test_unusable_bundle_is_explained(
        self,
        client: NetworkClient,
        server: ScriptedServer,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        content: str | None,
        expected: str,
    ) -> None:
        bundle = tmp_path / "bundle.pem"
        if content is not None:
            bundle.write_text(content)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        monkeypatch.delenv("AWS_CA_BUNDLE")

        error = client.request(server.url)

        assert f"REQUESTS_CA_BUNDLE: {bundle}: " in error
        assert expected in error


def assert_no_password(error: str) -> None:
    """Check that an error shows neither the password nor its encoded form."""
    assert error
    assert PASSWORD not in error
    assert quote(PASSWORD, safe="") not in error
