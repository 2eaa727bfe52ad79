"""The configuration of a service: its defaults, and what App Runner refuses in it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.apprunner.apprunner_errors import invalid_request
from kaizen_tasks.localcloud.apprunner.shared_resources import (
    AUTO_SCALING,
    OBSERVABILITY,
    VPC_CONNECTOR,
    SharedResourceStore,
)
from kaizen_tasks.localcloud.services.image_identifiers import OwnRegistry
from kaizen_tasks.localcloud.services.secret_values import is_secret_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.localcloud.server.http_message import JsonObject

# Defaults by the API reference: InstanceConfiguration, HealthCheckConfiguration, NetworkConfiguration.
_SECTION_DEFAULTS: dict[str, dict[str, object]] = {
    "InstanceConfiguration": {"Cpu": "1024", "Memory": "2048"},
    "HealthCheckConfiguration": {
        "Protocol": "TCP",
        "Path": "/",
        "Interval": 5,
        "Timeout": 2,
        "HealthyThreshold": 1,
        "UnhealthyThreshold": 5,
    },
    "NetworkConfiguration": {
        "EgressConfiguration": {"EgressType": "DEFAULT"},
        "IngressConfiguration": {"IsPubliclyAccessible": True},
        "IpAddressType": "IPV4",
    },
}
_PASSTHROUGH_KEYS = ("EncryptionConfiguration", "ObservabilityConfiguration", "AutoScalingConfigurationArn")
# https://docs.aws.amazon.com/apprunner/latest/dg/manage-configure.html: memory in MB by CPU units.
_MEMORY_BY_CPU = {
    "256": ("512", "1024"),
    "512": ("1024",),
    "1024": ("2048", "3072", "4096"),
    "2048": ("4096", "6144"),
    "4096": ("8192", "10240", "12288"),
}
_UNITS = 1024  # of a vCPU, and MB of a GB
_RESERVED_NAME = "PORT"
_RESERVED_PREFIX = "AWSAPPRUNNER"


@attrs.frozen(kw_only=True)
class ServiceConfigurations:
    """Merges and validates the configurations of services.

    Args:
        shared: the resources that a configuration may name.
        account: the account number.
        registry: the registry whose images can be deployed.
    """

    shared: SharedResourceStore
    account: str
    registry: OwnRegistry

    def merge(self, request: JsonObject, current: JsonObject) -> JsonObject:
        """Return the defaults, overridden by the current configuration, overridden by the request.

        Raises:
            ServiceError: the result is not valid, or names what does not exist.
        """
        source = {**current.get("SourceConfiguration", {}), **request.get("SourceConfiguration", {})}
        sections = {
            name: {**defaults, **current.get(name, {}), **request.get(name, {})}
            for name, defaults in _SECTION_DEFAULTS.items()
        }
        sections["InstanceConfiguration"] |= _check_size(sections["InstanceConfiguration"])
        passthrough = {name: value for name, value in {**current, **request}.items() if name in _PASSTHROUGH_KEYS}
        configuration = {**passthrough, "SourceConfiguration": self._check_source(source), **sections}
        return {**configuration, **self._resolve_shared(configuration)}

    def _check_source(self, source: JsonObject) -> JsonObject:
        image = source.get("ImageRepository")
        if image is None or image["ImageRepositoryType"] != "ECR" or "CodeRepository" in source:
            raise invalid_request("Only images of ECR can be deployed here: give an ImageRepository of the type ECR.")
        self._check_registry(image["ImageIdentifier"])
        self._check_access_role(source.get("AuthenticationConfiguration", {}))
        configuration = {"Port": "8080", **image.get("ImageConfiguration", {})}
        _check_image_configuration(configuration)
        defaults = {"AutoDeploymentsEnabled": True}
        return {**defaults, **source, "ImageRepository": {**image, "ImageConfiguration": configuration}}

    def _check_registry(self, identifier: str) -> None:
        host, slash, _ = identifier.partition("/")
        if not slash:
            raise invalid_request(f"The image identifier has no registry: {identifier}.")
        if not self.registry.has_host(host):
            raise invalid_request(f"Only images of {self.registry.aws_host} can be deployed here, not of {host}.")

    def _check_access_role(self, authentication: JsonObject) -> None:
        role = authentication.get("AccessRoleArn")
        if role is None:
            raise invalid_request(
                "Authentication configuration is invalid. An image in a private ECR repository needs an AccessRoleArn."
            )
        if role.split(":")[4] != self.account:
            raise invalid_request(f"Error in assuming access role {role}")

    def _resolve_shared(self, configuration: JsonObject) -> JsonObject:
        """Return the configuration's members that name shared resources, with complete ARNs."""
        scaling = configuration.get("AutoScalingConfigurationArn") or self.shared.default_scaling().arn
        resolved = {"AutoScalingConfigurationArn": self._resolve(AUTO_SCALING, scaling)}
        egress = configuration["NetworkConfiguration"]["EgressConfiguration"]
        if (egress.get("EgressType", "DEFAULT") == "VPC") != ("VpcConnectorArn" in egress):
            raise invalid_request("A VpcConnectorArn is needed with, and only with, the EgressType VPC.")
        if "VpcConnectorArn" in egress:
            self._resolve(VPC_CONNECTOR, egress["VpcConnectorArn"])
        observability = configuration.get("ObservabilityConfiguration", {})
        if "ObservabilityConfigurationArn" in observability:
            self._resolve(OBSERVABILITY, observability["ObservabilityConfigurationArn"])
        return resolved

    def _resolve(self, kind: str, arn: str) -> str:
        resource = self.shared.find(kind, arn)
        if resource is None or not resource.is_active:
            raise invalid_request(f"{kind} with the provided ARN does not exist: {arn}.")
        return resource.arn


