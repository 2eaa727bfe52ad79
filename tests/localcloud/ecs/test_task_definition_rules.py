"""ECS's rules for task definitions, and the defaults that it adds."""

from __future__ import annotations

from typing import Any

import pytest

from kaizen_tasks.localcloud.ecs.task_definition_rules import complete
from kaizen_tasks.localcloud.server.aws_json import ServiceError
from tests.localcloud.ecs.samples import SECRET, WEB, fargate


def without(member: str) -> dict[str, Any]:
    return {name: value for name, value in fargate().items() if name != member}


def refusal(request: dict[str, Any]) -> str:
    with pytest.raises(ServiceError) as caught:
        complete(request)
    assert caught.value.code == "ClientException"
    return caught.value.message


class TestDefaults:
    def test_what_ecs_adds(self) -> None:
        definition = complete(fargate({**WEB, "portMappings": [{"containerPort": 8080}]}, tags=[]))

        (container,) = definition["containerDefinitions"]
        assert container["portMappings"] == [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}]
        assert (container["essential"], container["cpu"], container["environment"]) == (True, 0, [])
        assert definition["compatibilities"] == ["EC2", "FARGATE"]
        assert (definition["volumes"], definition["placementConstraints"]) == ([], [])
        assert {"name": "ecs.capability.execution-role-ecr-pull"} in definition["requiresAttributes"]
        assert "tags" not in definition

    @pytest.mark.parametrize(
        ("cpu", "memory", "stored"),
        [(".25 vCPU", "0.5 GB", ("256", "512")), ("1vCPU", "2GB", ("1024", "2048")), ("16384", "122880", None)],
    )
    def test_sizes_are_stored_as_units(self, cpu: str, memory: str, stored: tuple[str, str] | None) -> None:
        definition = complete(fargate(cpu=cpu, memory=memory))

        assert (definition["cpu"], definition["memory"]) == (stored or (cpu, memory))

    def test_registered_definition_can_be_registered_again(self) -> None:
        definition = complete(fargate())

        assert complete({"family": "web", **definition}) == definition


class TestSizes:
    @pytest.mark.parametrize(
        ("cpu", "memory"), [("256", "4096"), ("512", "512"), ("1024", "2560"), ("8192", "17408"), ("300", "512")]
    )
    def test_pairs_that_fargate_lacks(self, cpu: str, memory: str) -> None:
        assert refusal(fargate(cpu=cpu, memory=memory)).startswith("No Fargate configuration exists for given values")

    @pytest.mark.parametrize("member", ["cpu", "memory"])
    def test_fargate_needs_the_size_of_the_task(self, member: str) -> None:
        assert refusal(without(member)) == f"Fargate requires that '{member}' be defined at the task level."

    def test_words_are_no_sizes(self) -> None:
        assert refusal(fargate(cpu="small")) == "Invalid 'cpu' setting for task."
        assert refusal(fargate(memory="small")) == "Invalid 'memory' setting for task."

    def test_containers_fit_into_the_task(self) -> None:
        side = {"name": "side", "image": "side", "cpu": 200, "essential": False}
        assert "sum of all container 'cpu' values" in refusal(fargate({**WEB, "cpu": 100}, side))
        assert "'memory' value of a container" in refusal(fargate({**WEB, "memory": 513}))

    def test_ec2_needs_the_memory_of_each_container(self) -> None:
        request = {"family": "web", "containerDefinitions": [WEB]}
        assert "At least one of 'memory' or 'memoryReservation'" in refusal(request)
        assert complete({**request, "containerDefinitions": [{**WEB, "memoryReservation": 64}]})

    def test_definition_is_compatible_with_what_could_run_it(self) -> None:
        def compatibilities(**members: Any) -> list[str]:
            found: list[str] = complete(fargate(requiresCompatibilities=["EC2"], **members))["compatibilities"]
            return found

        assert compatibilities() == ["EC2", "FARGATE"]
        assert compatibilities(memory="4096") == ["EC2"]
        assert compatibilities(networkMode="bridge") == ["EXTERNAL", "EC2"]


