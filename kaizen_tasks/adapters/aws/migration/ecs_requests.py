"""The requests that create a service of ECS from its definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kaizen_tasks.domain.migration.definition import CONTAINER_NAME

if TYPE_CHECKING:
    from kaizen_tasks.domain.migration.definition import ServiceDefinition

LOG_STREAM_PREFIX = "ecs"


def express_request(definition: ServiceDefinition) -> dict[str, Any]:
    """Return the request that creates an Express service."""
    network = {
        **({"subnets": list(definition.subnets)} if definition.subnets else {}),
        **({"securityGroups": list(definition.security_groups)} if definition.security_groups else {}),
    }
    return {
        "serviceName": definition.name,
        "cluster": definition.cluster,
        "executionRoleArn": definition.execution_role,
        "infrastructureRoleArn": definition.infrastructure_role,
        **({"taskRoleArn": definition.task_role} if definition.task_role else {}),
        "cpu": str(definition.cpu),
        "memory": str(definition.memory),
        "healthCheckPath": definition.health_path,
        "primaryContainer": {
            "image": definition.image,
            "containerPort": definition.port,
            **_process_members(definition),
        },
        "scalingTarget": {
            "minTaskCount": definition.min_tasks,
            "maxTaskCount": definition.max_tasks,
            "autoScalingMetric": str(definition.metric),
            "autoScalingTargetValue": definition.metric_target,
        },
        **({"networkConfiguration": network} if network else {}),
        "tags": _tags(definition.tags),
    }


def task_definition_request(definition: ServiceDefinition, *, region: str) -> dict[str, Any]:
    """Return the request that registers the task definition of a service on Fargate."""
    container = {
        "name": CONTAINER_NAME,
        "image": definition.image,
        "essential": True,
        "portMappings": [{"containerPort": definition.port, "protocol": "tcp"}],
        **_process_members(definition),
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": definition.log_group,
                "awslogs-region": region,
                "awslogs-stream-prefix": LOG_STREAM_PREFIX,
            },
        },
    }
    return {
        "family": definition.name,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": str(definition.cpu),
        "memory": str(definition.memory),
        "executionRoleArn": definition.execution_role,
        **({"taskRoleArn": definition.task_role} if definition.task_role else {}),
        "containerDefinitions": [container],
        "tags": _tags(definition.tags),
    }


def service_request(definition: ServiceDefinition, task_definition: str) -> dict[str, Any]:
    """Return the request that creates a service on Fargate, with a circuit breaker that rolls back."""
    network: dict[str, Any] = {
        "subnets": list(definition.subnets),
        "assignPublicIp": "ENABLED" if definition.assigns_public_ip else "DISABLED",
        **({"securityGroups": list(definition.security_groups)} if definition.security_groups else {}),
    }
    balancer = {
        "targetGroupArn": definition.target_group,
        "containerName": CONTAINER_NAME,
        "containerPort": definition.port,
    }
    return {
        "serviceName": definition.name,
        "cluster": definition.cluster,
        "taskDefinition": task_definition,
        "desiredCount": definition.min_tasks,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": network},
        **({"loadBalancers": [balancer]} if definition.target_group else {}),
        "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        "tags": _tags(definition.tags),
    }


def _process_members(definition: ServiceDefinition) -> dict[str, Any]:
    """Return the members of a container that say what it runs with."""
    environment = [{"name": name, "value": value} for name, value in sorted(definition.variables.items())]
    secrets = [{"name": name, "valueFrom": value} for name, value in sorted(definition.secrets.items())]
    return {
        **({"command": list(definition.command)} if definition.command else {}),
        "environment": environment,
        **({"secrets": secrets} if secrets else {}),
    }


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]
