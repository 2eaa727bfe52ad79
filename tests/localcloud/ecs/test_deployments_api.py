"""ECS's operations on service deployments and revisions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.ecs.region import REGISTRY, Region, refusal
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration

ARN = "arn:aws:ecs:eu-west-1:123456789012:service-deployment/default/web/none"
UNKNOWN = f"{REGISTRY}/web@sha256:{'0' * 64}"


def listed(region: Region, **filters: Any) -> list[str]:
    answer = region.call("ListServiceDeployments", service="web", **filters)
    return [known["serviceDeploymentArn"] for known in answer["serviceDeployments"]]


def test_deployments_are_listed_newest_first_and_filtered(region: Region) -> None:
    first = region.create_service(region.push("1.0.0"))["currentServiceDeployment"]
    second = region.update_service(forceNewDeployment=True)
    region.outcome(second)
    third = region.update_service(taskDefinition=region.register(UNKNOWN))
    wait_for(lambda: region.deployment(third)["status"] == "IN_PROGRESS")

    assert listed(region) == [third, second, first]
    assert listed(region, status=["SUCCESSFUL"]) == [second, first]
    assert listed(region, status=["IN_PROGRESS", "PENDING"]) == [third]
    created = region.deployment(second)["createdAt"]
    assert listed(region, createdAt={"after": created}) == [third, second]
    assert listed(region, createdAt={"before": created}) == [second, first]


def test_deployments_are_listed_by_page(region: Region) -> None:
    region.create_service(region.push("1.0.0"))
    region.outcome(region.update_service(forceNewDeployment=True))

    page = region.call("ListServiceDeployments", service="web", maxResults=1)
    last = region.call("ListServiceDeployments", service="web", maxResults=1, nextToken=page["nextToken"])

    found = [known["serviceDeploymentArn"] for known in (*page["serviceDeployments"], *last["serviceDeployments"])]
    assert (found, "nextToken" in last) == (listed(region), False)
    assert refusal(lambda: listed(region, maxResults=101)) == "InvalidParameterException"
    assert refusal(lambda: listed(region, nextToken="none")) == "InvalidParameterException"


def test_revision_says_what_runs_and_where(region: Region) -> None:
    image = region.push("1.0.0")
    service = region.create_service(image, gatewayConnectors=[{"portName": "http"}])

    revision = region.revision(service["currentServiceRevisions"][0]["arn"])

    digest = image.rpartition("@")[2]
    assert revision["containerImages"] == [{"containerName": "web", "image": image, "imageDigest": digest}]
    assert revision["taskDefinition"] == service["taskDefinition"]
    (connection,) = revision["ecsManagedResources"]["gatewayConnections"]
    assert (connection["portName"], connection["status"]) == ("http", "ACTIVE")
    assert connection["serviceUrl"].startswith("http://127.0.0.1:")


def test_unknown_deployments_and_revisions_are_failures(region: Region) -> None:
    revision = ARN.replace("service-deployment", "service-revision")

    deployments = region.call("DescribeServiceDeployments", serviceDeploymentArns=[ARN])
    revisions = region.call("DescribeServiceRevisions", serviceRevisionArns=[revision])

    assert deployments == {"serviceDeployments": [], "failures": [{"arn": ARN, "reason": "MISSING"}]}
    assert revisions == {"serviceRevisions": [], "failures": [{"arn": revision, "reason": "MISSING"}]}


@pytest.mark.parametrize(
    ("operation", "request_members", "code"),
    [
        ("DescribeServiceDeployments", {"serviceDeploymentArns": [ARN] * 21}, "InvalidParameterException"),
        ("DescribeServiceDeployments", {"serviceDeploymentArns": []}, "InvalidParameterException"),
        ("DescribeServiceRevisions", {"serviceRevisionArns": [ARN] * 21}, "InvalidParameterException"),
        ("StopServiceDeployment", {"serviceDeploymentArn": ARN}, "ServiceDeploymentNotFoundException"),
        ("StopServiceDeployment", {"serviceDeploymentArn": ARN, "stopType": "PAUSE"}, "InvalidParameterException"),
    ],
)
def test_requests_are_refused(region: Region, operation: str, request_members: dict[str, Any], code: str) -> None:
    assert refusal(lambda: region.call(operation, **request_members)) == code


def test_deployment_that_has_ended_cannot_be_stopped(region: Region) -> None:
    deployment = region.create_service(region.push("1.0.0"))["currentServiceDeployment"]

    code = refusal(lambda: region.call("StopServiceDeployment", serviceDeploymentArn=deployment))

    assert code == "ConflictException"
    assert region.deployment(deployment)["status"] == "SUCCESSFUL"


def test_deployment_can_be_stopped_twice(region: Region) -> None:
    region.create_service(region.push("1.0.0"))
    deployment = region.update_service(taskDefinition=region.register(UNKNOWN))

    region.restart(deploy_seconds=20)
    for _ in range(2):
        region.call("StopServiceDeployment", serviceDeploymentArn=deployment)

    region.pass_time(lambda: region.deployment(deployment)["status"] == "ROLLBACK_SUCCESSFUL")


# The members of the answers that the AWS CLI publishes as examples of describe-service-deployments,
# list-service-deployments and describe-service-revisions: a first deployment that has ended. They show which members
# are there, and neither other states nor what happens when. No example of Express Mode is published.
DEPLOYMENT_MEMBERS = {
    *("serviceDeploymentArn", "serviceArn", "clusterArn", "createdAt", "startedAt", "finishedAt", "updatedAt"),
    *("sourceServiceRevisions", "targetServiceRevision", "status", "deploymentConfiguration"),
    *("deploymentCircuitBreaker", "alarms"),
}
SUMMARY_MEMBERS = {
    *("serviceDeploymentArn", "serviceArn", "clusterArn", "startedAt", "createdAt", "finishedAt"),
    *("targetServiceRevisionArn", "status"),
}
REVISION_MEMBERS = {
    *("serviceRevisionArn", "serviceArn", "clusterArn", "taskDefinition", "platformVersion", "platformFamily"),
    *("networkConfiguration", "containerImages", "guardDutyEnabled", "createdAt"),
}


def test_answers_have_the_members_of_published_examples(region: Region) -> None:
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}}
    service = region.create_service(region.push("1.0.0"), networkConfiguration=network)

    described = region.deployment(service["currentServiceDeployment"])
    (summary,) = region.call("ListServiceDeployments", service=service["serviceArn"])["serviceDeployments"]
    revision = region.revision(summary["targetServiceRevisionArn"])

    assert described.keys() >= DEPLOYMENT_MEMBERS
    assert described["sourceServiceRevisions"] == []
    counts = {"requestedTaskCount": 1, "runningTaskCount": 1, "pendingTaskCount": 0}
    assert counts.items() <= described["targetServiceRevision"].items()
    assert described["alarms"] == {"status": "DISABLED"}
    assert described["deploymentCircuitBreaker"].keys() == {"status", "failureCount", "threshold"}
    assert summary.keys() == SUMMARY_MEMBERS
    assert revision.keys() >= REVISION_MEMBERS
    assert service["serviceArn"].startswith("arn:aws:ecs:eu-west-1:123456789012:service/default/")
    for arn, kind in ((summary["serviceDeploymentArn"], "deployment"), (revision["serviceRevisionArn"], "revision")):
        assert arn.rpartition("/")[0] == service["serviceArn"].replace(":service/", f":service-{kind}/")
    assert revision["serviceRevisionArn"].rpartition("/")[2].isdecimal()
