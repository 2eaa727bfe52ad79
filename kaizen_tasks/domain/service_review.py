"""What a service of ECS is configured with, as far as a deployment depends on it."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class RoleReview:
    """A role that a service's tasks need.

    Attributes:
        purpose: what it is for: `execution`, `task`, `infrastructure`.
        arn: the role; empty when a role is missing that tasks need.
        principal: the service of AWS that must be trusted: `ecs-tasks.amazonaws.com`.
        problem: what is wrong with it; empty when nothing is, or nobody may look.
    """

    purpose: str
    arn: str
    principal: str
    problem: str = ""


@frozen(kw_only=True)
class ServiceReview:
    """What a deployment of a service depends on.

    Attributes:
        definition: what it was read in: the task definition, or the service.
        desired_count: how many tasks shall run.
        failure_detectors: what ends a deployment that fails: `circuit breaker`, `alarms`, `canary`.
        rolls_back: whether what was serving before is brought back then.
        container_problem: why it is not known which container runs the app; empty when it is.
        container_fix: what to do about that.
        roles: the roles that its tasks need.
        log_group: where the app's output goes in CloudWatch Logs; empty if it goes elsewhere.
        has_log_group: whether the group exists, or tasks create it; None when nobody may look.
        health_path: the path that health checks of the load balancer ask for; empty when it is not known.
        image_platform: what an image must be built for: `linux/arm64`.
    """

    definition: str
    desired_count: int
    failure_detectors: tuple[str, ...]
    rolls_back: bool
    container_problem: str = ""
    container_fix: str = ""
    roles: tuple[RoleReview, ...] = ()
    log_group: str = ""
    has_log_group: bool | None = None
    health_path: str = ""
    image_platform: str = "linux/amd64"