def _check_size(instance: Mapping[str, object]) -> dict[str, object]:
    """Return CPU and memory in units, as App Runner describes them."""
    cpu, memory = (_in_units(str(instance[name])) for name in ("Cpu", "Memory"))
    if memory not in _MEMORY_BY_CPU[cpu]:
        raise invalid_request(
            f"Memory {instance['Memory']} is not available with CPU {instance['Cpu']}; "
            f"choose one of {', '.join(_MEMORY_BY_CPU[cpu])}."
        )
    return {"Cpu": cpu, "Memory": memory}


def _in_units(text: str) -> str:
    number, unit, _ = text.partition(" ")
    return str(int(float(number) * _UNITS)) if unit else number


def _check_image_configuration(configuration: JsonObject) -> None:
    port = configuration["Port"]
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise invalid_request(f"The port is not a port number: {port}.")
    variables, secrets = (configuration.get(f"RuntimeEnvironment{kind}", {}) for kind in ("Variables", "Secrets"))
    for name in {**variables, **secrets}:
        _check_variable_name(name)
    if duplicates := sorted(variables.keys() & secrets.keys()):
        raise invalid_request(
            f"A runtime environment variable and a secret have the same name: {', '.join(duplicates)}."
        )
    if unsupported := sorted(name for name, reference in secrets.items() if not is_secret_reference(reference)):
        raise invalid_request(
            "Secrets are those of Secrets Manager and parameters of Systems Manager, by their ARN:"
            f" {', '.join(unsupported)}."
        )
    try:
        shlex.split(configuration.get("StartCommand", ""))
    except ValueError as error:
        raise invalid_request(f"The start command cannot be understood: {error}.") from None


def _check_variable_name(name: str) -> None:
    if name == _RESERVED_NAME or name.startswith(_RESERVED_PREFIX):
        raise invalid_request(f"{name} is a reserved name and can't be a runtime environment variable.")
    if not name.isprintable() or "=" in name:
        raise invalid_request(f"{name!r} can't be the name of a runtime environment variable.")
