"""ECS and the registry's store without HTTP; the answers are checked against the model of the API."""

from __future__ import annotations

import functools
import io
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from kaizen_tasks.localcloud.ecs.ecs_api import Ecs
from kaizen_tasks.localcloud.logs.groups import LogGroups
from kaizen_tasks.localcloud.registry.store import ImageStore
from kaizen_tasks.localcloud.server.aws_json import AwsJsonEndpoint
from kaizen_tasks.localcloud.server.botocore_shapes import decode, find_violations
from kaizen_tasks.localcloud.server.http_message import HttpRequest
from kaizen_tasks.localcloud.server.request_body import RequestBody
from tests.localcloud.ecs.samples import fargate
from tests.localcloud.layers import Shelf
from tests.localcloud.manual_clock import ManualClock
from tests.support.waiting import HANG_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kaizen_tasks.localcloud.instances.launcher import EngineChoice

REGISTRY = "127.0.0.1:4566"
ROLE = "arn:aws:iam::123456789012:role/execution"
_STEP_SECONDS = 5.0
FINAL = {"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}


class RefusedError(Exception):
    """ECS has answered with an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@functools.cache
def ecs_model() -> ServiceModel:
    """Return botocore's model of ECS."""
    return ServiceModel(Loader().load_service_model("ecs", "service-2"))


class Region:
    """ECS of one account and region, whose tasks answer what the labels of their images ask for.

    Args:
        folder: the folder of its state.
        engine: how its containers run; stand-ins by default.
        deploy_seconds: minimum duration of a deployment's stages, by a clock that the test moves on.
        alarms: the names of CloudWatch's alarms that are in the state ALARM.
    """

    def __init__(
        self,
        folder: Path,
        *,
        engine: EngineChoice = "none",
        deploy_seconds: float = 0,
        alarms: set[str] | None = None,
    ) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.alarms = alarms or set()
        self._engine: EngineChoice = engine
        self._deploy_seconds = deploy_seconds
        self.start()

    def start(self) -> None:
        """Start ECS on the folder."""
        self.images = Shelf(ImageStore(self.folder / "registry"))
        self.groups = LogGroups(self.folder / "logs")
        self.ecs = Ecs(
            state=self.folder / "ecs",
            store=self.images.store,
            account="123456789012",
            region="eu-west-1",
            engine=self._engine,
            deploy_seconds=self._deploy_seconds,
            registry=REGISTRY,
            triggered_alarms=lambda names: tuple(name for name in names if name in self.alarms),
            log_groups=self.groups,
            clock=self.clock,
        )
        self._endpoint = AwsJsonEndpoint(service=self.ecs)

    def restart(self, *, deploy_seconds: float | None = None) -> None:
        """Stop ECS and start it again on the same folder, perhaps with deployments that last longer."""
        self.ecs.close()
        if deploy_seconds is not None:
            self._deploy_seconds = deploy_seconds
        self.start()

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Return the answer to a request, both of which follow the model.

        Raises:
            RefusedError: ECS has answered with an error.
        """
        content = json.dumps(request).encode()
        body = RequestBody(io.BytesIO(content), len(content))
        response = self._endpoint.handle(HttpRequest(method="POST", target="/", headers={}, body=body), operation)
        assert isinstance(response.body, bytes)
        document: dict[str, Any] = json.loads(response.body)
        if response.status != 200:
            raise RefusedError(document["__type"], document["message"])
        shape = ecs_model().operation_model(operation).output_shape
        if shape is not None:
            assert list(find_violations(shape, decode(shape, document))) == []
        return document

    def push(self, version: str, *, repository: str = "web", **statuses: int) -> str:
        """Push an image whose tasks answer `GET /NAME` with a status; return its name by digest."""
        if not any(known.name == repository for known in self.images.store.repositories()):
            self.images.repository(repository)
        answers = {f"GET /{name}": {"status": status, "text": "{version}"} for name, status in statuses.items()}
        labels = {
            "org.opencontainers.image.version": version,
            "dev.kaizen.stand-in.answers": json.dumps(answers),
            "dev.kaizen.image": "stand-in",
        }
        digest = self.images.image(repository, [], tag=version, config={"Labels": labels})
        return f"{REGISTRY}/{repository}@{digest}"

    def register(self, image: str, **container: Any) -> str:
        """Register a task definition and return its ARN."""
        web = {"name": "web", "image": image, "portMappings": [{"containerPort": 8080, "name": "http"}], **container}
        return str(self.call("RegisterTaskDefinition", **fargate(web))["taskDefinition"]["taskDefinitionArn"])

    def create_service(self, image: str, *, name: str = "web", **members: Any) -> dict[str, Any]:
        """Create a service and wait until it is deployed; return it."""
        request = {"serviceName": name, "taskDefinition": self.register(image), "desiredCount": 1, **members}
        answer = self.call("CreateService", **request)["service"]
        self.outcome(answer["currentServiceDeployment"])
        return self.service(name)

    def update_service(self, *, name: str = "web", **members: Any) -> str:
        """Update a service; return the ARN of the deployment."""
        answer = self.call("UpdateService", service=name, **members)["service"]
        return str(answer["currentServiceDeployment"])

    def create_express(self, image: str, *, name: str = "web", **members: Any) -> dict[str, Any]:
        """Create an Express service and wait until it is deployed; return it."""
        answer = self.call(
            "CreateExpressGatewayService",
            **{
                "serviceName": name,
                "infrastructureRoleArn": ROLE,
                "executionRoleArn": ROLE,
                "primaryContainer": {"image": image},
                **members,
            },
        )["service"]
        self.outcome(answer["currentDeployment"])
        return self.express(answer["serviceArn"])

    def update_express(self, arn: str, image: str) -> str:
        """Update the image of an Express service; return the ARN of the deployment."""
        self.call("UpdateExpressGatewayService", serviceArn=arn, primaryContainer={"image": image})
        return str(self.express(arn)["currentDeployment"])

    def service(self, name: str = "web") -> dict[str, Any]:
        """Describe a service."""
        (service,) = self.call("DescribeServices", services=[name])["services"]
        return dict(service)

    def express(self, arn: str) -> dict[str, Any]:
        """Describe an Express service."""
        return dict(self.call("DescribeExpressGatewayService", serviceArn=arn)["service"])

    def deployment(self, arn: str) -> dict[str, Any]:
        """Describe a service deployment."""
        answer = self.call("DescribeServiceDeployments", serviceDeploymentArns=[arn])
        return dict(answer["serviceDeployments"][0])

    def revision(self, arn: str) -> dict[str, Any]:
        """Describe a service revision."""
        return dict(self.call("DescribeServiceRevisions", serviceRevisionArns=[arn])["serviceRevisions"][0])

    def outcome(self, deployment_arn: str) -> str:
        """Wait until a deployment has ended; return its status."""
        wait_for(lambda: self.deployment(deployment_arn)["status"] in FINAL)
        return str(self.deployment(deployment_arn)["status"])

    def pass_time(self, condition: Callable[[], bool]) -> None:
        """Move the clock on, not faster than threads can follow, until a condition holds."""

        def holds() -> bool:
            self.clock.reading += _STEP_SECONDS
            return condition()

        wait_for(lambda: condition() or holds())

    def wait_for_task(self, deployment_arn: str) -> None:
        """Wait until the first task of a deployment is healthy."""
        wait_for(lambda: self.deployment(deployment_arn)["targetServiceRevision"]["runningTaskCount"] > 0)

    def reach(self, deployment_arn: str, stage: str) -> None:
        """Let time pass until a deployment whose tasks are healthy is in a lifecycle stage."""
        self.pass_time(lambda: self.deployment(deployment_arn).get("lifecycleStage") == stage)

    def address(self, name: str = "web") -> str:
        """Return the address of a service on loopback."""
        revision = self.revision(self.service(name)["currentServiceRevisions"][0]["arn"])
        resources = revision["ecsManagedResources"]
        if "ingressPaths" in resources:
            return f"http://{resources['ingressPaths'][0]['endpoint']}"
        return str(resources["gatewayConnections"][0]["serviceUrl"])


def ask(address: str, path: str = "/version") -> str:
    """Return the version that answers at an address, or the status of an error."""
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=HANG_SECONDS) as answer:
            return str(json.loads(answer.read())["version"])
    except urllib.error.HTTPError as error:
        return str(error.code)


def refusal(call: Callable[[], object]) -> str:
    """Return the code of the error that a call is answered with."""
    try:
        call()
    except RefusedError as error:
        return error.code
    raise AssertionError("the call was not refused")
