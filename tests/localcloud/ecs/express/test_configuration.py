from __future__ import annotations

from typing import Any

import pytest

from kaizen_tasks.localcloud.ecs.express.configuration import configure, task_definition_request
from kaizen_tasks.localcloud.ecs.task_definition_rules import complete
from kaizen_tasks.localcloud.server.aws_json import ServiceError

ROLE = "arn:aws:iam::123456789012:role/execution"
GROUP = "/aws/ecs/default/web-0123"
IMAGE = "127.0.0.1:4566/web@sha256:" + "0" * 64
CREATION = {"infrastructureRoleArn": ROLE, "executionRoleArn": ROLE, "primaryContainer": {"image": IMAGE}}
OWN = {"infrastructureRoleArn": ROLE, "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1"}


def test_defaults_are_those_of_the_model() -> None:
    configuration = configure(CREATION, {}, GROUP)

    assert (configuration["cpu"], configuration["memory"], configuration["cpuArchitecture"]) == ("256", "512", "X86_64")
    assert configuration["healthCheckPath"] == "/ping"
    assert configuration["scalingTarget"]["minTaskCount"] == 1
    assert configuration["primaryContainer"] == {
        "image": IMAGE,
        "containerPort": 80,
        "awsLogsConfiguration": {"logGroup": GROUP, "logStreamPrefix": "ecs"},
    }


def test_update_keeps_what_it_leaves_out_but_inside_of_structures() -> None:
    container = {"image": IMAGE, "containerPort": 8080, "environment": [{"name": "A", "value": "1"}]}
    current = configure(
        {
            **CREATION,
            "primaryContainer": container,
            "cpu": "512",
            "memory": "1024",
            "healthCheckPath": "/health",
            "scalingTarget": {"minTaskCount": 2},
            "taskRoleArn": ROLE,
        },
        {},
        GROUP,
    )

    updated = configure({"primaryContainer": {"image": IMAGE}}, current, GROUP)

    kept = ("cpu", "memory", "healthCheckPath", "scalingTarget", "taskRoleArn", "executionRoleArn")
    assert {name: updated[name] for name in kept} == {name: current[name] for name in kept}
    assert updated["primaryContainer"]["containerPort"] == 80
    assert "environment" not in updated["primaryContainer"]
    assert configure({"healthCheckPath": "/up"}, current, GROUP)["primaryContainer"]["containerPort"] == 8080


def test_task_definition_of_the_owner_replaces_what_ecs_makes_one_from() -> None:
    configuration = configure(OWN, {}, GROUP)

    assert configuration["taskDefinitionArn"] == OWN["taskDefinitionArn"]
    assert "primaryContainer" not in configuration
    assert configure({"healthCheckPath": "/up"}, configuration, GROUP)["taskDefinitionArn"] == OWN["taskDefinitionArn"]


@pytest.mark.parametrize(
    "request_members",
    [
        {"infrastructureRoleArn": ROLE},
        {"infrastructureRoleArn": ROLE, "primaryContainer": {"image": IMAGE}},
        {"infrastructureRoleArn": ROLE, "executionRoleArn": ROLE},
        {**OWN, "executionRoleArn": ROLE},
        {**OWN, "primaryContainer": {"image": IMAGE}},
        {**OWN, "cpuArchitecture": "ARM64"},
        {**CREATION, "healthCheckPath": "health"},
        {**CREATION, "scalingTarget": {"minTaskCount": 3, "maxTaskCount": 2}},
        {**CREATION, "cpu": "256", "memory": "8192"},
    ],
)
def test_contradictions_are_refused(request_members: dict[str, Any]) -> None:
    with pytest.raises(ServiceError):
        configure(request_members, {}, GROUP)


def test_task_definition_has_everything_of_the_container() -> None:
    container = {
        "image": IMAGE,
        "containerPort": 8080,
        "command": ["serve"],
        "environment": [{"name": "A", "value": "1"}],
        "secrets": [{"name": "B", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:b-AbCdEf"}],
    }
    configuration = configure({**CREATION, "primaryContainer": container, "cpuArchitecture": "ARM64"}, {}, GROUP)

    definition = complete(task_definition_request(configuration, "default-web", "eu-west-1"))

    (main,) = definition["containerDefinitions"]
    assert (main["name"], main["portMappings"][0]["containerPort"]) == ("Main", 8080)
    assert {name: main[name] for name in ("image", "command", "environment", "secrets")} == {
        name: container[name] for name in ("image", "command", "environment", "secrets")
    }
    assert main["logConfiguration"]["options"]["awslogs-group"] == GROUP
    assert definition["runtimePlatform"]["cpuArchitecture"] == "ARM64"
    assert (definition["cpu"], definition["memory"], definition["executionRoleArn"]) == ("256", "512", ROLE)
