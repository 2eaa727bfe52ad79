"""Plans the new service from the old one and from what a person has chosen."""

from __future__ import annotations

import re
import shlex
from sys import maxsize
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.migration.definition import CREATION_TAG, ServiceDefinition, fargate_size

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.migration.source import SourceService

DEFAULT_EXECUTION_ROLE = "ecsTaskExecutionRole"
DEFAULT_INFRASTRUCTURE_ROLE = "ecsInfrastructureRoleForExpressServices"
"""The names of these roles in AWS's console and guides: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/express-service-getting-started.html."""

MAX_TASKS = 20
"""The most tasks of an Express service, unless a quota was raised."""

MAX_TAGS = 50
PORT_VARIABLE = "PORT"
SHELL_SYNTAX = re.compile(r"[$&|;<>`*?#~]|\bcd\b")
"""What in a start command needs a shell."""


@frozen(kw_only=True)
class Choices:
    """What a person has chosen; where it is empty, the old service or a default decides.

    Attributes:
        cluster: name of the ECS cluster.
        execution_role: name or ARN of the role that pulls the image.
        infrastructure_role: name or ARN of the role of Express Mode.
        health_path: the path at which the load balancer asks.
        subnets: where the tasks run.
        security_groups: the security groups of the tasks.
        target_group: ARN of the target group of an `ecs` service.
    """

    cluster: str = "default"
    execution_role: str = ""
    infrastructure_role: str = ""
    health_path: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    target_group: str = ""


def define_service(
    source: SourceService, environment: Environment, choices: Choices, *, app: str, image: str, version_path: str
) -> ServiceDefinition:
    """Return the new service for an environment.

    Args:
        source: the old service.
        environment: the environment on its new platform, with the name of the new service.
        choices: what a person has chosen.
        app: the app's name.
        image: `host/repository@sha256:…` of the release that serves.
        version_path: a path that the app answers with HTTP 200; empty if it needs a header for that.
    """
    is_express = environment.platform == "ecs-express"
    cpu, memory = fargate_size(source.cpu, source.memory)
    infrastructure_role = choices.infrastructure_role or DEFAULT_INFRASTRUCTURE_ROLE
    return ServiceDefinition(
        platform=environment.platform,
        name=environment.service,
        cluster=choices.cluster,
        image=image,
        port=source.port,
        command=parse_command(source.start_command),
        variables={**source.variables, PORT_VARIABLE: str(source.port)},
        secrets=source.secrets,
        cpu=cpu,
        memory=memory,
        health_path=choices.health_path or source.health_check.path or version_path or "/",
        min_tasks=source.scaling.minimum,
        max_tasks=max(source.scaling.minimum, min(source.scaling.maximum, MAX_TASKS if is_express else maxsize)),
        subnets=choices.subnets or (() if source.is_public else source.subnets),
        security_groups=choices.security_groups or source.security_groups,
        assigns_public_ip=not is_express and source.is_public,
        execution_role=role_arn(choices.execution_role or DEFAULT_EXECUTION_ROLE, source),
        infrastructure_role=role_arn(infrastructure_role, source) if is_express else "",
        task_role=source.app_role,
        target_group=choices.target_group,
        log_group="" if is_express else f"/ecs/{environment.service}",
        tags=creation_tags(source, app=app, environment=environment),
    )


def parse_command(start_command: str) -> tuple[str, ...]:
    """Return a start command as a list of words; one that needs a shell as a command of the shell."""
    if not start_command:
        return ()
    try:
        words = tuple(shlex.split(start_command))
    except ValueError:
        words = ()
    if not words or SHELL_SYNTAX.search(start_command):
        return ("sh", "-c", start_command)
    return words


def role_arn(role: str, source: SourceService) -> str:
    """Return the ARN of a role that is named by its name or its ARN, in the account of the old service."""
    if role.startswith("arn:"):
        return role
    _, partition, _, _, account, *_ = source.id.split(":")
    return f"arn:{partition}:iam::{account}:role/{role}"


def creation_tags(source: SourceService, *, app: str, environment: Environment) -> dict[str, str]:
    """Return the tags of the old service, and the one by which a service is known as created by a migration."""
    kept = [(key, value) for key, value in source.tags.items() if not key.startswith("aws:")]
    return {**dict(kept[: MAX_TAGS - 1]), CREATION_TAG: f"{app}/{environment.name}"}
