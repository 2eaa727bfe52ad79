"""The AWS calls of a deployment; all environments of an account share the rate limits."""

from __future__ import annotations

import io
import json
import threading
from typing import TYPE_CHECKING

import pytest
from attrs import frozen
from semver import Version

from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.domain.release import Release
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

CALLS = (
    *("BatchGetImage", "BatchCheckLayerAvailability", "Query", "DescribeService", "TransactWriteItems", "PutImage"),
    *("ListOperations", "TransactWriteItems", "ListOperations", "TransactWriteItems", "TransactWriteItems"),
)
"""The calls of a deployment that starts by itself when the tag moves: instead of a start, a look for the operation."""

SETTINGS = settings(environments={"staging": {}, "mark": {}}, groups={}, pipeline=["staging", "mark"])


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
    """Time that passes for a thread only while it waits: on a busy machine, polls would be late and more otherwise.

    A wait for a deployment's end lasts until it has ended.
    """

    def __init__(self, cloud: Cloud, *, seconds: float = float(TAKES)) -> None:
        super().__init__()
        self.cloud = cloud
        self.seconds = seconds
        self._waited = threading.local()

    def monotonic(self) -> float:
        """Return for how many seconds this thread has waited."""
        waited: float = getattr(self._waited, "seconds", 0.0)
        return waited

    def sleep(self, seconds: float) -> None:
        """Wait; if it is for as long as a deployment takes, wait until none is in progress."""
        self._waited.seconds = self.monotonic() + seconds
        super().sleep(seconds)
        if seconds >= self.seconds / 2:
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


def test_deployment_that_starts_by_itself_takes_these_calls(
    credentials: None,  # noqa: ARG001 - it sets them
    cloud: Cloud,
) -> None:
    """The first asks the platform how long it takes, and what `:latest` names; after that the ledger knows both."""
    shop = Shop(cloud, "mark").founded(automatic=True)

    first = shop.roll_out("0.2.0")
    second = shop.roll_out("0.3.0")

    assert set(first) == set(CALLS)
    assert second == [*CALLS]
