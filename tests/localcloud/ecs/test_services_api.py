"""ECS's operations on services: what they answer and refuse."""

from __future__ import annotations

import urllib.error
from typing import TYPE_CHECKING, Any

import pytest

from tests.localcloud.ecs.region import REGISTRY, Region, ask, refusal
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.integration

PREFIX = "arn:aws:ecs:eu-west-1:123456789012"
UNKNOWN = f"{REGISTRY}/web@sha256:{'0' * 64}"


def test_answers_name_the_new_deployment_at_once(region: Region) -> None:
    definition = region.register(region.push("1.0.0"))

    created = region.call("CreateService", serviceName="web", taskDefinition=definition, desiredCount=1)["service"]

    assert created["serviceArn"] == f"{PREFIX}:service/default/web"
    (deployment,) = created["deployments"]
    (revision,) = created["currentServiceRevisions"]
    assert (deployment["status"], deployment["rolloutState"]) == ("PRIMARY", "IN_PROGRESS")
    assert deployment["id"].removeprefix("ecs-svc/") == revision["arn"].rpartition("/")[2]
    described = region.deployment(created["currentServiceDeployment"])
    assert described["targetServiceRevision"]["arn"] == revision["arn"]


def test_service_is_created_once(region: Region) -> None:
    request = {"serviceName": "web", "taskDefinition": region.register(region.push("1.0.0")), "desiredCount": 1}
    created = region.call("CreateService", **request)["service"]

    again = region.call("CreateService", **request)["service"]

    assert again["currentServiceDeployment"] == created["currentServiceDeployment"]
    other = {**request, "desiredCount": 2}
    assert refusal(lambda: region.call("CreateService", **other)) == "InvalidParameterException"


def test_update_without_a_change_is_no_deployment(region: Region) -> None:
    service = region.create_service(region.push("1.0.0"))

    assert region.update_service(taskDefinition=service["taskDefinition"]) == service["currentServiceDeployment"]
    assert region.update_service(enableExecuteCommand=True) == service["currentServiceDeployment"]
    assert region.service()["enableExecuteCommand"]


