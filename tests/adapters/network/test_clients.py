"""AWS clients, the registry's client and the prober in networks with proxies and authorities of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.adapters.http.prober import HttpProber
from kaizen_tasks.adapters.notify.messenger import TargetMessenger
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.transport import StaticCredentials
from kaizen_tasks.domain.notification.target import NotifyTarget
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.ports.images import Login
from kaizen_tasks.ports.secrets import Secret
from tests.contracts.network import HOST, NetworkClient, NetworkContract
from tests.fakes.clock import START, FakeClock
from tests.fakes.secrets import FakeSecrets
from tests.support.connect_proxy import ConnectProxy
from tests.support.notify_messages import promoted
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.adapters.network.settings import NetworkSettings

pytestmark = pytest.mark.integration

REGION, ACCOUNT = "eu-west-1", "123456789012"
CALLER = f"<Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:user/ada</Arn>"
RESULT = f"<GetCallerIdentityResult>{CALLER}</GetCallerIdentityResult>"
IDENTITY = f"<GetCallerIdentityResponse>{RESULT}</GetCallerIdentityResponse>"


@pytest.fixture
def network() -> NetworkSettings:
    return Aws(region=REGION, profile="", account="").network


class TestAwsClients(NetworkContract):
    @pytest.fixture
    def client(self, monkeypatch: pytest.MonkeyPatch) -> AwsClient:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        return AwsClient(monkeypatch)


class AwsClient:
    """Asks STS who the caller is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def prepare(self, server: ScriptedServer) -> None:
        server.script["POST /"] = [Reply(body=IDENTITY.encode())]

    def request(self, url: str) -> str:
        self._monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        return _error_of(Aws(region=REGION, profile="", account=ACCOUNT).account_id)


class TestRegistryClient(NetworkContract):
    @pytest.fixture
    def client(self, network: NetworkSettings) -> RegistryClient:
        return RegistryClient(network)


class RegistryClient:
    """Asks a registry for the digest of a tag, twice over the same connection."""

    def __init__(self, network: NetworkSettings) -> None:
        self._network = network

    def prepare(self, server: ScriptedServer) -> None:
        server.script["HEAD /v2/app/manifests/v1"] = [Reply(headers={"Docker-Content-Digest": "sha256:1"})]

    def request(self, url: str) -> str:
        login = Login(url=url, username="AWS", password=Secret("token"))
        client = OciClient(StaticCredentials(login), clock=FakeClock(), network=self._network)
        return _error_of(lambda: [client.resolve_digest("app", "v1") for _ in range(2)])


class TestProber(NetworkContract):
    @pytest.fixture
    def client(self, network: NetworkSettings) -> ProberClient:
        return ProberClient(network)


class ProberClient:
    """Asks an app for its version."""

    def __init__(self, network: NetworkSettings) -> None:
        self._prober = HttpProber(network)

    def prepare(self, server: ScriptedServer) -> None:
        server.script["GET /version"] = [Reply()]

    def request(self, url: str) -> str:
        return self._prober.probe(f"{url}/version", timeout=HANG_SECONDS, max_bytes=100).error


class TestMessages(NetworkContract):
    @pytest.fixture
    def client(self, network: NetworkSettings) -> MessengerClient:
        return MessengerClient(network)

    def test_plain_http_is_forwarded_by_the_proxy(self, client: NetworkClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """An address of a webhook is a secret: it is not sent without TLS, and not to a proxy either."""
        with ScriptedServer() as server, ConnectProxy({f"{HOST}:8080": server.port}) as proxy:
            client.prepare(server)
            monkeypatch.setenv("HTTP_PROXY", proxy.url)

            assert "begins with http://" in client.request(f"http://{HOST}:8080")
        assert (server.requests, proxy.requests) == ([], [])


class MessengerClient:
    """Sends a message to a webhook on this machine, or behind a proxy."""

    def __init__(self, network: NetworkSettings) -> None:
        self._network = network

    def prepare(self, server: ScriptedServer) -> None:
        server.script["POST /hook"] = [Reply()]

    def request(self, url: str) -> str:
        secrets = FakeSecrets()
        secrets.create("kaizen/hook", f"{url}/hook", version="1", at=START)
        messenger = TargetMessenger(lambda: secrets, network=lambda: self._network, clock=FakeClock(), is_local=True)
        return _error_of(lambda: messenger.send(promoted(), NotifyTarget(name="team", webhook_secret="kaizen/hook")))


def _error_of(action: Callable[[], object]) -> str:
    """Return the error of an action as a user sees it, or an empty string."""
    try:
        action()
    except KaizenError as error:
        return str(error)
    return ""
