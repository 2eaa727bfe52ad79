"""Deployments of services: how they move traffic, how they end, and what survives a restart."""

from __future__ import annotations

import pytest

from kaizen_tasks.localcloud.ecs.deploy import assumptions
from tests.localcloud.ecs.region import REGISTRY, Region, ask
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration

UNKNOWN = f"{REGISTRY}/web@sha256:{'0' * 64}"
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
NO_ROLLBACK = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
CANARY = {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 3}}
STAGE_SECONDS = 20.0


def test_deployment_replaces_the_tasks_and_keeps_the_address(region: Region) -> None:
    before = region.create_service(region.push("1.0.0"), desiredCount=2)
    address = region.address()
    assert ask(address) == "1.0.0"

    update = region.update_service(taskDefinition=region.register(region.push("2.0.0")))

    assert region.outcome(update) == "SUCCESSFUL"
    assert (region.address(), ask(address)) == (address, "2.0.0")
    service = region.service()
    assert (service["runningCount"], service["pendingCount"], len(service["deployments"])) == (2, 0, 1)
    assert service["deployments"][0]["id"] != before["deployments"][0]["id"]
    described = region.deployment(update)
    assert [source["runningTaskCount"] for source in described["sourceServiceRevisions"]] == [0]


def test_canary_gets_its_share_of_the_traffic_until_the_bake_has_ended(region: Region) -> None:
    region.create_service(region.push("1.0.0"), deploymentConfiguration={**CANARY, "bakeTimeInMinutes": 3})
    region.restart(deploy_seconds=STAGE_SECONDS)
    update = region.update_service(taskDefinition=region.register(region.push("2.0.0")))
    region.wait_for_task(update)
    assert region.deployment(update)["lifecycleStage"] == "SCALE_UP"
    assert {ask(region.address()) for _ in range(20)} == {"1.0.0"}

    region.reach(update, "PRODUCTION_TRAFFIC_SHIFT")
    versions = [ask(region.address()) for _ in range(40)]

    assert (versions.count("1.0.0"), versions.count("2.0.0")) == (38, 2)
    assert region.deployment(update)["targetServiceRevision"]["requestedProductionTrafficWeight"] == 5.0
    region.reach(update, "BAKE_TIME")
    assert {ask(region.address()) for _ in range(20)} == {"2.0.0"}
    assert len(region.service()["deployments"]) == 2
    region.pass_time(lambda: region.deployment(update)["status"] == "SUCCESSFUL")


