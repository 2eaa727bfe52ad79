"""Services of Express Mode."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.ecs.region import REGISTRY, ROLE, Region, ask, refusal
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration

PREFIX = "arn:aws:ecs:eu-west-1:123456789012"
UNKNOWN = f"{REGISTRY}/web@sha256:{'0' * 64}"


def create(region: Region, image: str, **members: Any) -> dict[str, Any]:
    return region.create_express(image, **{"healthCheckPath": "/health", **members})


def endpoint(service: dict[str, Any]) -> str:
    return str(service["activeConfigurations"][0]["ingressPaths"][0]["endpoint"])


def test_service_is_created_and_answers_at_its_endpoint(region: Region) -> None:
    image = region.push("1.0.0", health=200)

    service = create(region, image, tags=[{"key": "team", "value": "web"}])

    (configuration,) = service["activeConfigurations"]
    assert (service["status"]["statusCode"], service["serviceArn"]) == ("ACTIVE", f"{PREFIX}:service/default/web")
    assert configuration["primaryContainer"]["image"] == image
    assert ask(f"http://{endpoint(service)}") == "1.0.0"
    described = region.service()
    assert (described["resourceManagementType"], described["runningCount"]) == ("ECS", 1)
    assert "taskDefinition" not in described
    assert described["deployments"][0]["taskDefinition"] == configuration["taskDefinitionArn"]
    assert "tags" not in service
    tagged = region.call("DescribeExpressGatewayService", serviceArn=service["serviceArn"], include=["TAGS"])
    assert tagged["service"]["tags"] == [{"key": "team", "value": "web"}]


def test_update_answers_its_revision_and_moves_the_endpoint_to_it(region: Region) -> None:
    before = create(region, region.push("1.0.0", health=200))
    image = region.push("2.0.0", health=200)

    answer = region.call(
        "UpdateExpressGatewayService", serviceArn=before["serviceArn"], primaryContainer={"image": image}
    )["service"]

    deployment = region.express(before["serviceArn"])["currentDeployment"]
    target = region.deployment(deployment)["targetServiceRevision"]["arn"]
    assert answer["targetConfiguration"]["serviceRevisionArn"] == target
    assert region.outcome(deployment) == "SUCCESSFUL"
    after = region.express(before["serviceArn"])
    assert (endpoint(after), ask(f"http://{endpoint(after)}")) == (endpoint(before), "2.0.0")
    assert [known["serviceRevisionArn"] for known in after["activeConfigurations"]] == [target]


def test_both_configurations_are_active_during_a_canary(region: Region) -> None:
    images = [region.push("1.0.0", health=200), region.push("2.0.0", health=200)]
    service = create(region, images[0])
    region.restart(deploy_seconds=20)
    deployment = region.update_express(service["serviceArn"], images[1])
    region.wait_for_task(deployment)
    region.reach(deployment, "PRODUCTION_TRAFFIC_SHIFT")

    active = region.express(service["serviceArn"])["activeConfigurations"]

    assert [known["primaryContainer"]["image"] for known in active] == images
    answers = [ask(f"http://{endpoint(service)}") for _ in range(20)]
    assert answers.count("2.0.0") == 1


@pytest.mark.parametrize("status", [404, 500])
def test_errors_of_the_new_version_in_its_canary_roll_it_back(region: Region, status: int) -> None:
    service = create(region, region.push("1.0.0", health=200))
    region.restart(deploy_seconds=20)
    deployment = region.update_express(service["serviceArn"], region.push("2.0.0", health=200, page=status))
    region.wait_for_task(deployment)
    region.reach(deployment, "PRODUCTION_TRAFFIC_SHIFT")

    answers = [ask(f"http://{endpoint(service)}", "/page") for _ in range(40)]

    assert answers.count(str(status)) == 2
    region.pass_time(lambda: region.deployment(deployment)["status"] == "ROLLBACK_SUCCESSFUL")
    alarms = region.deployment(deployment)["alarms"]
    assert (alarms["status"], alarms["triggeredAlarmNames"]) == ("TRIGGERED", alarms["alarmNames"])
    assert {ask(f"http://{endpoint(service)}") for _ in range(20)} == {"1.0.0"}


def test_one_error_of_the_old_version_or_of_many_answers_rolls_nothing_back(region: Region) -> None:
    service = create(region, region.push("1.0.0", health=200, page=404))
    region.restart(deploy_seconds=20)
    deployment = region.update_express(service["serviceArn"], region.push("2.0.0", health=200))
    region.wait_for_task(deployment)
    region.reach(deployment, "PRODUCTION_TRAFFIC_SHIFT")

    for _ in range(40):
        ask(f"http://{endpoint(service)}", "/page")

    region.pass_time(lambda: region.deployment(deployment)["status"] == "SUCCESSFUL")


@pytest.mark.parametrize("health", [0, 500])
def test_version_that_does_not_become_healthy_is_rolled_back(region: Region, health: int) -> None:
    service = create(region, region.push("1.0.0", health=200))
    region.clock.tick = 2.0 if health else 0.0

    image = region.push("2.0.0", health=health) if health else UNKNOWN
    deployment = region.update_express(service["serviceArn"], image)

    assert region.outcome(deployment) == "ROLLBACK_SUCCESSFUL"
    assert region.deployment(deployment)["deploymentCircuitBreaker"]["status"] == "TRIGGERED"
    assert ask(f"http://{endpoint(service)}") == "1.0.0"


def test_new_tasks_are_started_by_force(region: Region) -> None:
    service = create(region, region.push("1.0.0", health=200))
    before = service["activeConfigurations"][0]

    assert region.outcome(region.update_service(forceNewDeployment=True)) == "SUCCESSFUL"

    (after,) = region.express(service["serviceArn"])["activeConfigurations"]
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"serviceRevisionArn", "createdAt"}


def test_task_definition_of_the_owner_is_deployed(region: Region) -> None:
    main = {"name": "Main", "portMappings": [{"containerPort": 8080, "name": "http"}]}
    definition = region.register(region.push("1.0.0", health=200), **main)
    request = {"serviceName": "web", "infrastructureRoleArn": ROLE, "healthCheckPath": "/health"}

    service = region.call("CreateExpressGatewayService", **request, taskDefinitionArn=definition)["service"]

    assert region.outcome(service["currentDeployment"]) == "SUCCESSFUL"
    (configuration,) = region.express(service["serviceArn"])["activeConfigurations"]
    assert (configuration["taskDefinitionArn"], "primaryContainer" in configuration) == (definition, False)
    assert ask(f"http://{endpoint(service)}") == "1.0.0"


@pytest.mark.parametrize(
    "container",
    [
        {"name": "web"},
        {"name": "Main", "portMappings": [{"containerPort": 8080}]},
        {"name": "Main", "portMappings": []},
    ],
)
def test_other_task_definitions_are_refused(region: Region, container: dict[str, Any]) -> None:
    definition = region.register(region.push("1.0.0"), **container)

    assert (
        refusal(
            lambda: region.call("CreateExpressGatewayService", infrastructureRoleArn=ROLE, taskDefinitionArn=definition)
        )
        == "InvalidParameterException"
    )
    assert region.call("ListServices")["serviceArns"] == []


def test_deleted_service_is_inactive(region: Region) -> None:
    arn = create(region, region.push("1.0.0", health=200))["serviceArn"]

    deleted = region.call("DeleteExpressGatewayService", serviceArn=arn)["service"]

    assert deleted["status"]["statusCode"] == "DRAINING"
    wait_for(lambda: region.express(arn)["status"]["statusCode"] == "INACTIVE")
    assert refusal(lambda: region.call("DeleteExpressGatewayService", serviceArn=arn)) == "ServiceNotActiveException"
    assert refusal(lambda: region.update_express(arn, UNKNOWN)) == "ServiceNotActiveException"


def test_unknown_services_are_refused(region: Region) -> None:
    arn = f"{PREFIX}:service/default/web"

    assert refusal(lambda: region.express(arn)) == "ResourceNotFoundException"
    assert refusal(lambda: region.update_express(arn, UNKNOWN)) == "ServiceNotFoundException"


def test_name_is_made_up_and_scaling_says_how_many_tasks_run(region: Region) -> None:
    image = region.push("1.0.0", health=200)
    request = {"infrastructureRoleArn": ROLE, "executionRoleArn": ROLE, "healthCheckPath": "/health"}
    scaling = {"minTaskCount": 2, "maxTaskCount": 4}

    service = region.call(
        "CreateExpressGatewayService", **request, primaryContainer={"image": image}, scalingTarget=scaling
    )["service"]

    assert service["serviceName"].startswith("express-")
    assert region.outcome(service["currentDeployment"]) == "SUCCESSFUL"
    assert region.service(service["serviceName"])["runningCount"] == 2
