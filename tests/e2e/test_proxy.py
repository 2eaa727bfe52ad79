"""Whole commands in a company's network: a proxy with a password, and certificates of the company's own authority."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from tests.contracts.network import assert_no_password
from tests.support.certificates import create_authority
from tests.support.connect_proxy import ConnectProxy
from tests.support.tls_gateway import TlsGateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.local_cloud import Cloud
    from tests.support.workspaces import Workspace

pytestmark = pytest.mark.e2e

HOST = "aws.example"


@pytest.fixture
def gateway(cloud: Cloud, tmp_path: Path) -> Iterator[TlsGateway]:
    with TlsGateway(cloud, context=create_authority(tmp_path, HOST).server, host=HOST) as gateway:
        yield gateway


@pytest.fixture
def proxy(gateway: TlsGateway) -> Iterator[ConnectProxy]:
    with ConnectProxy({f"{HOST}:443": gateway.port}) as proxy:
        yield proxy


@pytest.fixture
def office(create_app: Callable[..., Workspace], proxy: ConnectProxy, tmp_path: Path) -> Workspace:
    """An app whose AWS is reached through the proxy only."""
    workspace = create_app(further="[environments.prod]\n")
    network = {
        "AWS_ENDPOINT_URL": f"https://{HOST}",
        "HTTPS_PROXY": proxy.url,
        "AWS_CA_BUNDLE": str(tmp_path / "authority.pem"),
        "NO_PROXY": "",
    }
    return evolve(workspace, environ={**workspace.environ, **network})


def test_release_and_promotion_go_through_the_proxy(
    office: Workspace, proxy: ConnectProxy, gateway: TlsGateway
) -> None:
    office.inv("release-staging").expect_success()
    office.inv("promote-prod", "--yes").expect_success()

    environments = office.inv("status", "--json").expect_success().document["environments"]
    assert environments["prod"]["digest"] == environments["staging"]["digest"] != ""
    assert environments["prod"]["drift"] == []
    assert {line.partition(" HTTP/")[0] for line in proxy.requests} == {f"CONNECT {HOST}:443"}
    assert any(line.startswith("PUT /v2/") for line in gateway.requests)
    assert len(proxy.requests) < len(gateway.requests) / 2  # tunnels are reused


def test_doctor_says_what_is_in_effect(office: Workspace, proxy: ConnectProxy, tmp_path: Path) -> None:
    findings = office.inv("doctor", "--json").document["findings"]

    messages = {finding["check"]: (finding["verdict"], finding["what"]) for finding in findings}
    assert messages["proxy"] == ("ok", f"all hosts are reached through http://{proxy.address} (HTTPS_PROXY)")
    assert messages["certificates"] == (
        "ok",
        f"trusted are the authorities in {tmp_path / 'authority.pem'} (AWS_CA_BUNDLE)",
    )
    assert messages["network"] == ("ok", f"{HOST} answers")


@pytest.mark.parametrize(
    ("variables", "code", "message"),
    [
        ({"HTTPS_PROXY": "http://ada:wrong@{proxy}"}, 3, "rejects this user name or password (HTTP 407)"),
        ({"HTTPS_PROXY": "http://127.0.0.1:9"}, 3, "the proxy http://127.0.0.1:9 (HTTPS_PROXY) refuses the connection"),
        ({"HTTPS_PROXY": "socks5://127.0.0.1:9"}, 2, "HTTPS_PROXY names a proxy of another kind than HTTP"),
        ({"AWS_CA_BUNDLE": ""}, 3, f"the certificate of {HOST} is not trusted: "),
        ({"AWS_CA_BUNDLE": "/nowhere.pem"}, 2, "AWS_CA_BUNDLE: /nowhere.pem: No such file or directory"),
    ],
)
def test_wrong_setting_is_named_in_three_lines(
    office: Workspace, proxy: ConnectProxy, variables: dict[str, str], code: int, message: str
) -> None:
    environ = {name: value.format(proxy=proxy.address) for name, value in variables.items()}
    result = evolve(office, environ={**office.environ, **environ}).inv("status")

    assert (result.code, message in result.err) == (code, True), result.err
    assert result.err.count("\n") <= 3
    assert_no_password(result.err)
