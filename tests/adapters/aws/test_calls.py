"""The AWS calls of a deployment; all environments of an account share the rate limits."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from attrs import frozen
from semver import Version

from kaizen_tasks.adapters.aws.provision import NewService
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.flows.deploy.image import image_reference
from kaizen_tasks.flows.runner import run_flow
from kaizen_tasks.flows.steps import CopyImage, Deploy, Record
from kaizen_tasks.wiring import Toolbox
from tests.adapters.conftest import ACCOUNT, REGION
from tests.fakes.tools import settings
from tests.localcloud.layers import Pushed
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

TAKES = "3"
"""Seconds, where AWS takes four minutes."""

ONCE_A_RUN = {"GetCallerIdentity", "GetAuthorizationToken", "ListServices"}
"""However many environments it has."""

MOST = 11
COPY_CALLS = ("BatchGetImage", "BatchCheckLayerAvailability")
EXPRESS_CALLS = (
    *("Query", "DescribeExpressGatewayService", "DescribeServiceDeployments", "TransactWriteItems"),
    *("ListServiceDeployments", "UpdateExpressGatewayService", "TransactWriteItems"),
    *("ListServiceDeployments", "TransactWriteItems", "TransactWriteItems"),
)
PLAIN_CALLS = (
    *("Query", "DescribeServices", "DescribeTaskDefinition", "DescribeServiceRevisions", "TransactWriteItems"),
    *("ListServiceDeployments", "RegisterTaskDefinition", "UpdateService", "TransactWriteItems"),
    *("ListServiceDeployments", "TransactWriteItems", "TransactWriteItems"),
)
"""The calls of a deployment: what the ledger and the service say, the start, the end, what is recorded.

Behind a load balancer, a plain service has no address that is read from its revision.
"""

SETTINGS = settings(
    environments={
        "staging": {},
        "prod": {},
        "mark": {},
        "shane": {"platform": "ecs-express"},
        "dom": {"platform": "ecs", "url": "https://dom.example"},
    }
)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud whose deployments take their time; staging has two releases."""
    with Cloud(tmp_path_factory.mktemp("cloud"), "--deploy-seconds", TAKES) as running:
        images = Pushed(running.client("ecr"))
        images.repository("staging-web-app")
        for version in ("v0.2.0", "v0.3.0"):
            images.app("staging-web-app", version, tag=version)
        yield running


class DeploymentClock(SystemClock):
    """Real time that does not run ahead of the cloud: a wait for a deployment's end lasts until it has ended."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__()
        self.cloud = cloud

    def sleep(self, seconds: float) -> None:
        """Wait; if it is for as long as a deployment takes, wait until none is in progress."""
        super().sleep(seconds)
        if seconds >= float(TAKES) / 2:
            wait_for(lambda: not self._has_deployment_in_progress())

    def _has_deployment_in_progress(self) -> bool:
        """Read the cloud's files: a call would be counted."""
        services = (self.cloud.state / "apprunner" / "services").glob("[!.]*.json")
        is_deploying = any(json.loads(path.read_bytes())["operations"][-1]["ended"] is None for path in services)
        ecs_services = (self.cloud.state / "ecs" / "services").glob("[!.]*.json")
        return is_deploying or any(
            json.loads(path.read_bytes())["value"]["deployments"][-1]["finished"] is None for path in ecs_services
        )


@frozen
class Shop:
    """An environment that runs what was deployed by hand."""

    cloud: Cloud
    environment: str

    def founded(self, *, automatic: bool) -> Shop:
        """Create repositories, images and the service."""
        images, name = Pushed(self.cloud.client("ecr")), self.environment
        images.repository(f"{name}-web-app")
        images.app(f"{name}-web-app", "v0.1.0")
        image = {"ImageIdentifier": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}-web-app:latest"}
        client = self.cloud.client("apprunner")
        arn = client.create_service(
            ServiceName=f"{name}-web-service",
            SourceConfiguration={
                "AuthenticationConfiguration": {"AccessRoleArn": f"arn:aws:iam::{ACCOUNT}:role/pulls"},
                "ImageRepository": {**image, "ImageRepositoryType": "ECR"},
                "AutoDeploymentsEnabled": automatic,
            },
        )["Service"]["ServiceArn"]
        wait_for(lambda: client.describe_service(ServiceArn=arn)["Service"]["Status"] == "RUNNING")
        return self

    def on_cluster(self) -> Shop:
        """Create repositories, images and the service on ECS."""
        environment = SETTINGS.environments[self.environment]
        images, name = Pushed(self.cloud.client("ecr")), self.environment
        images.repository(f"{name}-web-app")
        digest = images.app(f"{name}-web-app", "v0.1.0", tag="v0.1.0")
        tools = Toolbox(SETTINGS, dry=False, draft=True, stream=io.StringIO())
        image = image_reference(environment, digest, tools)
        service = NewService(image=image, variables={}, secrets={}, port=8080, health_path="/", start_timeout=60)
        tools.provisioner_at(environment).create_service(environment, service)
        platform = tools.at(environment).platform
        wait_for(lambda: platform.get_service(environment.service).status is ServiceStatus.RUNNING)
        return self

    def roll_out(self, version: str) -> list[str]:
        """Copy, deploy and record a release; return the calls of AWS's own APIs that this took."""
        tools = Toolbox(SETTINGS, dry=False, draft=True, stream=io.StringIO())
        tools.__dict__["clock"] = DeploymentClock(self.cloud)
        if not tools.ledger_table.exists():
            tools.ledger_table.create()
        source, target = tools.settings.environments["staging"], tools.settings.environments[self.environment]
        digest = self.cloud.client("ecr").describe_images(
            repositoryName=source.repository, imageIds=[{"imageTag": f"v{version}"}]
        )["imageDetails"][0]["imageDigest"]
        flow = (CopyImage(environment=target, source=source), Deploy(environment=target), Record(environment=target))
        before = len(self.cloud.requests)
        with tools.caching_ledger([target.name]):
            run_flow(flow, Release(version=Version.parse(version), digest=digest), tools)
        asked = [each for each in self.cloud.requests[before:] if each["service"] != "registry"]
        return [each["operation"] for each in asked if each["operation"] not in ONCE_A_RUN]


@pytest.mark.parametrize(("environment", "automatic"), [("prod", False), ("mark", True)])
def test_deployment_of_typical_duration_takes_eleven_calls(
    credentials: None,  # noqa: ARG001 - it sets them
    cloud: Cloud,
    environment: str,
    *,
    automatic: bool,
) -> None:
    """The first asks the platform how long it takes, and what `:latest` names; after that the ledger knows both."""
    shop = Shop(cloud, environment).founded(automatic=automatic)

    first = shop.roll_out("0.2.0")
    second = shop.roll_out("0.3.0")

    assert len(first) <= MOST + 2, first
    assert len(second) <= MOST, second
    assert second.count("ListOperations") == (2 if automatic else 1), second


@pytest.mark.parametrize(("environment", "calls"), [("shane", EXPRESS_CALLS), ("dom", PLAIN_CALLS)])
def test_deployment_to_ecs_asks_nothing_twice(
    credentials: None,  # noqa: ARG001 - it sets them
    cloud: Cloud,
    environment: str,
    calls: tuple[str, ...],
) -> None:
    shop = Shop(cloud, environment).on_cluster()
    shop.roll_out("0.2.0")

    assert shop.roll_out("0.3.0") == [*COPY_CALLS, *calls]
