"""The rules of ECS for task definitions, and the defaults that it adds.

The model of the API knows types only. The rules are those of
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html for Fargate and EC2, in the
words that ECS answers where they are known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.ecs.ecs_errors import client_error
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.localcloud.server.http_message import JsonObject

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_IMAGE = re.compile(r"[\w:./@+-]{1,255}", re.ASCII)
_ROLE = re.compile(r"(arn:[\w-]+:iam::\d{12}:role/)?[\w+=,.@/-]+", re.ASCII)
_SECRET = re.compile(r"arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[^:]+(:[^:]*:[^:]*:[^:]*)?")
_PARAMETER = re.compile(r"arn:[\w-]+:ssm:[\w-]+:\d{12}:parameter/?[\w./-]+|[\w./-]+", re.ASCII)
_ECR_IMAGE = re.compile(r"127\.0\.0\.1:\d+/|\d{12}\.dkr\.ecr(-fips)?\.[\w.-]+/", re.ASCII)
_CPU = re.compile(r"(?P<units>\d+)|(?P<vcpu>\d*\.?\d+) *vCPU", re.IGNORECASE)
_MEMORY = re.compile(r"(?P<mib>\d+)|(?P<gb>\d*\.?\d+) *GB", re.IGNORECASE)
_MAX_CONTAINERS = 10
_MAX_STOP_SECONDS = 120  # on Fargate
_CONTAINER_DEFAULTS: Mapping[str, object] = {
    "cpu": 0,
    "portMappings": [],
    "essential": True,
    "environment": [],
    "mountPoints": [],
    "volumesFrom": [],
    "systemControls": [],
}
_GIB = 1024
_FARGATE_MEMORY: Mapping[int, tuple[int, ...]] = {
    256: (512, _GIB, 2 * _GIB),
    512: tuple(range(_GIB, 4 * _GIB + 1, _GIB)),
    1024: tuple(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
    2048: tuple(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
    4096: tuple(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
    8192: tuple(range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
    16384: tuple(range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
}
"""MiB of memory by CPU units: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html."""


def complete(request: JsonObject) -> JsonObject:
    """Return the task definition that ECS stores for a request: checked, and with its defaults.

    Raises:
        ServiceError: it breaks a rule.
    """
    members = {name: value for name, value in request.items() if name != "tags" and value != ""}
    is_fargate = "FARGATE" in members.get("requiresCompatibilities", ())
    _check_names(members)
    _check_roles(members)
    if "cpu" in members:
        members["cpu"] = str(_cpu_units(members["cpu"]))
    if "memory" in members:
        members["memory"] = str(_memory_mib(members["memory"]))
    if is_fargate:
        _check_fargate(members)
    for container in members["containerDefinitions"]:
        _check_container(container, members, is_fargate=is_fargate)
    _check_sizes(members)
    _check_dependencies(members["containerDefinitions"])
    return {
        "volumes": [],
        "placementConstraints": [],
        **members,
        "containerDefinitions": [
            _complete_container(container, members) for container in members["containerDefinitions"]
        ],
        "compatibilities": _compatibilities(members),
        "requiresAttributes": [{"name": name} for name in _required_attributes(members)],
    }


def check_fargate_size(cpu: str, memory: str) -> None:
    """Check that Fargate has tasks of a size.

    Raises:
        ServiceError: it has none.
    """
    if _memory_mib(memory) not in _FARGATE_MEMORY.get(_cpu_units(cpu), ()):
        raise client_error(f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory.")


def _check_names(members: JsonObject) -> None:
    containers = members["containerDefinitions"]
    _check_characters("Family", members.get("family", ""), _NAME)
    if not containers:
        raise client_error("Container list cannot be empty.")
    if len(containers) > _MAX_CONTAINERS:
        raise client_error(f"A task definition can have at most {_MAX_CONTAINERS} containers.")
    for container in containers:
        _check_characters("Container.name", container.get("name", ""), _NAME)
        _check_characters("Container.image", container.get("image", ""), _IMAGE)
    if len({container["name"] for container in containers}) < len(containers):
        raise client_error("Container names must be unique within a task definition.")
    if not any(container.get("essential", True) for container in containers):
        raise client_error("Task definition doesn't have any essential container.")


def _check_characters(member: str, text: str, pattern: re.Pattern[str]) -> None:
    if not text:
        raise client_error(f"{member} should not be null or empty.")
    if not pattern.fullmatch(text):
        raise client_error(f"{member} contains invalid characters.")


def _check_roles(members: JsonObject) -> None:
    for role in ("executionRoleArn", "taskRoleArn"):
        if not _ROLE.fullmatch(members.get(role, "role")):
            raise client_error("Role is not valid")


def _cpu_units(text: str) -> int:
    """Return CPU units, of `256` or `.25 vCPU`."""
    match = _CPU.fullmatch(text.strip())
    if match is None:
        raise client_error("Invalid 'cpu' setting for task.")
    return int(match["units"] or float(match["vcpu"]) * 1024)


def _memory_mib(text: str) -> int:
    """Return MiB, of `512` or `0.5 GB`."""
    match = _MEMORY.fullmatch(text.strip())
    if match is None:
        raise client_error("Invalid 'memory' setting for task.")
    return int(match["mib"] or float(match["gb"]) * _GIB)


def _check_fargate(members: JsonObject) -> None:
    if members.get("networkMode") != "awsvpc":
        raise client_error("Fargate only supports network mode 'awsvpc'.")
    for member in ("cpu", "memory"):
        if member not in members:
            raise client_error(f"Fargate requires that '{member}' be defined at the task level.")
    check_fargate_size(members["cpu"], members["memory"])
    if "executionRoleArn" in members:
        return
    for container in members["containerDefinitions"]:
        if _ECR_IMAGE.match(container["image"]):
            raise client_error("Fargate requires task definition to have execution role ARN to support ECR images.")
        if _log_driver(container) == "awslogs":
            raise client_error(
                "Fargate requires task definition to have execution role ARN to support log driver awslogs."
            )


def _check_container(container: JsonObject, members: JsonObject, *, is_fargate: bool) -> None:
    place = f"Invalid setting for container '{container['name']}'."
    if "memory" not in members and not {"memory", "memoryReservation"} & {*container}:
        raise client_error(f"{place} At least one of 'memory' or 'memoryReservation' must be specified.")
    if is_fargate and not 0 <= container.get("stopTimeout", 0) <= _MAX_STOP_SECONDS:
        raise client_error(f"{place} stopTimeout must be at most {_MAX_STOP_SECONDS}.")
    if is_fargate and container.get("privileged"):
        raise client_error("Fargate doesn't support privileged containers.")
    for port in container.get("portMappings", ()):
        _check_port(port, members)
    _check_logs(container)
    _check_variables(container, members)


def _check_port(port: JsonObject, members: JsonObject) -> None:
    numbers = [port[member] for member in ("containerPort", "hostPort") if port.get(member)]
    if not all(1 <= number <= 65535 for number in numbers):
        raise client_error("Port number must be between 1 and 65535.")
    if members.get("networkMode") == "awsvpc" and len({*numbers}) > 1:
        raise client_error("When networkMode=awsvpc, the host ports and container ports in port mappings must match.")


def _check_logs(container: JsonObject) -> None:
    options = container.get("logConfiguration", {}).get("options", {})
    missing = [option for option in ("awslogs-region", "awslogs-group") if option not in options]
    if _log_driver(container) == "awslogs" and missing:
        raise client_error(f"Log driver awslogs requires options: {', '.join(missing)}")


def _check_variables(container: JsonObject, members: JsonObject) -> None:
    secrets = container.get("secrets", ())
    names = [variable.get("name", "") for variable in container.get("environment", ())]
    for secret in secrets:
        if secret["name"] in names:
            raise client_error(
                "The secret name must be unique and not shared with any new or existing environment variables set on"
                f" the container, such as '{secret['name']}'."
            )
        names.append(secret["name"])
        _check_secret(secret["name"], secret["valueFrom"])
    if secrets and "executionRoleArn" not in members:
        raise client_error(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        )


def _check_secret(name: str, reference: str) -> None:
    if ":secretsmanager:" in reference and not _SECRET.fullmatch(reference):
        raise client_error(f"The Secrets Manager ARN specified for secret {name} is invalid.")
    if ":secretsmanager:" not in reference and not _PARAMETER.fullmatch(reference):
        raise client_error(f"The Systems Manager parameter name specified for secret {name} is invalid.")


def _check_sizes(members: JsonObject) -> None:
    """Check that the containers of a task need no more than the task has."""
    containers = members["containerDefinitions"]
    if "cpu" in members and sum(container.get("cpu", 0) for container in containers) > int(members["cpu"]):
        raise client_error("The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.")
    for container in containers if "memory" in members else ():
        memory = container.get("memory", 0), container.get("memoryReservation", 0)
        if max(memory) > int(members["memory"]):
            raise client_error(
                f"Invalid setting for container '{container['name']}'. The 'memory' value of a container cannot be"
                " greater than the value of the task 'memory'."
            )


def _check_dependencies(containers: list[JsonObject]) -> None:
    by_name = {container["name"]: container for container in containers}
    for container in containers:
        for dependency in container.get("dependsOn", ()):
            other = by_name.get(dependency["containerName"])
            if other is None or other is container:
                raise client_error(f"Container '{container['name']}' depends on no other container of the task.")
            if dependency["condition"] in ("SUCCESS", "COMPLETE") and other.get("essential", True):
                raise client_error(
                    "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"
                )


def _complete_container(container: JsonObject, members: JsonObject) -> JsonObject:
    ports = [_complete_port(port, members) for port in container.get("portMappings", ())]
    return {**_CONTAINER_DEFAULTS, **container, "portMappings": ports}


def _complete_port(port: JsonObject, members: JsonObject) -> JsonObject:
    host_port = port["containerPort"] if members.get("networkMode") in ("awsvpc", "host") else 0
    return {"protocol": "tcp", **port, "hostPort": port.get("hostPort") or host_port}


def _compatibilities(members: JsonObject) -> list[str]:
    """Return the launch types that can run a task definition, which may be more than it requires."""
    if members.get("networkMode") != "awsvpc":
        return ["EXTERNAL", "EC2"]
    try:
        _check_fargate(members)
    except ServiceError:
        return ["EC2"]
    return ["EC2", "FARGATE"]


def _required_attributes(members: JsonObject) -> list[str]:
    """Return what container instances need to run a task definition."""
    containers = members["containerDefinitions"]
    images = [container["image"] for container in containers]
    secrets = [secret["valueFrom"] for container in containers for secret in container.get("secrets", ())]
    needs = {
        "com.amazonaws.ecs.capability.logging-driver.awslogs": "awslogs" in map(_log_driver, containers),
        "ecs.capability.execution-role-awslogs": "awslogs" in map(_log_driver, containers)
        and "executionRoleArn" in members,
        "com.amazonaws.ecs.capability.ecr-auth": any(map(_ECR_IMAGE.match, images)),
        "ecs.capability.execution-role-ecr-pull": any(map(_ECR_IMAGE.match, images)) and "executionRoleArn" in members,
        "ecs.capability.secrets.asm.environment-variables": any(":secretsmanager:" in secret for secret in secrets),
        "ecs.capability.secrets.ssm.environment-variables": any(":secretsmanager:" not in secret for secret in secrets),
        "com.amazonaws.ecs.capability.task-iam-role": "taskRoleArn" in members,
        "ecs.capability.task-eni": members.get("networkMode") == "awsvpc",
        "com.amazonaws.ecs.capability.docker-remote-api.1.18": True,
    }
    return [name for name, is_needed in needs.items() if is_needed]


def _log_driver(container: JsonObject) -> str:
    return str(container.get("logConfiguration", {}).get("logDriver", ""))
