"""The rules of ECS for RunTask, in the words that it answers where they are known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.ecs.ecs_errors import check_count, invalid_parameter
from kaizen_tasks.localcloud.ecs.task_definition_rules import check_fargate_size

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.ecs.clusters import Cluster
    from kaizen_tasks.localcloud.ecs.task_definitions import TaskDefinition
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_MAX_COUNT = 10
_MAX_SUBNETS, _MAX_SECURITY_GROUPS = 16, 5
_MAX_OVERRIDES = 8192
_MAX_LENGTHS = {"startedBy": 128, "clientToken": 64}


def check_run_task(request: JsonObject, cluster: Cluster, definition: TaskDefinition) -> None:
    """Check a request.

    Raises:
        ServiceError: it breaks a rule.
    """
    if not 1 <= request.get("count", 1) <= _MAX_COUNT:
        raise invalid_parameter(f"count must be between 1 and {_MAX_COUNT}.")
    for member, most in _MAX_LENGTHS.items():
        if len(request.get(member, "")) > most:
            raise invalid_parameter(f"{member} can not be longer than {most} characters.")
    if request.get("propagateTags") == "SERVICE":
        raise invalid_parameter("SERVICE is not a valid value of propagateTags when a task is run by itself.")
    _check_capacity(request, cluster, definition)
    _check_network(request, definition)
    _check_overrides(request.get("overrides", {}), definition)


def _check_capacity(request: JsonObject, cluster: Cluster, definition: TaskDefinition) -> None:
    strategy = request.get("capacityProviderStrategy")
    if strategy and "launchType" in request:
        raise invalid_parameter(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )
    if not strategy and "launchType" not in request:
        strategy = cluster.settings.get("defaultCapacityProviderStrategy")
    for item in strategy or ():
        if item["capacityProvider"] not in cluster.settings.get("capacityProviders", ()):
            raise invalid_parameter(f"The specified capacity provider '{item['capacityProvider']}' was not found.")
    launch_type = "FARGATE" if strategy else request.get("launchType", "EC2")
    if launch_type not in definition.compatibilities:
        raise invalid_parameter(f"Task definition does not support launch_type {launch_type}.")
    if launch_type != "FARGATE":
        raise invalid_parameter("No Container Instances were found in your cluster.")


def _check_network(request: JsonObject, definition: TaskDefinition) -> None:
    network = request.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if definition.network_mode == "awsvpc" and network is None:
        raise invalid_parameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if network is None:
        return
    if not network["subnets"]:
        raise invalid_parameter("subnets can not be empty.")
    check_count("subnets", network["subnets"], _MAX_SUBNETS)
    check_count("securityGroups", network.get("securityGroups", ()), _MAX_SECURITY_GROUPS)


def _check_overrides(overrides: JsonObject, definition: TaskDefinition) -> None:
    names = {container["name"] for container in definition.containers}
    for override in overrides.get("containerOverrides", ()):
        if override.get("name") not in names:
            name = override.get("name", "null")
            raise invalid_parameter(f"Override for container named {name} is not a container in the TaskDefinition.")
    if len(json.dumps(overrides, separators=(",", ":"))) > _MAX_OVERRIDES:
        raise invalid_parameter(f"Container Overrides length must be at most {_MAX_OVERRIDES}")
    if "cpu" in overrides or "memory" in overrides:
        size = {**definition.document, **overrides}
        check_fargate_size(size["cpu"], size["memory"])
