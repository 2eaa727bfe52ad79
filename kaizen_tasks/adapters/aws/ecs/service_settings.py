"""The settings of services that another one can be created with, and the task definition of such a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kaizen_tasks.domain.new_service import ServiceSettings

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.clients import Document

LOG_GROUP_OPTION = "awslogs-group"
CREATE_GROUP_OPTION = "awslogs-create-group"
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html"""


def of_express_service(configuration: Document) -> ServiceSettings:
    """Return the settings of an Express service by its configuration."""
    container, scaling = configuration["primaryContainer"], configuration.get("scalingTarget", {})
    port = int(container.get("containerPort", 0))
    counts = f"{scaling.get('minTaskCount', '?')} to {scaling.get('maxTaskCount', '?')} tasks" if scaling else ""
    health = configuration.get("healthCheckPath", "")
    parts = (
        _size(configuration),
        f"port {port}" if port else "",
        f"health check {health}" if health else "",
        counts,
    )
    return _settings(container, configuration, port, parts)


def of_definition(definition: Document, container: Document) -> ServiceSettings:
    """Return the settings of a service by its task definition and the container of the app."""
    port = next((int(each["containerPort"]) for each in container.get("portMappings", ())), 0)
    others = [str(each["name"]) for each in definition["containerDefinitions"] if each["name"] != container["name"]]
    parts = (
        _size(definition),
        f"port {port}" if port else "",
        f"beside it {', '.join(others)}" if others else "",
    )
    return _settings(container, definition, port, parts)


def definition_changes(
    definition: Document, container: str, neighbour: str, name: str, image: str, settings: ServiceSettings
) -> dict[str, Any]:
    """Return what differs between the task definition of a service and that of a neighbour.

    A log group that is named after the neighbour becomes one of the new service, which ECS creates.

    Args:
        definition: that of the neighbour.
        container: name of the container that runs the app.
        neighbour: name of the neighbour's service.
        name: name of the new service, and of the family of its definition.
        image: what the new service runs.
        settings: what differs from the neighbour.
    """

    def adapt(each: Document) -> Document:
        adapted = {**each, **_own_log_group(each, neighbour, name)}
        if each["name"] != container:
            return adapted
        variables = [{"name": variable, "value": value} for variable, value in settings.variables.items()]
        secrets = [{"name": variable, "valueFrom": source} for variable, source in settings.secrets.items()]
        return {**adapted, "image": image, "environment": variables, "secrets": secrets}

    containers = [adapt(each) for each in definition["containerDefinitions"]]
    return {"family": name, "containerDefinitions": containers, **roles(settings)}


def roles(settings: ServiceSettings) -> Mapping[str, str]:
    """Return the members of a request that name the roles of a service, of those that it has."""
    members = {"taskRoleArn": settings.instance_role, "executionRoleArn": settings.execution_role}
    return {member: role for member, role in members.items() if role}


def _own_log_group(container: Document, neighbour: str, name: str) -> Mapping[str, Any]:
    log = container.get("logConfiguration", {})
    group = log.get("options", {}).get(LOG_GROUP_OPTION, "")
    if neighbour not in group:
        return {}
    options = {**log["options"], LOG_GROUP_OPTION: group.replace(neighbour, name), CREATE_GROUP_OPTION: "true"}
    return {"logConfiguration": {**log, "options": options}}


def _settings(container: Document, owner: Document, port: int, parts: Sequence[str]) -> ServiceSettings:
    return ServiceSettings(
        variables={each["name"]: each["value"] for each in container.get("environment", ())},
        secrets={each["name"]: each["valueFrom"] for each in container.get("secrets", ())},
        instance_role=owner.get("taskRoleArn", ""),
        execution_role=owner.get("executionRoleArn", ""),
        port=port,
        description=", ".join(filter(None, parts)),
    )


def _size(configuration: Document) -> str:
    """Return `0.5 vCPU, 1 GB` for the 512 and 1024 of ECS."""
    cpu, memory = str(configuration.get("cpu", "")), str(configuration.get("memory", ""))
    parts = ((cpu, "vCPU"), (memory, "GB"))
    return ", ".join(f"{int(text) / 1024:g} {unit}" for text, unit in parts if text.isdigit())
