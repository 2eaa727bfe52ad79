"""Creating repositories, secrets and services."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.adapters.aws.ecs.cluster import Cluster
from kaizen_tasks.adapters.aws.ecs_review import EcsReviewer
from kaizen_tasks.adapters.aws.provision import Provisioner
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.domain.command import TaskSettings
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.new_service import NewService
from kaizen_tasks.domain.tag_mutability import TagMutability
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.ports.secrets import Secret
from tests.adapters.conftest import ACCOUNT, REGION
from tests.localcloud.layers import Pushed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.adapters.aws.session import Aws
    from tests.support.local_cloud import Cloud

RULES = TagMutability(mutability="IMMUTABLE_WITH_EXCLUSION", exclusion_filters=("latest",))
STAGING = Environment(
    name="staging",
    platform="apprunner",
    repository="team/web",
    service="staging-web-service",
    secret="staging-web-secrets",
)


def new_service(secrets: Mapping[str, str], image: str = "", image_platform: str = "linux/amd64") -> NewService:
    """What the services of these tests run."""
    return NewService(
        image=image,
        image_platform=image_platform,
        variables={"ENVIRONMENT": "staging"},
        secrets=secrets,
        port=8000,
        health_path="/version",
        start_timeout=90,
    )


@pytest.fixture
def founder(aws: Aws) -> Provisioner:
    """A provisioner for the local cloud."""
    return Provisioner(aws, region=REGION)


def test_repository_is_created_once(founder: Provisioner, cloud: Cloud) -> None:
    """A second repository of that name is an error."""
    founder.create_repository("founded/web", RULES)

    described = cloud.client("ecr").describe_repositories(repositoryNames=["founded/web"])
    (repository,) = described["repositories"]
    assert (repository["repositoryName"], repository["imageTagMutability"]) == ("founded/web", RULES.mutability)
    with pytest.raises(KaizenError, match="create the repository founded/web"):
        founder.create_repository("founded/web", RULES)


def test_a_service_follows_latest_and_knows_its_environment(founder: Provisioner, cloud: Cloud) -> None:
    """App Runner accepts only the amazonaws.com name of the repository."""
    founder.create_repository(STAGING.repository, RULES)

    secrets = founder.create_secret(STAGING, Secret('{"AI_MODEL": "small"}'))
    founder.create_service(STAGING, new_service(secrets))

    (summary,) = [
        each
        for each in cloud.client("apprunner").list_services()["ServiceSummaryList"]
        if each["ServiceName"] == STAGING.service
    ]
    described = cloud.client("apprunner").describe_service(ServiceArn=summary["ServiceArn"])["Service"]
    source = described["SourceConfiguration"]
    image = source["ImageRepository"]
    assert image["ImageIdentifier"] == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/team/web:latest"
    arn = cloud.client("secretsmanager").describe_secret(SecretId=STAGING.secret)["ARN"]
    assert image["ImageConfiguration"] == {
        "Port": "8000",
        "RuntimeEnvironmentVariables": {"ENVIRONMENT": "staging"},
        "RuntimeEnvironmentSecrets": {"AI_MODEL": f"{arn}:AI_MODEL::"},
    }
    assert source["AutoDeploymentsEnabled"] is False
    check = described["HealthCheckConfiguration"]
    assert check["Interval"] * check["UnhealthyThreshold"] == 90


@pytest.mark.parametrize("platform", ["ecs", "ecs-express"])
@pytest.mark.parametrize(
    ("image_platform", "reviewed"),
    [("linux/amd64", "linux/amd64"), ("linux/arm64/v8", "linux/arm64"), ("linux/386", "linux/amd64")],
)
def test_tasks_run_the_processor_that_images_are_built_for(
    founder: Provisioner, aws: Aws, cloud: Cloud, platform: str, image_platform: str, reviewed: str
) -> None:
    name = f"{platform}-{image_platform.replace('/', '-')}"
    environment = Environment(name="staging", platform=platform, repository=name, service=name, cluster=name)
    images = Pushed(cloud.client("ecr"))
    images.repository(name)
    reference = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}@{images.app(name, 'v1.2.3')}"

    founder.create_service(environment, new_service({}, reference, image_platform))

    cluster = Cluster(aws, name, SystemClock())
    review = EcsReviewer(cluster).review(name)
    assert review.image_platform == reviewed
    cloud.client("ecs").delete_service(cluster=name, service=name, force=True)


def test_the_task_of_an_app_runner_service_runs_its_processor(founder: Provisioner, cloud: Cloud) -> None:
    task = TaskSettings(family="dom-web-task", subnets=("subnet-1",))
    environment = evolve(STAGING, name="dom", service="dom-web-service", task=task)

    founder.create_service(environment, new_service({}, image="web"))

    definition = cloud.client("ecs").describe_task_definition(taskDefinition="dom-web-task")["taskDefinition"]
    assert definition["runtimePlatform"] == {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}
