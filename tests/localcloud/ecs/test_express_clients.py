"""Express Mode by boto3, with real processes and with injected faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.ecs.region import FINAL, ROLE
from tests.localcloud.layers import SERVER, Pushed
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from tests.support.local_cloud import Cloud

UPDATE = {"service": "ecs", "operation": "UpdateExpressGatewayService"}
CRASHING = "print('cannot start'); raise SystemExit(3)"


class Team:
    """Pushes images and deploys Express services in a local cloud."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self.cloud, self.name = cloud, name
        self.ecs = cloud.client("ecs", attempts=3)
        self.images = Pushed(cloud.client("ecr"))
        self.images.repository(name)

    def push(self, version: str, script: str = SERVER) -> dict[str, Any]:
        """Push an app and return its container."""
        digest = self.images.app(self.name, version, script=script, tag=version)
        return {"image": f"{self.cloud.registry}/{self.name}@{digest}", "containerPort": 8080}

    def create(self, container: dict[str, Any]) -> str:
        """Create a service and return its ARN once it is stable."""
        roles = {"executionRoleArn": ROLE, "infrastructureRoleArn": ROLE}
        service = self.ecs.create_express_gateway_service(
            **roles, serviceName=self.name, healthCheckPath="/health", primaryContainer=container
        )["service"]
        self.outcome(service["currentDeployment"])
        self.ecs.get_waiter("services_stable").wait(services=[self.name])
        return str(service["serviceArn"])

    def outcome(self, deployment: str) -> dict[str, Any]:
        """Wait until a deployment has ended and return it."""

        def described() -> dict[str, Any]:
            answer = self.ecs.describe_service_deployments(serviceDeploymentArns=[deployment])
            found: dict[str, Any] = answer["serviceDeployments"][0]
            return found

        wait_for(lambda: described()["status"] in FINAL)
        return described()

    def deployments(self) -> list[str]:
        listed = self.ecs.list_service_deployments(service=self.name)["serviceDeployments"]
        return [str(known["serviceDeploymentArn"]) for known in listed]


def test_version_that_crashes_is_rolled_back_with_its_tasks_and_output_to_read(cloud: Cloud) -> None:
    team = Team(cloud, "crashes")
    arn = team.create(team.push("1.0.0"))

    team.ecs.update_express_gateway_service(serviceArn=arn, primaryContainer=team.push("2.0.0", CRASHING))

    deployment = team.outcome(team.deployments()[0])
    assert deployment["status"] == "ROLLBACK_SUCCESSFUL"
    stopped = team.ecs.list_tasks(serviceName=team.name, desiredStatus="STOPPED")["taskArns"]
    tasks = team.ecs.describe_tasks(tasks=stopped)["tasks"]
    crashed = [task for task in tasks if task["stopCode"] == "EssentialContainerExited"]
    assert {task["containers"][0]["exitCode"] for task in crashed} == {3}
    (active,) = team.ecs.describe_express_gateway_service(serviceArn=arn)["service"]["activeConfigurations"]
    group = active["primaryContainer"]["awsLogsConfiguration"]["logGroup"]
    lines = cloud.client("logs").filter_log_events(logGroupName=group, filterPattern="cannot")["events"]
    assert {event["message"] for event in lines} == {"cannot start"}


def test_request_that_is_throttled_is_sent_again_by_the_sdk(cloud: Cloud) -> None:
    team = Team(cloud, "throttled")
    arn = team.create(team.push("1.0.0"))
    fault = {"error": {"code": "ThrottlingException", "status": 400}}
    cloud.inject_fault(UPDATE, fault)

    team.ecs.update_express_gateway_service(serviceArn=arn, primaryContainer=team.push("2.0.0"))

    assert len(team.deployments()) == 2
    assert team.outcome(team.deployments()[0])["status"] == "SUCCESSFUL"


def test_request_whose_answer_is_lost_has_been_executed(cloud: Cloud) -> None:
    team = Team(cloud, "lost")
    arn = team.create(team.push("1.0.0"))
    fault = {"error": {"code": "AccessDeniedException", "status": 400}}
    cloud.inject_fault(UPDATE, {"late": True, **fault})

    with pytest.raises(ClientError, match="scripted fault"):
        team.ecs.update_express_gateway_service(serviceArn=arn, primaryContainer=team.push("2.0.0"))

    assert len(team.deployments()) == 2
    assert team.outcome(team.deployments()[0])["status"] == "SUCCESSFUL"
