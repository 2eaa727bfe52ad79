"""The examples of requests and answers that AWS publishes with botocore, on the local cloud.

They are of EC2: what Fargate needs is added, and what only container instances have is not expected. They show which
members an answer has, and neither the words of errors nor what happens when.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.loaders import Loader

from tests.localcloud.ecs.samples import NETWORK, fargate
from tests.localcloud.layers import Pushed
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.local_cloud import Cloud

REGION = "us-east-1"  # that of the examples
CLUSTER = f"arn:aws:ecs:{REGION}:123456789012:cluster/my_cluster"
OF_EC2 = {"containerInstanceArn", "networkBindings", "links"}
FARGATE: Mapping[str, Any] = {"launchType": "FARGATE", "networkConfiguration": NETWORK}


def example(operation: str) -> dict[str, Any]:
    """Return the first published example of an operation."""
    examples: dict[str, Any] = Loader().load_service_model("ecs", "examples-1")["examples"]
    first: dict[str, Any] = examples[operation][0]
    return first


def differences(published: Any, answered: Any, path: str = "") -> Iterator[str]:
    """Yield the members that a published answer has, and ours lacks or has with another type."""
    if isinstance(published, dict):
        for name, value in published.items():
            if name not in OF_EC2:
                yield from differences(value, answered.get(name), f"{path}.{name}")
    elif isinstance(published, list):
        if not isinstance(answered, list) or (published and not answered):
            yield f"{path}: no list, or an empty one"
        elif published and answered:
            yield from differences(published[0], answered[0], f"{path}[0]")
    elif not isinstance(answered, (type(published), datetime)):
        yield f"{path}: {answered!r} in place of {published!r}"


@pytest.fixture(scope="module")
def ecs(cloud: Cloud) -> Any:
    """Return a client of a region in which the task definition of the examples is registered, with an image."""
    client = cloud.client("ecs", region=REGION)
    images = Pushed(cloud.client("ecr", region=REGION))
    images.repository("wordpress")
    images.app("wordpress", "v1")
    definition = example("DescribeTaskDefinition")["output"]["taskDefinition"]
    containers = [
        {**{name: value for name, value in container.items() if name != "links"}, "memory": 250, "image": image}
        for container, image in zip(
            definition["containerDefinitions"],
            [f"123456789012.dkr.ecr.{REGION}.amazonaws.com/wordpress:latest"] * 2,
            strict=True,
        )
    ]
    client.register_task_definition(**fargate(*containers, family="hello_world"))
    return client


def repeat(client: Any, operation: str, **changes: Any) -> dict[str, Any]:
    """Send the request of an example with other members, compare the answer with the published one, and return it."""
    published = example(operation)
    answer: dict[str, Any] = client._make_api_call(operation, {**published["input"], **changes})
    assert list(differences(published.get("output", {}), answer)) == []
    return answer


def test_clusters(ecs: Any) -> None:
    repeat(ecs, "CreateCluster")
    repeat(ecs, "DescribeClusters")
    repeat(ecs, "ListClusters")
    repeat(ecs, "TagResource", resourceArn=CLUSTER)
    repeat(ecs, "ListTagsForResource", resourceArn=CLUSTER)
    repeat(ecs, "UntagResource", resourceArn=CLUSTER)
    repeat(ecs, "DeleteCluster")


def test_task_definitions(ecs: Any) -> None:
    repeat(ecs, "RegisterTaskDefinition")
    repeat(ecs, "DescribeTaskDefinition", taskDefinition="hello_world:1")
    repeat(ecs, "ListTaskDefinitions")
    repeat(ecs, "ListTaskDefinitionFamilies")


def test_services_and_tasks(ecs: Any) -> None:
    repeat(ecs, "CreateService", desiredCount=1, **FARGATE)
    wait_for(lambda: ecs.describe_services(services=["ecs-simple-service"])["services"][0]["events"])
    wait_for(lambda: ecs.list_tasks(serviceName="ecs-simple-service")["taskArns"])
    repeat(ecs, "DescribeServices")
    repeat(ecs, "ListServices")
    (task,) = repeat(ecs, "ListTasks", serviceName="ecs-simple-service")["taskArns"]
    repeat(ecs, "DescribeTasks", tasks=[task])
    repeat(ecs, "RunTask", taskDefinition="hello_world:1", **FARGATE)
    repeat(ecs, "UpdateService", service="ecs-simple-service", taskDefinition="hello_world")
    repeat(ecs, "DeleteService", service="ecs-simple-service", force=True)
