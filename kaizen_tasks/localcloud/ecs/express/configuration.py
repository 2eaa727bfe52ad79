"""The configuration of an Express service: its defaults, what an update changes, and its task definition.

AWS's documentation contradicts itself, or says nothing, in some points. They are decided here, so that a client that
works with this local cloud works with each of the readings:

- An update keeps the members that it leaves out, but `primaryContainer`, `scalingTarget` and `networkConfiguration`
  are replaced as a whole: what is left out inside them returns to its default.
- The health check path is `/ping` by default, as the model says; the developer guide says `/`.
- The default size is 256 CPU units and 512 MiB, as the model says; the developer guide says 1024 and 2048.
- An update that changes nothing is deployed nevertheless.
- A service may change from a container to a task definition of its owner's, and back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.ecs.containers import DEFAULT_PORT
from kaizen_tasks.localcloud.ecs.deploy.assumptions import EXPRESS_CIRCUIT_BREAKER
from kaizen_tasks.localcloud.ecs.ecs_errors import invalid_parameter
from kaizen_tasks.localcloud.ecs.task_definition_rules import check_fargate_size

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.ecs.task_definitions import TaskDefinition
    from kaizen_tasks.localcloud.server.http_message import JsonObject

MAIN_CONTAINER = "Main"
"""The name of the container that serves, also in a task definition of the owner's."""

_MANAGED_MEMBERS = ("primaryContainer", "executionRoleArn", "taskRoleArn", "cpu", "memory", "cpuArchitecture")
_COMMON_MEMBERS = ("healthCheckPath", "networkConfiguration", "scalingTarget")
_MANAGED_DEFAULTS = {"cpu": "256", "memory": "512", "cpuArchitecture": "X86_64"}
_SCALING_DEFAULTS = {
    "minTaskCount": 1,
    "maxTaskCount": 20,
    "autoScalingMetric": "AVERAGE_CPU",
    "autoScalingTargetValue": 60,
}
_NETWORK_DEFAULTS = {"securityGroups": ["sg-00000000000000000"], "subnets": ["subnet-00000000000000000"]}
_HEALTH_CHECK_PATH = "/ping"
_STREAM_PREFIX = "ecs"


def configure(request: JsonObject, current: JsonObject, log_group: str) -> JsonObject:
    """Return the configuration that a request makes of the current one, which is empty for a new service.

    It has the members of `ExpressGatewayServiceConfiguration` that the owner decides on, and `taskDefinitionArn` only
    if the task definition is the owner's.

    Args:
        request: the request of a creation or an update.
        current: the configuration before it.
        log_group: the log group of the service, unless its owner names another.

    Raises:
        ServiceError: members contradict each other, or a value is not valid.
    """
    given = {name: request[name] for name in (*_MANAGED_MEMBERS, *_COMMON_MEMBERS) if name in request}
    configuration = {"healthCheckPath": _HEALTH_CHECK_PATH, **_common(current), **_common(given)}
    configuration["scalingTarget"] = {**_SCALING_DEFAULTS, **configuration.get("scalingTarget", {})}
    configuration["networkConfiguration"] = {**_NETWORK_DEFAULTS, **configuration.get("networkConfiguration", {})}
    _check_common(configuration)
    if "taskDefinitionArn" in request:
        if contradiction := [name for name in _MANAGED_MEMBERS if name in given]:
            raise invalid_parameter(f"taskDefinitionArn cannot be specified together with {', '.join(contradiction)}.")
        return {**configuration, "taskDefinitionArn": request["taskDefinitionArn"]}
    managed = {name: value for name, value in {**current, **given}.items() if name in _MANAGED_MEMBERS}
    if "taskDefinitionArn" in current and not managed:
        return {**configuration, "taskDefinitionArn": current["taskDefinitionArn"]}
    return {**configuration, **_manage(managed, log_group)}


def task_definition_request(configuration: JsonObject, family: str, region: str) -> JsonObject:
    """Return the request that registers the task definition of a configuration with a `primaryContainer`."""
    container = configuration["primaryContainer"]
    logs, port = container["awsLogsConfiguration"], container["containerPort"]
    members = ("image", "command", "environment", "secrets", "repositoryCredentials")
    options = {"awslogs-group": logs["logGroup"], "awslogs-stream-prefix": logs["logStreamPrefix"]}
    return {
        "family": family,
        "containerDefinitions": [
            {
                "name": MAIN_CONTAINER,
                **{name: container[name] for name in members if name in container},
                "essential": True,
                "portMappings": [
                    {"containerPort": port, "protocol": "tcp", "name": f"{MAIN_CONTAINER.lower()}-{port}-tcp"}
                ],
                "logConfiguration": {"logDriver": "awslogs", "options": {**options, "awslogs-region": region}},
            }
        ],
        **{name: configuration[name] for name in ("executionRoleArn", "taskRoleArn") if name in configuration},
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": configuration["cpu"],
        "memory": configuration["memory"],
        "runtimePlatform": {
            "cpuArchitecture": configuration["cpuArchitecture"],
            "operatingSystemFamily": "LINUX",
        },
    }


def check_task_definition(definition: TaskDefinition) -> None:
    """Refuse a task definition of the owner's that an Express service cannot run.

    Raises:
        ServiceError: it has no container `Main` with one named TCP port, or is not for Fargate.
    """
    mains = [container for container in definition.containers if container["name"] == MAIN_CONTAINER]
    ports = mains[0].get("portMappings", []) if mains else []
    if len(ports) != 1 or ports[0].get("protocol", "tcp") != "tcp" or not ports[0].get("name"):
        raise invalid_parameter(
            "The task definition must have a container named Main with a single TCP port mapping that has a name."
        )
    if "FARGATE" not in definition.compatibilities:
        raise invalid_parameter("The task definition must be compatible with FARGATE.")


def deployment_configuration(alarm: str) -> JsonObject:
    """Return how an Express service is deployed, which its owner cannot change.

    See https://docs.aws.amazon.com/AmazonECS/latest/developerguide/express-service-update-full.html.

    Args:
        alarm: the name of the alarm that rolls a deployment back.
    """
    return {
        "strategy": "CANARY",
        "canaryConfiguration": {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 3},
        "bakeTimeInMinutes": 3,
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "deploymentCircuitBreaker": EXPRESS_CIRCUIT_BREAKER,
        "alarms": {"alarmNames": [alarm], "rollback": True, "enable": True},
    }


def _common(members: JsonObject) -> JsonObject:
    return {name: members[name] for name in _COMMON_MEMBERS if name in members}


def _check_common(configuration: JsonObject) -> None:
    if not configuration["healthCheckPath"].startswith("/"):
        raise invalid_parameter("The health check path must start with a forward slash.")
    scaling = configuration["scalingTarget"]
    if not 0 < scaling["minTaskCount"] <= scaling["maxTaskCount"]:
        raise invalid_parameter("minTaskCount must be at least 1, and at most maxTaskCount.")


def _manage(members: JsonObject, log_group: str) -> JsonObject:
    """Return the members from which ECS makes the task definition, with their defaults."""
    for name in ("primaryContainer", "executionRoleArn"):
        if name not in members:
            raise invalid_parameter(f"{name} is required unless taskDefinitionArn is specified.")
    configuration = {**_MANAGED_DEFAULTS, **members}
    check_fargate_size(configuration["cpu"], configuration["memory"])
    logs = {"logGroup": log_group, "logStreamPrefix": _STREAM_PREFIX}
    container = {"containerPort": DEFAULT_PORT, "awsLogsConfiguration": logs, **configuration["primaryContainer"]}
    return {**configuration, "primaryContainer": container}
