"""Creates services in the ECS of a local cloud; on AWS a team's Terraform does that."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kaizen_tasks.adapters.aws.ecs.assumptions import EXPRESS_CONTAINER
from kaizen_tasks.adapters.aws.ecs.task_definition import DEFAULT_ARCHITECTURE, IMAGE_PLATFORMS
from kaizen_tasks.domain.environment import DEFAULT_CLUSTER

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.clients import Document, EcsClient
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.new_service import NewService

PORT_NAME = "http"
CPU, MEMORY = "256", "512"
"""The smallest task of Fargate, in 1/1024 of a vCPU and in MiB."""


def create_cluster(ecs: EcsClient, environment: Environment) -> None:
    """Create the cluster of an environment, if it is not the one that exists from the beginning."""
    if environment.cluster != DEFAULT_CLUSTER:
        ecs.create_cluster(clusterName=environment.cluster)


def create_express_service(ecs: EcsClient, environment: Environment, service: NewService, *, account: str) -> None:
    """Create a service in Express Mode."""
    ecs.create_express_gateway_service(
        serviceName=environment.service,
        cluster=environment.cluster,
        infrastructureRoleArn=_role(account, "ecs-infrastructure"),
        executionRoleArn=_role(account, f"{environment.service}-execution"),
        taskRoleArn=_role(account, environment.service),
        primaryContainer={"image": service.image, "containerPort": service.port, **_input(service)},
        healthCheckPath=service.health_path,
        cpu=CPU,
        memory=MEMORY,
        cpuArchitecture=_architecture(service),
        scalingTarget={"minTaskCount": 1, "maxTaskCount": 1},
    )


def create_plain_service(
    ecs: EcsClient, environment: Environment, service: NewService, *, account: str, region: str
) -> None:
    """Create a service with a task definition, rolled out with a circuit breaker, behind the gateway of its cluster."""
    definition = _register(ecs, environment.service, environment, service, account=account, region=region)
    ecs.create_service(
        cluster=environment.cluster,
        serviceName=environment.service,
        taskDefinition=definition["taskDefinition"]["taskDefinitionArn"],
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-00000000000000000"]}},
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        healthCheckGracePeriodSeconds=math.ceil(service.start_timeout),
        gatewayConnectors=[{"portName": PORT_NAME}],
    )


def create_task_definition(
    ecs: EcsClient, environment: Environment, service: NewService, *, account: str, region: str
) -> None:
    """Register the task definition in which the commands of an environment run whose platform runs none."""
    if environment.task is not None:
        _register(ecs, environment.task.family, environment, service, account=account, region=region)


def _register(
    ecs: EcsClient, family: str, environment: Environment, service: NewService, *, account: str, region: str
) -> Document:
    """Register a task definition with what a service runs with, and return the answer."""
    log_options = {
        "awslogs-group": f"/ecs/{family}",
        "awslogs-region": region,
        "awslogs-stream-prefix": "ecs",
        "awslogs-create-group": "true",
    }
    container = {
        "name": environment.container or EXPRESS_CONTAINER.lower(),
        "image": service.image,
        "essential": True,
        "portMappings": [{"containerPort": service.port, "name": PORT_NAME}],
        **_input(service),
        "logConfiguration": {"logDriver": "awslogs", "options": log_options},
    }
    return ecs.register_task_definition(
        family=family,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu=CPU,
        memory=MEMORY,
        runtimePlatform={"cpuArchitecture": _architecture(service), "operatingSystemFamily": "LINUX"},
        executionRoleArn=_role(account, f"{environment.service}-execution"),
        taskRoleArn=_role(account, environment.service),
        containerDefinitions=[container],
    )


def _input(service: NewService) -> dict[str, Any]:
    """Return the variables and the secrets of a container."""
    return {
        "environment": [{"name": name, "value": value} for name, value in service.variables.items()],
        "secrets": [{"name": name, "valueFrom": reference} for name, reference in service.secrets.items()],
    }


def _architecture(service: NewService) -> str:
    """Return the processor that an image is built for; of a platform that ECS does not run, the usual one."""
    names = {image_platform: name for name, image_platform in IMAGE_PLATFORMS.items()}
    return names.get("/".join(service.image_platform.split("/")[:2]), DEFAULT_ARCHITECTURE)


def _role(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:role/{name}"