def test_circuit_breaker_rolls_back_to_the_revision_before(region: Region) -> None:
    before = region.create_service(region.push("1.0.0"), deploymentConfiguration=BREAKER)

    update = region.update_service(taskDefinition=region.register(UNKNOWN))

    assert region.outcome(update) == "ROLLBACK_SUCCESSFUL"
    described = region.deployment(update)
    assert described["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}
    assert described["rollback"]["reason"] == described["statusReason"] == assumptions.CIRCUIT_BREAKER
    assert described["rollback"]["serviceRevisionArn"] == before["currentServiceRevisions"][0]["arn"]
    service = region.service()
    assert [known["id"] for known in service["deployments"]] == [before["deployments"][0]["id"]]
    assert "CannotPullContainerError" in service["events"][1]["message"]
    assert ask(region.address()) == "1.0.0"


def test_failing_health_check_rolls_back(region: Region) -> None:
    check = [{"portName": "http", "healthCheck": {"healthCheckPath": "/health"}}]
    region.create_service(region.push("1.0.0", health=200), deploymentConfiguration=BREAKER, gatewayConnectors=check)
    region.clock.tick = 2.0

    update = region.update_service(taskDefinition=region.register(region.push("2.0.0", health=500)))

    assert region.outcome(update) == "ROLLBACK_SUCCESSFUL"
    assert "Health check failed" in region.service()["events"][1]["message"]
    assert ask(region.address()) == "1.0.0"


def test_circuit_breaker_without_rollback_stops_the_deployment(region: Region) -> None:
    region.create_service(region.push("1.0.0"), deploymentConfiguration=NO_ROLLBACK)

    update = region.update_service(taskDefinition=region.register(UNKNOWN))

    assert region.outcome(update) == "STOPPED"
    assert region.deployment(update)["statusReason"] == assumptions.CIRCUIT_BREAKER_STOPPED
    states = [(known["status"], known["rolloutState"]) for known in region.service()["deployments"]]
    assert states == [("PRIMARY", "FAILED"), ("ACTIVE", "COMPLETED")]
    assert ask(region.address()) == "1.0.0"


def test_without_a_circuit_breaker_tasks_are_started_for_ever(region: Region) -> None:
    region.create_service(region.push("1.0.0"))

    update = region.update_service(taskDefinition=region.register(UNKNOWN))

    wait_for(lambda: region.deployment(update)["deploymentCircuitBreaker"]["failureCount"] >= 5)
    assert region.deployment(update)["status"] == "IN_PROGRESS"
    assert region.deployment(update)["deploymentCircuitBreaker"]["status"] == "DISABLED"
    assert ask(region.address()) == "1.0.0"


def test_first_deployment_that_fails_has_nothing_to_roll_back_to(region: Region) -> None:
    service = region.create_service(UNKNOWN, deploymentConfiguration=BREAKER)

    described = region.deployment(service["currentServiceDeployment"])

    reason = f"{assumptions.CIRCUIT_BREAKER} {assumptions.NOTHING_TO_ROLL_BACK_TO}"
    assert (described["status"], described["statusReason"]) == ("ROLLBACK_FAILED", reason)
    assert (service["runningCount"], service["pendingCount"]) == (0, 0)


def test_first_tasks_serve_as_soon_as_they_are_healthy(region: Region) -> None:
    region.restart(deploy_seconds=STAGE_SECONDS)
    request = {"serviceName": "web", "taskDefinition": region.register(region.push("1.0.0")), "desiredCount": 1}
    created = region.call("CreateService", **request)["service"]

    region.wait_for_task(created["currentServiceDeployment"])

    assert ask(region.address()) == "1.0.0"
    assert region.deployment(created["currentServiceDeployment"])["status"] == "IN_PROGRESS"


def test_alarm_of_cloudwatch_rolls_back(region: Region) -> None:
    alarms = {"alarms": {"alarmNames": ["errors", "latency"], "enable": True, "rollback": True}}
    region.create_service(region.push("1.0.0"), deploymentConfiguration={"bakeTimeInMinutes": 30, **alarms})
    region.restart(deploy_seconds=STAGE_SECONDS)
    update = region.update_service(taskDefinition=region.register(region.push("2.0.0")))
    region.wait_for_task(update)
    region.pass_time(lambda: ask(region.address()) == "2.0.0")

    region.alarms.add("errors")
    region.pass_time(lambda: region.deployment(update)["status"] == "ROLLBACK_SUCCESSFUL")

    assert region.deployment(update)["alarms"] == {
        "status": "TRIGGERED",
        "alarmNames": ["errors", "latency"],
        "triggeredAlarmNames": ["errors"],
    }
    assert ask(region.address()) == "1.0.0"


def test_second_update_supersedes_the_first(region: Region) -> None:
    before = region.create_service(region.push("1.0.0"))
    first = region.update_service(taskDefinition=region.register(UNKNOWN))
    wait_for(lambda: region.deployment(first)["deploymentCircuitBreaker"]["failureCount"] > 0)

    second = region.update_service(taskDefinition=region.register(region.push("2.0.0")))

    assert region.outcome(second) == "SUCCESSFUL"
    stopped, succeeded = region.deployment(first), region.deployment(second)
    assert (stopped["status"], stopped["statusReason"]) == ("STOPPED", assumptions.SUPERSEDED)
    assert stopped["finishedAt"] > succeeded["createdAt"]
    sources = [source["arn"] for source in succeeded["sourceServiceRevisions"]]
    assert sources == [before["currentServiceRevisions"][0]["arn"], stopped["targetServiceRevision"]["arn"]]
    assert ask(region.address()) == "2.0.0"


def test_update_during_a_canary_leaves_only_the_revision_before_to_roll_back_to(region: Region) -> None:
    region.create_service(region.push("1.0.0"), deploymentConfiguration={**CANARY, **BREAKER})
    region.restart(deploy_seconds=STAGE_SECONDS)
    canary = region.update_service(taskDefinition=region.register(region.push("2.0.0")))
    region.wait_for_task(canary)
    region.reach(canary, "PRODUCTION_TRAFFIC_SHIFT")

    update = region.update_service(taskDefinition=region.register(UNKNOWN))
    region.pass_time(lambda: region.deployment(update)["status"] == "ROLLBACK_SUCCESSFUL")

    assert {ask(region.address()) for _ in range(20)} == {"1.0.0"}
    assert len(region.service()["deployments"]) == 1


@pytest.mark.parametrize(
    ("stop_type", "status", "reason"),
    [
        ("ROLLBACK", "ROLLBACK_SUCCESSFUL", assumptions.ROLLBACK_BY_REQUEST),
        ("ABORT", "STOPPED", assumptions.STOPPED_BY_REQUEST),
    ],
)
def test_deployment_is_stopped_by_request(region: Region, stop_type: str, status: str, reason: str) -> None:
    region.create_service(region.push("1.0.0"))
    update = region.update_service(taskDefinition=region.register(UNKNOWN))

    region.call("StopServiceDeployment", serviceDeploymentArn=update, stopType=stop_type)

    assert region.outcome(update) == status
    assert region.deployment(update)["statusReason"] == reason
    assert ask(region.address()) == "1.0.0"


def test_tag_is_resolved_once_per_deployment(region: Region) -> None:
    image = region.push("1.0.0")
    tag = f"{REGISTRY}/web:latest"
    digest = image.rpartition("@")[2]
    region.images.store.put_image("web", region.images.store.manifest("web", digest), "latest")
    region.create_service(tag)
    moved = region.push("2.0.0").rpartition("@")[2]

    region.images.store.put_image("web", region.images.store.manifest("web", moved), "latest")
    region.restart()

    wait_for(lambda: ask(region.address()) == "1.0.0")
    assert len(region.call("ListServiceDeployments", service="web")["serviceDeployments"]) == 1
    update = region.update_service(forceNewDeployment=True)
    assert region.outcome(update) == "SUCCESSFUL"
    revision = region.revision(region.deployment(update)["targetServiceRevision"]["arn"])
    assert revision["containerImages"] == [{"containerName": "web", "image": tag, "imageDigest": moved}]
    assert ask(region.address()) == "2.0.0"


def test_deployment_goes_on_after_a_restart(region: Region) -> None:
    region.create_service(region.push("1.0.0"), deploymentConfiguration=CANARY)
    region.restart(deploy_seconds=STAGE_SECONDS)
    update = region.update_service(taskDefinition=region.register(region.push("2.0.0")))
    region.wait_for_task(update)
    region.reach(update, "PRODUCTION_TRAFFIC_SHIFT")
    address = region.address()

    region.restart(deploy_seconds=0)

    wait_for(lambda: ask(address) != "503")
    assert region.outcome(update) == "SUCCESSFUL"
    assert ask(address) == "2.0.0"


def test_rollback_goes_on_after_a_restart(region: Region) -> None:
    region.create_service(region.push("1.0.0"), deploymentConfiguration=BREAKER)
    region.restart(deploy_seconds=STAGE_SECONDS)
    update = region.update_service(taskDefinition=region.register(UNKNOWN))
    wait_for(lambda: region.deployment(update)["status"] == "ROLLBACK_IN_PROGRESS")

    region.restart(deploy_seconds=0)

    assert region.outcome(update) == "ROLLBACK_SUCCESSFUL"
    assert region.deployment(update)["statusReason"] == assumptions.CIRCUIT_BREAKER
    assert ask(region.address()) == "1.0.0"


def test_number_of_tasks_changes_without_a_deployment(region: Region) -> None:
    service = region.create_service(region.push("1.0.0"))

    assert region.update_service(desiredCount=3) == service["currentServiceDeployment"]

    wait_for(lambda: region.service()["runningCount"] == 3)
    region.update_service(desiredCount=0)
    wait_for(lambda: region.service()["runningCount"] == 0)
    assert ask(region.address()) == "503"
