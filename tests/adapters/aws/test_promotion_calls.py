"""The AWS calls that one more environment costs in a promotion, on each platform: accounts limit their rate."""

from __future__ import annotations

import inspect
import io
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from attrs import evolve, frozen
from semver import Version

from kaizen_tasks.domain.environment import Stage
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.new_service import NewService
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.deploy.image import image_reference
from kaizen_tasks.flows.execution import execute_change
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.locking.session import acquire_locks
from kaizen_tasks.flows.promote.rollout import Rollout, RolloutOptions
from kaizen_tasks.wiring import Toolbox
from tests.adapters.aws.test_calls import DeploymentClock
from tests.fakes.tools import settings
from tests.localcloud.layers import Pushed
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaizen_tasks.domain.environment import Environment

SERVER = """
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"version": os.environ["APP_VERSION"], "environment": os.environ["ENVIRONMENT"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
PLATFORMS = ("apprunner", "ecs-express", "ecs")
TENANTS = {platform: tuple(f"{platform}-{number}" for number in range(4)) for platform in PLATFORMS}
SETTINGS = settings(
    environments={
        "staging": {},
        **{
            name: {"platform": platform, "url": f"https://{name}.example"}
            for platform, names in TENANTS.items()
            for name in names
        },
    },
    groups={platform: list(names) for platform, names in TENANTS.items()},
    pipeline=["staging", *PLATFORMS],
)
STAGING = SETTINGS.environments["staging"]
OLD, *VERSIONS = "0.1.0", "0.2.0", "0.3.0"
SECONDS = 1.0
"""How long a deployment takes, where AWS takes minutes."""

COPY_CALLS = ("BatchCheckLayerAvailability",)
UNDER_LOCK = {
    "apprunner": (
        *COPY_CALLS,
        *("DescribeService", "TransactWriteItems", "PutImage", "StartDeployment", "TransactWriteItems"),
        *("ListOperations", "TransactWriteItems"),
    ),
    "ecs-express": (
        *COPY_CALLS,
        *("DescribeExpressGatewayService", "TransactWriteItems", "ListServiceDeployments"),
        *("UpdateExpressGatewayService", "TransactWriteItems", "ListServiceDeployments", "TransactWriteItems"),
    ),
    "ecs": (
        *COPY_CALLS,
        *("DescribeServices", "TransactWriteItems", "ListServiceDeployments", "RegisterTaskDefinition"),
        *("UpdateService", "TransactWriteItems", "ListServiceDeployments", "TransactWriteItems"),
    ),
}
"""What is asked and told: the layers that are there, the service, the intent, the tag, the start and its operation, the
end, and the outcome with the verification. What the target holds under the tag is asked of its registry."""

BEFORE_LOCK = ("GetLifecyclePolicy", "DescribeService")
"""What is checked on App Runner before anything is changed; on ECS it is more, see `flows.doctor.ecs`."""

SHARED = {"BatchGetItem"}
"""Up to 50 locks, or a hundred holds or ledgers, at once; a lock at most once a second."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud whose deployments take their time; staging has several releases."""
    with Cloud(tmp_path_factory.mktemp("cloud"), "--deploy-seconds", str(SECONDS)) as running:
        images = Pushed(running.client("ecr"))
        images.repository(STAGING.repository)
        for version in VERSIONS:
            images.app(STAGING.repository, f"v{version}", tag=f"v{version}", script=SERVER)
        yield running


@frozen
class Team:
    """Somebody who promotes to tenants."""

    cloud: Cloud

    def set_up(self, names: Sequence[str]) -> Team:
        """Create repositories and services with a history, and let staging have verified everything."""
        tools = self._tools()
        if not tools.ledger_table.exists():
            tools.ledger_table.create()
            tools.ledger_table.write_format()
            for version in VERSIONS:
                entries.append(Event.VERIFIED, STAGING, self._release(version), tools)
        environments = [SETTINGS.environments[name] for name in names]
        for environment in environments:
            digest = self._create_service(environment, tools)
            old = Release(version=Version.parse(OLD), digest=digest)
            entries.append(Event.DEPLOYED, environment, old, tools, took=SECONDS)
            entries.append(Event.VERIFIED, environment, old, tools)
        wait_for(lambda: all(_is_running(environment, tools) for environment in environments))
        return self

    def _create_service(self, environment: Environment, tools: Toolbox) -> str:
        """Begin to create a service; return the digest of its image."""
        images = Pushed(self.cloud.client("ecr"))
        images.repository(environment.repository)
        digest = images.app(environment.repository, f"v{OLD}", script=SERVER)
        service = NewService(
            image=image_reference(environment, digest, tools),
            image_platform="linux/amd64",
            variables={"ENVIRONMENT": environment.name},
            secrets={},
            port=8080,
            health_path="/",
            start_timeout=60,
        )
        tools.provisioner_at(environment).create_service(environment, service)
        return digest

    def promote(self, version: str, names: Sequence[str]) -> tuple[Counter[str], Counter[str]]:
        """Promote as `inv promote-<group>` does; return the AWS calls of the run, and those from the first lock on.

        One request acquires up to 25 locks behind the first one, and another one releases as many.
        """
        stage = Stage(name="tenants", environments=tuple(SETTINGS.environments[name] for name in names))
        before = Stage(name="staging", environments=(STAGING,))
        tools, first = self._tools(), len(self.cloud.requests)
        rollout = Rollout(
            stage=stage,
            release=self._release(version),
            flow_for=lambda environment: catalogue.promotion(environment, before=before),
            options=RolloutOptions(command=("promote-tenants",)),
        )
        change = evolve(rollout.as_change("promote", tools), evidence_environments=before.environments)
        execute_change(change, tools, confirm=lambda *_: None, command="promote")
        calls = [each["operation"] for each in self.cloud.requests[first:] if each["service"] != "registry"]
        return _count(calls), _count(calls[calls.index("UpdateItem") :])

    def _release(self, version: str) -> Release:
        details = self.cloud.client("ecr").describe_images(
            repositoryName=STAGING.repository, imageIds=[{"imageTag": f"v{version}"}]
        )
        return Release(version=Version.parse(version), digest=details["imageDetails"][0]["imageDigest"])

    def _tools(self) -> Toolbox:
        tools = Toolbox(SETTINGS, dry=False, draft=True, stream=io.StringIO())
        tools.__dict__["clock"] = DeploymentClock(self.cloud, seconds=SECONDS)
        return tools


def _is_running(environment: Environment, tools: Toolbox) -> bool:
    return tools.at(environment).platform.get_service(environment.service).status is ServiceStatus.RUNNING


def _count(calls: Sequence[str]) -> Counter[str]:
    return Counter(call for call in calls if call not in SHARED)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_one_more_environment_of_a_promotion_costs_these_calls(
    credentials: None,  # noqa: ARG001 - it sets them
    cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
) -> None:
    defaults = inspect.unwrap(acquire_locks).__kwdefaults__
    monkeypatch.setitem(defaults, "lease", 3600.0)  # none is renewed or runs out, however long the test takes
    tenants = TENANTS[platform]
    team = Team(cloud).set_up(tenants)

    three, three_locked = team.promote(VERSIONS[0], tenants[:3])
    four, four_locked = team.promote(VERSIONS[1], tenants)

    assert four_locked - three_locked == Counter(UNDER_LOCK[platform])
    assert len(UNDER_LOCK[platform]) <= 9
    if platform == "apprunner":
        assert four - three == Counter([*BEFORE_LOCK, *UNDER_LOCK[platform]])
