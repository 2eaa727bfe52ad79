"""Configurations of Express services: which one counts, the update that changes its image alone, and what it lost."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from kaizen_tasks.adapters.aws.ecs import service_settings
from kaizen_tasks.adapters.aws.ecs.configuration_diff import lost_members

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.clients import Document
    from kaizen_tasks.domain.new_service import ServiceSettings

SENT_MEMBERS = (
    *("executionRoleArn", "taskRoleArn", "networkConfiguration", "cpu", "memory", "cpuArchitecture"),
    *("healthCheckPath", "scalingTarget"),
)
"""Members of a configuration, besides its container, that an update and a creation have as well."""

IMAGE_PATH = "primaryContainer.image"


def update_request(arn: str, configuration: Document, image: str) -> dict[str, Any]:
    """Return the update that changes the image of a configuration, and repeats all of the rest.

    What an update leaves out may be lost; see `assumptions`.
    """
    return {"serviceArn": arn, **repeated_members(configuration, image)}


def repeated_members(configuration: Document, image: str) -> dict[str, Any]:
    """Return all members of a configuration that can be sent, with another image."""
    members = {name: configuration[name] for name in SENT_MEMBERS if configuration.get(name)}
    return {**members, "primaryContainer": {**configuration["primaryContainer"], "image": image}}


def creation_members(configuration: Document, neighbour: str, image: str, settings: ServiceSettings) -> dict[str, Any]:
    """Return the members of a request that creates a service like a neighbour.

    A log group that is named after the neighbour is left out, so that ECS creates one.

    Args:
        configuration: that of the neighbour.
        neighbour: name of the neighbour's service.
        image: what the new service runs.
        settings: what differs from the neighbour.
    """
    members = repeated_members(configuration, image)
    container: dict[str, Any] = members["primaryContainer"]
    container["environment"] = [{"name": name, "value": value} for name, value in settings.variables.items()]
    container["secrets"] = [{"name": name, "valueFrom": source} for name, source in settings.secrets.items()]
    if neighbour in container.get("awsLogsConfiguration", {}).get("logGroup", ""):
        del container["awsLogsConfiguration"]
    return {**members, **service_settings.roles(settings)}


def lost_in_update(before: Document, after: Document) -> tuple[str, ...]:
    """Return the names of what an update should have kept and has not: `primaryContainer.environment.API_URL`."""
    compared = {name: before[name] for name in (*SENT_MEMBERS, "primaryContainer") if name in before}
    return lost_members(compared, after, ignored=(IMAGE_PATH,))


def is_own_definition(configuration: Document) -> bool:
    """Return whether a configuration is a task definition of the service's owner; see `assumptions`."""
    return not configuration.get("primaryContainer") and bool(configuration.get("taskDefinitionArn"))


def newest(configurations: Collection[Document]) -> Document:
    """Return the configuration that was made last: in a canary, the one that is being deployed."""
    return max(configurations, key=lambda each: each["createdAt"].timestamp() if each.get("createdAt") else 0.0)


def public_endpoint(configuration: Document) -> str:
    """Return the host at which a service answers, a public one if it has one; empty without any."""
    paths = sorted(configuration.get("ingressPaths", ()), key=lambda path: path.get("accessType") != "PUBLIC")
    return str(paths[0].get("endpoint", "")) if paths else ""
