"""The state of the services of ECS after a rollout, in all accounts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tests.crash.sandbox import served_version

if TYPE_CHECKING:
    from tests.crash.sandbox import TeamSandbox

Document = Mapping[str, Any]

CONTAINER_MEMBERS = ("environment", "secrets", "portMappings", "containerPort", "command", "healthCheck")
SETTINGS = ("cpu", "memory", "executionRoleArn", "taskRoleArn", "healthCheckPath", "scalingTarget")
SERVICE_SETTINGS = ("desiredCount", "deploymentConfiguration", "networkConfiguration", "tags", "launchType")


def read_clusters(sandbox: TeamSandbox, items: Iterable[Mapping[str, str]]) -> dict[str, Mapping[str, object]]:
    """Return what there is to say of each service of ECS in the default clusters, by name.

    Args:
        sandbox: the app and its cloud.
        items: the items of the ledger's table.
    """
    operations = _last_operations(items)
    return {
        service["serviceName"]: _read_service(place, service, operations)
        for place in sandbox.places
        for arn in place.call_aws("ecs", "ListServices", cluster="default")["serviceArns"]
        for service in place.call_aws("ecs", "DescribeServices", services=[arn], include=["TAGS"])["services"]
    }


def _read_service(place: TeamSandbox, service: Document, operations: Mapping[str, str]) -> Mapping[str, object]:
    arn, name = service["serviceArn"], service["serviceName"]
    deployments = place.call_aws("ecs", "ListServiceDeployments", service=arn)["serviceDeployments"]
    (current,) = service["currentServiceRevisions"]
    (revision,) = place.call_aws("ecs", "DescribeServiceRevisions", serviceRevisionArns=[current["arn"]])[
        "serviceRevisions"
    ]
    is_express = service.get("resourceManagementType") == "ECS"
    managed = revision["ecsManagedResources"]
    address = managed["ingressPaths"][0]["endpoint"] if is_express else managed["gatewayConnections"][0]["serviceUrl"]
    settings = _express_settings(place, arn) if is_express else _definition_settings(place, service["taskDefinition"])
    own_settings = {member: service.get(member) for member in SERVICE_SETTINGS}
    definition_count = 0 if is_express else _definition_count(place, service["taskDefinition"])
    successful = next((each["targetServiceRevisionArn"] for each in deployments if each["status"] == "SUCCESSFUL"), "")
    return {
        "answer": served_version(address),
        "deployments": tuple(each["status"] for each in deployments),
        "settings": json.dumps({**settings, **own_settings}, sort_keys=True),
        "task definitions": definition_count,
        "is in the ledger": operations.get(name.partition("-")[0], successful) == successful,
    }


def _express_settings(place: TeamSandbox, arn: str) -> dict[str, object]:
    service = place.call_aws("ecs", "DescribeExpressGatewayService", serviceArn=arn)["service"]
    (configuration,) = service["activeConfigurations"]
    return _settings(configuration, configuration["primaryContainer"])


def _definition_settings(place: TeamSandbox, reference: str) -> dict[str, object]:
    answer = place.call_aws("ecs", "DescribeTaskDefinition", taskDefinition=reference, include=["TAGS"])
    definition = answer["taskDefinition"]
    (container,) = definition["containerDefinitions"]
    return {**_settings(definition, container), "definition tags": answer.get("tags", [])}


def _definition_count(place: TeamSandbox, reference: str) -> int:
    """Return how many revisions the family of a task definition has."""
    family = reference.rpartition("/")[2].partition(":")[0]
    definition = place.call_aws("ecs", "DescribeTaskDefinition", taskDefinition=family)["taskDefinition"]
    return int(definition["revision"])


def _settings(owner: Document, container: Document) -> dict[str, object]:
    members = {member: owner.get(member) for member in SETTINGS}
    return {**members, "container": {member: container.get(member) for member in CONTAINER_MEMBERS}}


def _last_operations(items: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the operation of the last deployment of each environment by the ledger."""
    entries = sorted(items, key=lambda item: item["sk"])
    return {
        item["pk"].removeprefix("ledger#"): item["operation"]
        for item in entries
        if item["pk"].startswith("ledger#") and item.get("event") == "deployed" and "operation" in item
    }
