"""Docker-registry and a scripted registry, with a client of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import define

from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.transport import StaticCredentials
from kaizen_tasks.ports.images import Login
from kaizen_tasks.ports.secrets import Secret
from tests.fakes.clock import FakeClock
from tests.support.docker_registry import DockerRegistry, docker_registry
from tests.support.scripted_server import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@define
class Rotating:
    """Credentials with a new password after every rejection."""

    url: str
    number: int = 1

    def login(self) -> Login:
        return Login(url=self.url, username="AWS", password=Secret(f"password-{self.number}"))

    def renew(self, stale: Login) -> Login:
        if stale == self.login():
            self.number += 1
        return self.login()


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[DockerRegistry]:
    if not docker_registry():
        pytest.skip("docker-registry is not installed")
    with DockerRegistry(tmp_path) as registry:
        yield registry


@pytest.fixture
def client(plain: DockerRegistry) -> OciClient:
    return OciClient(StaticCredentials(plain.login), clock=FakeClock())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def hearing(scripted: ScriptedServer, clock: FakeClock) -> OciClient:
    """A client of the scripted registry."""
    login = Login(url=scripted.url, username="AWS", password=Secret("let-me-in"))
    return OciClient(StaticCredentials(login), clock=clock)


@pytest.fixture
def renewing(scripted: ScriptedServer, clock: FakeClock) -> OciClient:
    """The same, with credentials that can be renewed."""
    return OciClient(Rotating(scripted.url), clock=clock)
