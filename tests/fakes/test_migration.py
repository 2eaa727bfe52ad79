from __future__ import annotations

import pytest
from attrs import define, field

from kaizen_tasks.domain.migration.definition import CREATION_TAG, ServiceDefinition
from kaizen_tasks.errors import NotFound
from tests.contracts.migration import MigrationSourceContract, MigrationTargetContract
from tests.fakes.migration import FakeMigrationSource, FakeMigrationTarget
from tests.fakes.platform import FakePlatform

DEFINITION = ServiceDefinition(
    platform="ecs-express",
    name="arriving-service",
    cluster="default",
    image=f"registry.example/web-app@sha256:{'a1' * 32}",
    port=8080,
    cpu=256,
    memory=512,
    execution_role="arn:aws:iam::123456789012:role/execution",
    tags={CREATION_TAG: "web/mark"},
)


@define
class FakeSourceStage:
    platform: FakePlatform = field(factory=FakePlatform)
    source: FakeMigrationSource = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.source = FakeMigrationSource(platform=self.platform)
        self.platform.add("leaving-service", image="registry.example/web-app:latest")

    def settle(self) -> None:
        """Wait for nothing: changes are immediate."""


class TestFakeSource(MigrationSourceContract):
    @pytest.fixture
    def stage(self) -> FakeSourceStage:
        return FakeSourceStage()


@define
class FakeTargetStage:
    target: FakeMigrationTarget = field(factory=FakeMigrationTarget)
    definition: ServiceDefinition = DEFINITION

    @property
    def platform(self) -> FakePlatform:
        return self.target.platform

    def settle(self) -> None:
        for service in tuple(self.platform.services.values()):
            self.platform.list_operations(service)

    def add_role(self, name: str, service: str) -> None:
        self.target.trust[name] = frozenset({service})


class TestFakeTarget(MigrationTargetContract):
    @pytest.fixture
    def stage(self) -> FakeTargetStage:
        return FakeTargetStage()


def test_a_fake_misses_services_as_the_platform_does() -> None:
    stage = FakeTargetStage()
    service = stage.platform.add("gone", image="")
    del stage.platform.services["gone"]

    with pytest.raises(NotFound):
        stage.target.delete_service(service)
