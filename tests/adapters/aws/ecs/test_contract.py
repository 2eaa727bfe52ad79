"""ECS on the local cloud: what every platform does, by services in Express Mode and by plain ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest
from attrs import frozen

from kaizen_tasks.adapters.aws.ecs.cluster import Cluster
from kaizen_tasks.adapters.aws.ecs.express.platform import ExpressPlatform
from kaizen_tasks.adapters.aws.ecs.fargate import FargatePlatform
from kaizen_tasks.adapters.aws.ecs.logs import EcsLogs
from kaizen_tasks.adapters.aws.provision import Provisioner
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.new_service import NewService
from kaizen_tasks.domain.service import OperationState, ServiceStatus
from tests.adapters.aws.test_apprunner import GATED
from tests.adapters.conftest import ACCOUNT, REGION
from tests.contracts.platform import PausablePlatformContract, UntaggedPlatformContract
from tests.localcloud.layers import Pushed
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path  # noqa: TC004 - attrs does not resolve annotations
    from typing import Any  # noqa: TC004

    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.ports.platform import Platform  # noqa: TC004

SERVICE, CLUSTER = "web-service", "contracts"
CRASHING = "import sys\nprint('no database', flush=True)\nsys.exit(3)\n"


@frozen
class EcsStage:
    platform: Platform
    client: Any
    gate: Path
    image: str
    crashing_image: str
    cluster: Cluster

    def pause(self, name: str) -> None:
        self.client.update_service(cluster=CLUSTER, service=name, desiredCount=0)
        wait_for(lambda: self.platform.get_service(name).status is ServiceStatus.PAUSED)

    def occupy(self, name: str) -> str:
        self.gate.unlink(missing_ok=True)
        self.client.update_service(cluster=CLUSTER, service=name, forceNewDeployment=True)
        return self.platform.list_operations(self.platform.get_service(name))[0].id

    def settle(self, name: str) -> None:
        self.gate.touch()
        wait_for(lambda: self.platform.get_service(name).status is not ServiceStatus.BUSY)


class EcsContract(UntaggedPlatformContract):
    """Subclasses name the platform, and return all that a deployment must not change."""

    platform: ClassVar[str]
    adapter: ClassVar[type[ExpressPlatform | FargatePlatform]]

    def kept(self, stage: EcsStage) -> Any:
        """Return what a service is configured with, without its image and what belongs to one revision."""
        raise NotImplementedError

    def test_keeps_variables_secrets_roles_scaling_health_check_and_tags(self, stage: EcsStage) -> None:
        before = self.kept(stage)

        stage.platform.start_deployment(stage.platform.get_service(SERVICE), stage.image)
        stage.settle(SERVICE)

        assert before == self.kept(stage)
        assert "GATE" in str(before)

    def test_shows_why_a_deployment_failed(self, stage: EcsStage) -> None:
        service, logs = stage.platform.get_service(SERVICE), EcsLogs(stage.cluster, container="")
        identity = stage.platform.start_deployment(service, stage.crashing_image)
        stage.settle(SERVICE)

        operation = stage.platform.list_operations(service)[0]
        assert (operation.id, operation.state) == (identity, OperationState.ROLLED_BACK)
        assert "circuit breaker" in operation.reason
        deployment_log = logs.deployment_tail(service, identity, limit=20)
        assert any("(EssentialContainerExited)" in line and "exited with 3" in line for line in deployment_log)
        assert logs.application_tail(service, since=operation.started_at, limit=2) == ("no database",)
        assert stage.platform.get_service(SERVICE).running_digest == service.running_digest

    @pytest.fixture
    def stage(self, aws: Aws, tmp_path: Path) -> Iterator[EcsStage]:
        ecr, repository = aws.ecr(), f"{self.platform}-web"
        images = Pushed(ecr)
        images.repository(repository)
        old, new = (images.app(repository, version, script=GATED, tag=version) for version in ("v1.2.3", "v1.2.4"))
        crashing = images.app(repository, "v1.2.5", script=CRASHING, tag="v1.2.5")
        host = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository}"
        environment = Environment(
            name="prod", platform=self.platform, repository=repository, service=SERVICE, cluster=CLUSTER
        )
        gate = tmp_path / "gate"
        service = NewService(
            image=f"{host}@{old}",
            image_platform="linux/amd64",
            variables={"GATE": str(gate)},
            secrets={},
            port=8000,
            health_path="/",
            start_timeout=90,
        )
        Provisioner(aws, region=REGION).create_service(environment, service)
        cluster = Cluster(aws, CLUSTER, SystemClock())
        platform = self.adapter(cluster, container="")
        stage = EcsStage(platform, aws.ecs(), gate, f"{host}@{new}", f"{host}@{crashing}", cluster)
        stage.settle(SERVICE)
        yield stage
        stage.settle(SERVICE)
        self._delete_services(stage)
        ecr.delete_repository(repositoryName=repository, force=True)

    def _delete_services(self, stage: EcsStage) -> None:
        for arn in stage.client.list_services(cluster=CLUSTER)["serviceArns"]:
            stage.client.delete_service(cluster=CLUSTER, service=arn, force=True)
        wait_for(lambda: not stage.client.list_services(cluster=CLUSTER)["serviceArns"])


class TestExpress(EcsContract):
    platform = "ecs-express"
    adapter = ExpressPlatform

    def kept(self, stage: EcsStage) -> Any:
        arn = stage.cluster.service_arn(SERVICE)
        described = stage.client.describe_express_gateway_service(serviceArn=arn, include=["TAGS"])["service"]
        (configuration,) = described["activeConfigurations"]
        for member in ("serviceRevisionArn", "taskDefinitionArn", "createdAt"):
            del configuration[member]
        del configuration["primaryContainer"]["image"]
        return configuration, described.get("tags"), described["infrastructureRoleArn"]


class TestFargate(EcsContract, PausablePlatformContract):
    platform = "ecs"
    adapter = FargatePlatform

    def kept(self, stage: EcsStage) -> Any:
        described = stage.client.describe_services(cluster=CLUSTER, services=[SERVICE], include=["TAGS"])
        (service,) = described["services"]
        definition = stage.client.describe_task_definition(taskDefinition=service["taskDefinition"], include=["TAGS"])
        for container in definition["taskDefinition"]["containerDefinitions"]:
            del container["image"]
        for member in ("taskDefinitionArn", "revision", "registeredAt"):
            del definition["taskDefinition"][member]
        members = ("deploymentConfiguration", "networkConfiguration", "desiredCount", "launchType", "tags")
        return definition["taskDefinition"], definition.get("tags"), {name: service.get(name) for name in members}
