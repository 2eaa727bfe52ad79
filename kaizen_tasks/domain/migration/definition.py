"""The service that a migration creates, on ECS Express Mode or as an ECS service on Fargate."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import field, frozen

CREATION_TAG = "kaizen-tasks:migration"
"""Tag of a service that a migration has created, with `app/environment`. Only such a service is ever deleted."""

CONTAINER_NAME = "Main"
"""The container of a task definition that we write; that of Express Mode has this name anyway."""

FARGATE_MEMORY: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: (1024, 2048, 3072, 4096),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}
"""MiB of memory that a Fargate task may have, by its CPU units: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html."""


class ScalingMetric(StrEnum):
    """What the number of tasks follows, as ECS Express Mode names it."""

    CPU = "AVERAGE_CPU"
    MEMORY = "AVERAGE_MEMORY"
    REQUESTS = "REQUEST_COUNT_PER_TARGET"


@frozen(kw_only=True)
class ServiceDefinition:
    """A service to create.

    Attributes:
        platform: `ecs-express` or `ecs`.
        name: the service's name, and the family of its task definition.
        cluster: the ECS cluster.
        image: `host/repository@sha256:…`.
        port: the port that the app listens on.
        command: the command in place of the image's own; empty for that one.
        variables: values of environment variables, by name; never shown.
        secrets: references to secrets or parameters, by the variable that gets the value.
        cpu: units of 1/1024 vCPU of a task.
        memory: MiB of a task.
        health_path: the path at which the load balancer asks whether a task works.
        min_tasks: the fewest tasks.
        max_tasks: the most tasks.
        metric: what the number of tasks follows.
        metric_target: percent or, for requests, requests of a minute for each task.
        subnets: where the tasks run; empty for those of the default VPC, which only Express Mode finds by itself.
        security_groups: further security groups of the tasks.
        assigns_public_ip: whether tasks of `ecs` get public addresses; subnets without a NAT gateway need them.
        execution_role: ARN of the role that pulls the image, reads the secrets and writes the log.
        infrastructure_role: ARN of the role with which Express Mode manages load balancer and scaling; else empty.
        task_role: ARN of the role of the app itself; empty without one.
        target_group: ARN of the load balancer's target group of an `ecs` service; empty without one.
        log_group: name of the log group of an `ecs` service; Express Mode makes one of its own.
        tags: the tags of the service, `CREATION_TAG` among them.
    """

    platform: str
    name: str
    cluster: str
    image: str
    port: int
    command: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(factory=dict, repr=False)
    secrets: Mapping[str, str] = field(factory=dict)
    cpu: int
    memory: int
    health_path: str = "/"
    min_tasks: int = 1
    max_tasks: int = 1
    metric: ScalingMetric = ScalingMetric.CPU
    metric_target: int = 60
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    assigns_public_ip: bool = False
    execution_role: str
    infrastructure_role: str = ""
    task_role: str = ""
    target_group: str = ""
    log_group: str = ""
    tags: Mapping[str, str] = field(factory=dict)

    @property
    def is_express(self) -> bool:
        """Whether Express Mode manages load balancer, log group and scaling."""
        return self.platform == "ecs-express"


def fargate_size(cpu: int, memory: int) -> tuple[int, int]:
    """Return the smallest size of a Fargate task, as CPU units and MiB, that has at least this much of both."""
    for units, amounts in FARGATE_MEMORY.items():
        amount = next((amount for amount in amounts if amount >= memory), 0)
        if units >= cpu and amount:
            return units, amount
    return max(FARGATE_MEMORY), max(FARGATE_MEMORY[max(FARGATE_MEMORY)])
