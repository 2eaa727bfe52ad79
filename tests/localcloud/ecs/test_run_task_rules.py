"""ECS's rules for RunTask."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from kaizen_tasks.localcloud.ecs.clusters import Cluster
from kaizen_tasks.localcloud.ecs.run_task.run_task_rules import check_run_task
from kaizen_tasks.localcloud.ecs.task_definition_rules import complete
from kaizen_tasks.localcloud.ecs.task_definitions import TaskDefinition
from kaizen_tasks.localcloud.server.aws_json import ServiceError
from tests.localcloud.ecs.samples import NETWORK, fargate

CLUSTER = Cluster(
    name="default", arn="arn:cluster/default", settings={"capacityProviders": ["FARGATE", "FARGATE_SPOT"]}, tags={}
)
DEFINITION = TaskDefinition(
    family="web", revision=1, arn="arn", document=complete(fargate()), tags={}, registered=0, registered_by="root"
)
ON_EC2 = attrs.evolve(DEFINITION, document=complete(fargate(requiresCompatibilities=["EC2"], memory="4096")))
REQUEST: dict[str, Any] = {"taskDefinition": "web", "launchType": "FARGATE", "networkConfiguration": NETWORK}
SPOT = {
    "taskDefinition": "web",
    "networkConfiguration": NETWORK,
    "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}],
}


def network(**members: Any) -> dict[str, Any]:
    return {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], **members}}}


def overrides(**members: Any) -> dict[str, Any]:
    return {"overrides": members}


REFUSALS = [
    ({"launchType": "EC2"}, "No Container Instances were found in your cluster."),
    ({"count": 11}, "count must be between 1 and 10."),
    ({"count": 0}, "count must be between 1 and 10."),
    ({"startedBy": "x" * 129}, "startedBy can not be longer than 128 characters."),
    ({"networkConfiguration": {}}, "Network Configuration must be provided when networkMode 'awsvpc' is specified."),
    (network(subnets=[]), "subnets can not be empty."),
    (network(subnets=["subnet"] * 17), "subnets can have at most 16 items."),
    (network(securityGroups=["sg"] * 6), "securityGroups can have at most 5 items."),
    (
        {"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
        "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
    ),
    (
        overrides(containerOverrides=[{"name": "app"}]),
        "Override for container named app is not a container in the TaskDefinition.",
    ),
    (
        overrides(containerOverrides=[{"name": "web", "command": ["x" * 8192]}]),
        "Container Overrides length must be at most 8192",
    ),
]


def refusal(request: dict[str, Any], cluster: Cluster = CLUSTER, definition: TaskDefinition = DEFINITION) -> str:
    with pytest.raises(ServiceError) as caught:
        check_run_task(request, cluster, definition)
    return caught.value.message


@pytest.mark.parametrize(("members", "message"), REFUSALS)
def test_refusals_are_those_of_ecs(members: dict[str, Any], message: str) -> None:
    assert refusal({**REQUEST, **members}) == message


@pytest.mark.parametrize(
    "members",
    [{}, {"count": 10}, overrides(cpu="512", memory="1024"), overrides(containerOverrides=[{"name": "web"}])],
)
def test_requests_that_ecs_accepts(members: dict[str, Any]) -> None:
    check_run_task({**REQUEST, **members}, CLUSTER, DEFINITION)


def test_size_of_overrides_is_one_that_fargate_has() -> None:
    assert refusal({**REQUEST, **overrides(memory="4096")}).startswith("No Fargate configuration exists")


def test_capacity_providers_are_those_of_the_cluster() -> None:
    check_run_task(SPOT, CLUSTER, DEFINITION)
    without = attrs.evolve(CLUSTER, settings={})
    assert refusal(SPOT, cluster=without) == "The specified capacity provider 'FARGATE_SPOT' was not found."


def test_default_strategy_of_the_cluster_replaces_a_launch_type() -> None:
    request = {name: value for name, value in REQUEST.items() if name != "launchType"}
    strategy = {"capacityProviders": ["FARGATE"], "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}

    assert refusal(request) == "No Container Instances were found in your cluster."
    check_run_task(request, attrs.evolve(CLUSTER, settings=strategy), DEFINITION)


def test_task_definition_must_be_one_for_fargate() -> None:
    assert refusal(REQUEST, definition=ON_EC2) == "Task definition does not support launch_type FARGATE."
