"""Reads the settings of an App Runner service, and the request that creates a service with most of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaizen_tasks.domain.new_service import ServiceSettings

if TYPE_CHECKING:
    from types_boto3_apprunner.type_defs import ServiceTypeDef

COPIED_MEMBERS = (
    *("InstanceConfiguration", "HealthCheckConfiguration", "NetworkConfiguration", "ObservabilityConfiguration"),
    "EncryptionConfiguration",
)
"""Members of a service's description that a request to create one has as well."""

DEFAULT_PORT = "8080"
"""https://docs.aws.amazon.com/apprunner/latest/api/API_ImageConfiguration.html"""


def parse_settings(description: ServiceTypeDef) -> ServiceSettings:
    """Return the settings of a service that another one can be created with."""
    image_settings = _image_repository(description).get("ImageConfiguration", {})
    instance, health = description["InstanceConfiguration"], description.get("HealthCheckConfiguration", {})
    access_role = description["SourceConfiguration"].get("AuthenticationConfiguration", {}).get("AccessRoleArn", "")
    path = f" {health.get('Path', '')}" if health.get("Protocol") == "HTTP" else ""
    parts = (
        f"{_amount(instance.get('Cpu'), 'vCPU')}, {_amount(instance.get('Memory'), 'GB')}",
        f"port {image_settings.get('Port', DEFAULT_PORT)}",
        f"health check {health.get('Protocol', 'TCP')}{path}",
        *((f"access role {access_role.rpartition('/')[2]}",) if access_role else ()),
    )
    return ServiceSettings(
        variables=image_settings.get("RuntimeEnvironmentVariables", {}),
        secrets=image_settings.get("RuntimeEnvironmentSecrets", {}),
        instance_role=instance.get("InstanceRoleArn", ""),
        port=int(image_settings.get("Port", DEFAULT_PORT)),
        description=", ".join(parts),
    )


def creation_request(neighbour: ServiceTypeDef, name: str, *, image: str, settings: ServiceSettings) -> dict[str, Any]:
    """Return the request that creates a service like its neighbour; it deploys only when it is told to."""
    source: dict[str, Any] = dict(neighbour["SourceConfiguration"])
    repository = _image_repository(neighbour)
    image_settings = repository.get("ImageConfiguration", {}) | {
        "RuntimeEnvironmentVariables": dict(settings.variables),
        "RuntimeEnvironmentSecrets": dict(settings.secrets),
    }
    source["ImageRepository"] = repository | {"ImageIdentifier": image, "ImageConfiguration": image_settings}
    source["AutoDeploymentsEnabled"] = False
    copied: dict[str, Any] = {key: value for key, value in neighbour.items() if key in COPIED_MEMBERS and value}
    if settings.instance_role:
        copied["InstanceConfiguration"] = copied["InstanceConfiguration"] | {"InstanceRoleArn": settings.instance_role}
    scaling = neighbour.get("AutoScalingConfigurationSummary", {}).get("AutoScalingConfigurationArn")
    if scaling:
        copied["AutoScalingConfigurationArn"] = scaling
    return {"ServiceName": name, "SourceConfiguration": source, **copied}


def _image_repository(description: ServiceTypeDef) -> dict[str, Any]:
    return dict(description["SourceConfiguration"].get("ImageRepository", {}))


def _amount(text: str | None, unit: str) -> str:
    """Return `1 vCPU` for the 1024 of App Runner, `2 GB` for its 2048."""
    return f"{int(text) / 1024:g} {unit}" if text and text.isdigit() else f"{text or 'unknown'}"