@pytest.mark.parametrize(
    "change",
    [
        {"forceNewDeployment": True},
        {"platformVersion": "1.4.0"},
        {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-2"]}}},
    ],
)
def test_change_of_what_tasks_are_started_from_is_a_deployment(region: Region, change: dict[str, Any]) -> None:
    service = region.create_service(region.push("1.0.0"))

    deployment = region.update_service(**change)

    assert deployment != service["currentServiceDeployment"]
    assert region.outcome(deployment) == "SUCCESSFUL"
    assert region.service()["taskDefinition"] == service["taskDefinition"]


def test_settings_survive_a_deployment(region: Region) -> None:
    settings: dict[str, Any] = {
        "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}},
        "healthCheckGracePeriodSeconds": 30,
        "tags": [{"key": "team", "value": "web"}],
    }
    before = region.create_service(region.push("1.0.0"), **settings)

    region.outcome(region.update_service(taskDefinition=region.register(region.push("2.0.0"))))

    names = ("deploymentConfiguration", "networkConfiguration", "healthCheckGracePeriodSeconds", "desiredCount")
    after = region.service()
    assert {name: after[name] for name in names} == {name: before[name] for name in names}
    tags = region.call("ListTagsForResource", resourceArn=after["serviceArn"])["tags"]
    assert tags == [{"key": "team", "value": "web"}]


def test_tags_are_shown_on_request(region: Region) -> None:
    arn = region.create_service(region.push("1.0.0"), tags=[{"key": "a", "value": "1"}])["serviceArn"]
    region.call("TagResource", resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    region.call("UntagResource", resourceArn=arn, tagKeys=["a"])

    (service,) = region.call("DescribeServices", services=[arn], include=["TAGS"])["services"]

    assert service["tags"] == [{"key": "b", "value": "2"}]
    assert "tags" not in region.service()
    unknown = f"{arn}-2"
    assert refusal(lambda: region.call("ListTagsForResource", resourceArn=unknown)) == "ResourceNotFoundException"


def test_unknown_services_are_failures(region: Region) -> None:
    answer = region.call("DescribeServices", services=["web"])

    assert answer == {"services": [], "failures": [{"arn": f"{PREFIX}:service/default/web", "reason": "MISSING"}]}


@pytest.mark.parametrize(
    ("operation", "request_members", "code"),
    [
        ("DescribeServices", {"services": ["web"] * 11}, "InvalidParameterException"),
        ("DescribeServices", {"services": ["web"], "cluster": "none"}, "ClusterNotFoundException"),
        ("UpdateService", {"service": "web"}, "ServiceNotFoundException"),
        ("DeleteService", {"service": "web"}, "ServiceNotFoundException"),
        ("ListServiceDeployments", {"service": "web"}, "ServiceNotFoundException"),
        (
            "CreateService",
            {"serviceName": "a b", "taskDefinition": "web", "desiredCount": 1},
            "InvalidParameterException",
        ),
        ("CreateService", {"serviceName": "web", "taskDefinition": "none", "desiredCount": 1}, "ClientException"),
        ("CreateService", {"serviceName": "web"}, "InvalidParameterException"),
        (
            "CreateService",
            {
                "serviceName": "web",
                "taskDefinition": "web",
                "desiredCount": 1,
                "deploymentController": {"type": "CODE_DEPLOY"},
            },
            "UnsupportedFeatureException",
        ),
    ],
)
def test_requests_are_refused(region: Region, operation: str, request_members: dict[str, Any], code: str) -> None:
    region.register(region.push("1.0.0"))

    assert refusal(lambda: region.call(operation, **request_members)) == code


def test_deleted_service_is_inactive_and_frees_its_name(region: Region) -> None:
    service = region.create_service(region.push("1.0.0"))
    address = region.address()
    assert refusal(lambda: region.call("DeleteService", service="web")) == "InvalidParameterException"

    deleted = region.call("DeleteService", service="web", force=True)["service"]

    assert deleted["status"] == "DRAINING"
    wait_for(lambda: region.service()["status"] == "INACTIVE")
    assert region.service()["deployments"] == []
    assert region.call("ListServices")["serviceArns"] == []
    assert refusal(lambda: region.update_service(desiredCount=1)) == "ServiceNotActiveException"
    failures = region.call("DescribeServiceDeployments", serviceDeploymentArns=[service["currentServiceDeployment"]])[
        "failures"
    ]
    assert [failure["reason"] for failure in failures] == ["MISSING"]
    with pytest.raises(urllib.error.URLError):
        ask(address)
    region.create_service(region.push("2.0.0"))
    assert ask(region.address()) == "2.0.0"


def test_service_that_is_deleted_during_a_deployment_ends_it(region: Region) -> None:
    region.create_service(region.push("1.0.0"))
    region.update_service(taskDefinition=region.register(UNKNOWN))

    region.call("DeleteService", service="web", force=True)

    wait_for(lambda: region.service()["status"] == "INACTIVE")


def test_services_are_listed_by_page_and_by_who_manages_them(region: Region) -> None:
    image = region.push("1.0.0")
    region.create_service(image, name="one", launchType="FARGATE")
    region.create_service(image, name="two")
    region.create_express(image, name="three", healthCheckPath="/")

    first = region.call("ListServices", maxResults=2)
    second = region.call("ListServices", maxResults=2, nextToken=first["nextToken"])

    names = [arn.rpartition("/")[2] for page in (first, second) for arn in page["serviceArns"]]
    assert (names, "nextToken" in second) == (["one", "two", "three"], False)
    managed = region.call("ListServices", resourceManagementType="ECS")["serviceArns"]
    assert managed == [f"{PREFIX}:service/default/three"]


def test_container_that_is_not_essential_may_come_from_another_registry(region: Region) -> None:
    web = {"name": "web", "image": region.push("1.0.0"), "portMappings": [{"containerPort": 8080}]}
    sidecar = {"name": "agent", "image": "public.ecr.aws/agent:1", "essential": False}
    definition = region.call(
        "RegisterTaskDefinition",
        family="pair",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn="arn:aws:iam::123456789012:role/execution",
        containerDefinitions=[sidecar, web],
    )["taskDefinition"]["taskDefinitionArn"]

    created = region.call("CreateService", serviceName="web", taskDefinition=definition, desiredCount=1)["service"]

    assert region.outcome(created["currentServiceDeployment"]) == "SUCCESSFUL"
    assert ask(region.address()) == "1.0.0"


def test_services_of_a_restarted_cloud_keep_their_addresses(open_region: Callable[..., Region]) -> None:
    region = open_region()
    before = region.create_service(region.push("1.0.0"), desiredCount=2)
    address = region.address()

    region.restart()

    wait_for(lambda: region.service()["runningCount"] == 2)
    assert (region.address(), ask(address)) == (address, "1.0.0")
    assert region.service()["currentServiceDeployment"] == before["currentServiceDeployment"]