REFUSALS = [
    (fargate(networkMode="bridge"), "Fargate only supports network mode 'awsvpc'."),
    (without("networkMode"), "Fargate only supports network mode 'awsvpc'."),
    (without("executionRoleArn"), "Fargate requires task definition to have execution role ARN to support ECR images."),
    (fargate(executionRoleArn="arn:aws:iam::1:role/x"), "Role is not valid"),
    (fargate(taskRoleArn="arn:aws:iam::1:role/x"), "Role is not valid"),
    (fargate(family=""), "Family should not be null or empty."),
    (fargate(family="a b"), "Family contains invalid characters."),
    (fargate(containerDefinitions=[]), "Container list cannot be empty."),
    (fargate({"name": "web"}), "Container.image should not be null or empty."),
    (fargate({"image": "web"}), "Container.name should not be null or empty."),
    (fargate({**WEB, "name": "a.b"}), "Container.name contains invalid characters."),
    (fargate({**WEB, "image": "a b"}), "Container.image contains invalid characters."),
    (fargate(WEB, WEB), "Container names must be unique within a task definition."),
    (fargate({**WEB, "essential": False}), "Task definition doesn't have any essential container."),
    (fargate({**WEB, "privileged": True}), "Fargate doesn't support privileged containers."),
    (
        fargate({**WEB, "portMappings": [{"containerPort": 80, "hostPort": 8080}]}),
        "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
    ),
    (
        fargate({**WEB, "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g"}}}),
        "Log driver awslogs requires options: awslogs-region",
    ),
    (
        fargate({**WEB, "dependsOn": [{"containerName": "init", "condition": "SUCCESS"}]}, {**WEB, "name": "init"}),
        "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
    ),
]


@pytest.mark.parametrize(("request_members", "message"), REFUSALS)
def test_refusals_are_those_of_ecs(request_members: dict[str, Any], message: str) -> None:
    assert refusal(request_members) == message


class TestLogs:
    def test_fargate_needs_a_role_for_awslogs(self) -> None:
        options = {"awslogs-group": "g", "awslogs-region": "eu-west-1"}
        container = {"name": "web", "image": "nginx", "logConfiguration": {"logDriver": "awslogs", "options": options}}
        request = fargate(container)
        del request["executionRoleArn"]

        expected = "Fargate requires task definition to have execution role ARN to support log driver awslogs."
        assert refusal(request) == expected


class TestSecrets:
    @pytest.mark.parametrize(
        "reference",
        [SECRET, f"{SECRET}:password::", "arn:aws:ssm:eu-west-1:123456789012:parameter/web/key", "/web/key", "key"],
    )
    def test_references_that_ecs_accepts(self, reference: str) -> None:
        secrets = [{"name": "KEY", "valueFrom": reference}]

        (container,) = complete(fargate({**WEB, "secrets": secrets}))["containerDefinitions"]

        assert container["secrets"] == secrets

    def test_references_that_ecs_refuses(self) -> None:
        member_without_version = [{"name": "KEY", "valueFrom": f"{SECRET}:password"}]
        bad_parameter = [{"name": "KEY", "valueFrom": "web:password::"}]
        assert "Secrets Manager ARN" in refusal(fargate({**WEB, "secrets": member_without_version}))
        expected = "The Systems Manager parameter name specified for secret KEY is invalid."
        assert refusal(fargate({**WEB, "secrets": bad_parameter})) == expected

    def test_secret_needs_a_name_of_its_own(self) -> None:
        secrets, environment = [{"name": "KEY", "valueFrom": SECRET}], [{"name": "KEY", "value": "plain"}]

        assert "such as 'KEY'" in refusal(fargate({**WEB, "secrets": secrets, "environment": environment}))
        assert "such as 'KEY'" in refusal(fargate({**WEB, "secrets": secrets * 2}))

    def test_secrets_need_an_execution_role(self) -> None:
        container = {"name": "web", "image": "nginx", "secrets": [{"name": "KEY", "valueFrom": SECRET}]}
        request = fargate(container)
        del request["executionRoleArn"]

        assert "you must also specify a value for 'executionRoleArn'" in refusal(request)
