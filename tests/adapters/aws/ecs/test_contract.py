"""ECS on the local cloud: what every platform does, by services in Express Mode and by plain ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest
from attrs import frozen

from kaizen_tasks.adapters.aws.ecs.cluster import Cluster
from kaizen_tasks.adapters.aws.ecs.express.platform import ExpressPlatform
from kaizen_tasks.adapters.aws.ecs.fargate import FargatePlatform
from kaizen_tasks.adapters.aws.provision import NewService, Provisioner
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.service import ServiceStatus
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


@frozen
class EcsStage:
    platform: Platform
    client: Any
    gate: Path
    image: str

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
    """Subclasses name the platform."""

    platform: ClassVar[str]
    adapter: ClassVar[type[ExpressPlatform | FargatePlatform]]

    @pytest.fixture
    def stage(self, aws: Aws, tmp_path: Path) -> Iterator[EcsStage]:
        ecr, repository = aws.ecr(), f"{self.platform}-web"
        images = Pushed(ecr)
        images.repository(repository)
        old, new = (images.app(repository, version, script=GATED, tag=version) for version in ("v1.2.3", "v1.2.4"))
        host = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository}"
        environment = Environment(
            name="prod", platform=self.platform, repository=repository, service=SERVICE, cluster=CLUSTER
        )
        gate = tmp_path / "gate"
        service = NewService(
            image=f"{host}@{old}",
            variables={"GATE": str(gate)},
            secrets={},
            port=8000,
            health_path="/",
            start_timeout=90,
        )
        Provisioner(aws, region=REGION).create_service(environment, service)
        platform = self.adapter(Cluster(aws, CLUSTER, SystemClock()), container="")
        stage = EcsStage(platform, aws.ecs(), gate, f"{host}@{new}")
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


class TestFargate(EcsContract, PausablePlatformContract):
    platform = "ecs"
    adapter = FargatePlatform
