"""The registry, ledger, lock and hold contracts on ministack: `nox -s emulator`."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from kaizen_tasks.adapters.aws.account_admin import AwsAccount
from kaizen_tasks.adapters.aws.apprunner import AppRunnerPlatform
from kaizen_tasks.adapters.aws.dynamodb.holds import DynamoHolds
from kaizen_tasks.adapters.aws.dynamodb.ledger import DynamoLedger
from kaizen_tasks.adapters.aws.dynamodb.locks import DynamoLocks
from kaizen_tasks.adapters.aws.ecr import EcrRegistry
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.transport import StaticCredentials
from kaizen_tasks.flows import setup
from tests.contracts.holds import HoldsContract
from tests.contracts.ledger import LedgerContract
from tests.contracts.locks import LocksContract
from tests.contracts.registry import RegistryContract
from tests.emulator.ministack import VARIABLE
from tests.fakes.clock import FakeClock
from tests.fakes.tools import FakeTools, settings
from tests.support import oci_images
from tests.support.oci_images import Sample

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

pytestmark = pytest.mark.integration

URL = os.environ[VARIABLE]
REPOSITORIES = ("team/staging", "team/prod")


class Emulated(Aws):
    """A session on ministack, which reports AWS's registry URL instead of its own."""

    def ecr(self) -> ECRClient:
        client = super().ecr()
        events = client.meta.events
        events.register("after-call.ecr.GetAuthorizationToken", _moved_registry, unique_id="registry")
        events.register("after-call.ecr.DescribeRepositories", _moved_repositories, unique_id="repositories")
        return client


def _moved_registry(parsed: dict[str, Any], **_: object) -> None:
    for each in parsed.get("authorizationData", []):
        each["proxyEndpoint"] = URL


def _moved_repositories(parsed: dict[str, Any], **_: object) -> None:
    for each in parsed.get("repositories", []):
        each["repositoryUri"] = f"{URL.removeprefix('http://')}/{each['repositoryName']}"


@pytest.fixture(scope="module")
def aws() -> Aws:
    """Create the clients once: that takes longer than their calls."""
    with pytest.MonkeyPatch.context() as environ:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environ.setenv(name, "local")
        environ.setenv("AWS_ENDPOINT_URL", URL)
        aws = Emulated(region="us-east-1", profile="", account="000000000000")
        aws.ecr()
        aws.dynamodb()
    return aws


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def app(aws: Aws, clock: FakeClock) -> str:
    """An app with an empty table."""
    name = f"coach-{secrets.token_hex(4)}"
    DynamoLedger(aws, app=name, clock=clock).create()
    return name


class TestLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, aws: Aws, app: str, clock: FakeClock) -> DynamoLedger:
        return DynamoLedger(aws, app=app, clock=clock)


class TestLocks(LocksContract):
    @pytest.fixture
    def locks(self, aws: Aws, app: str) -> DynamoLocks:
        return DynamoLocks(aws, app=app, environ={})


class TestHolds(HoldsContract):
    @pytest.fixture
    def holds(self, aws: Aws, app: str, clock: FakeClock) -> DynamoHolds:
        return DynamoHolds(aws, app=app, clock=clock)


@frozen
class EmulatedShelf:
    registry: EcrRegistry
    sample: Sample

    def put(self, repository: str, tag: str, sample: Sample) -> None:
        sample.push(OciClient(StaticCredentials(self.registry.credentials()), clock=SystemClock()), repository, tag)


class TestRegistry(RegistryContract):
    @pytest.fixture
    def shelf(self, aws: Aws) -> EmulatedShelf:
        ecr = aws.ecr()
        for name in REPOSITORIES:
            with suppress(ecr.exceptions.RepositoryNotFoundException):
                ecr.delete_repository(repositoryName=name, force=True)
            ecr.create_repository(repositoryName=name)
        shelf = EmulatedShelf(EcrRegistry(aws, clock=FakeClock(datetime.now(UTC))), oci_images.image())
        shelf.put("team/staging", "v1.2.3", shelf.sample)
        return shelf


def test_setup_does_what_the_emulator_can(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows no account settings, and forgets the exceptions from tag immutability."""
    tools = FakeTools(settings=settings(aws={"region": "us-east-1"}))
    platform, clock = AppRunnerPlatform(aws), SystemClock()
    ledger = DynamoLedger(aws, app="web", clock=clock)
    account = AwsAccount(aws, settings=tools.settings, ledger=ledger, platform=platform, clock=clock)
    monkeypatch.setattr(tools, "account", account)
    environments = tools.settings.environments.values()
    for environment in environments:
        with suppress(aws.ecr().exceptions.RepositoryAlreadyExistsException):
            aws.ecr().create_repository(repositoryName=environment.repository)

    setup.run_setup(setup.setup_flow([*environments]), tools)

    assert account.ledger_table().exists
    assert any(line.startswith("  left as it is: blob mounting: ") for line in tools.reporter.lines)
    assert all(account.tag_mutability(each.repository).may_move(each.follow) for each in environments)
