"""Services of the local cloud that are left, and that are created by a migration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from attrs import evolve, frozen

from kaizen_tasks.adapters.aws.apprunner import AppRunnerPlatform
from kaizen_tasks.adapters.aws.ecs.cluster import Cluster
from kaizen_tasks.adapters.aws.ecs.express.platform import ExpressPlatform
from kaizen_tasks.adapters.aws.ecs.fargate import FargatePlatform
from kaizen_tasks.adapters.aws.migration.apprunner_source import AppRunnerSource
from kaizen_tasks.adapters.aws.migration.ecs_target import EcsTarget
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.domain.migration.definition import ServiceDefinition
from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.errors import NotFound
from tests.adapters.conftest import ACCOUNT, REGION
from tests.contracts.migration import MigrationSourceContract, MigrationTargetContract
from tests.fakes.test_migration import DEFINITION
from tests.localcloud.layers import SERVER, Pushed
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator


HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
CLUSTER = "arrivals"


@frozen
class CloudSourceStage:
    source: AppRunnerSource
    platform: AppRunnerPlatform

    def settle(self) -> None:
        def is_settled() -> bool:
            try:
                return self.platform.get_service("leaving-service").status is not ServiceStatus.BUSY
            except NotFound:
                return True

        wait_for(is_settled)


class TestAppRunner(MigrationSourceContract):
    @pytest.fixture
    def stage(self, aws: Aws) -> Iterator[CloudSourceStage]:
        images = Pushed(aws.ecr())
        images.repository("leaving-app")
        images.app("leaving-app", "v1.2.3", script=SERVER)
        apprunner = aws.apprunner()
        arn = apprunner.create_service(
            ServiceName="leaving-service",
            SourceConfiguration={
                "AuthenticationConfiguration": {"AccessRoleArn": f"arn:aws:iam::{ACCOUNT}:role/pulls"},
                "ImageRepository": {
                    "ImageIdentifier": f"{HOST}/leaving-app:latest",
                    "ImageRepositoryType": "ECR",
                    "ImageConfiguration": {"RuntimeEnvironmentVariables": {"TENANT": "a value"}},
                },
            },
        )["Service"]["ServiceArn"]
        stage = CloudSourceStage(AppRunnerSource(aws), AppRunnerPlatform(aws))
        stage.settle()
        yield stage
        if apprunner.describe_service(ServiceArn=arn)["Service"]["Status"] != "DELETED":
            apprunner.delete_service(ServiceArn=arn)
            stage.settle()
        aws.ecr().delete_repository(repositoryName="leaving-app", force=True)


@frozen
class CloudTargetStage:
    aws: Aws
    target: EcsTarget
    platform: ExpressPlatform | FargatePlatform
    definition: ServiceDefinition

    def settle(self) -> None:
        def is_settled() -> bool:
            try:
                status = self.platform.get_service(self.definition.name).status
            except NotFound:
                return True
            return status not in {ServiceStatus.BUSY, ServiceStatus.UNAVAILABLE}

        wait_for(is_settled)

    def add_role(self, name: str, service: str) -> None:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam = self.aws.iam()
        try:
            iam.get_role(RoleName=name)
        except iam.exceptions.NoSuchEntityException:  # type: ignore[attr-defined]
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)  # type: ignore[attr-defined]


@pytest.mark.parametrize("platform", ["ecs-express", "ecs"])
class TestEcs(MigrationTargetContract):
    @pytest.fixture
    def stage(self, aws: Aws, platform: str) -> Iterator[CloudTargetStage]:
        images, is_express = Pushed(aws.ecr()), platform == "ecs-express"
        images.repository("arriving-app")
        digest = images.app("arriving-app", "v1.2.3", script=SERVER, tag="v1.2.3")
        aws.ecs().create_cluster(clusterName=CLUSTER)
        cluster = Cluster(aws, CLUSTER, SystemClock())
        definition = evolve(
            DEFINITION,
            platform=platform,
            cluster=CLUSTER,
            image=f"{HOST}/arriving-app@{digest}",
            variables={"PORT": "8080"},
            infrastructure_role=f"arn:aws:iam::{ACCOUNT}:role/infrastructure" if is_express else "",
            subnets=() if is_express else ("subnet-1", "subnet-2"),
            log_group="" if is_express else "/ecs/arriving-service",
        )
        adapter = ExpressPlatform if is_express else FargatePlatform
        stage = CloudTargetStage(
            aws, EcsTarget(cluster, is_express=is_express), adapter(cluster, container=""), definition
        )
        yield stage
        aws.ecr().delete_repository(repositoryName="arriving-app", force=True)

    def test_a_missing_cluster_is_named(self, stage: CloudTargetStage) -> None:
        elsewhere = EcsTarget(
            Cluster(stage.aws, "nowhere", SystemClock()), is_express=stage.definition.platform == "ecs-express"
        )

        with pytest.raises(NotFound) as caught:
            elsewhere.create_service(evolve(stage.definition, cluster="nowhere"))

        assert "aws ecs create-cluster --cluster-name nowhere" in caught.value.hint
