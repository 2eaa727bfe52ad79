"""What CreateService and UpdateService refuse."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from kaizen_tasks.localcloud.apprunner.service_configuration import ServiceConfigurations
from kaizen_tasks.localcloud.apprunner.shared_resources import AUTO_SCALING, VPC_CONNECTOR, SharedResourceStore
from kaizen_tasks.localcloud.server.aws_json import ServiceError
from kaizen_tasks.localcloud.services.image_identifiers import OwnRegistry

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT, REGION = "123456789012", "eu-west-1"
PREFIX = f"arn:aws:apprunner:{REGION}:{ACCOUNT}"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:x"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pulls"
IMAGE = {
    "ImageIdentifier": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/coach:latest",
    "ImageRepositoryType": "ECR",
}
SOURCE = {"AuthenticationConfiguration": {"AccessRoleArn": ROLE}, "ImageRepository": IMAGE}


@pytest.fixture
def configurations(tmp_path: Path) -> ServiceConfigurations:
    shared = SharedResourceStore(tmp_path / "shared.json", PREFIX)
    return ServiceConfigurations(shared=shared, account=ACCOUNT, registry=OwnRegistry(account=ACCOUNT, region=REGION))


def merge(configurations: ServiceConfigurations, **members: Any) -> dict[str, Any]:
    return configurations.merge({"SourceConfiguration": copy.deepcopy(SOURCE), **members}, {})


def refusal(configurations: ServiceConfigurations, **members: Any) -> str:
    """Return the message of a refused configuration."""
    with pytest.raises(ServiceError) as caught:
        merge(configurations, **members)
    assert caught.value.code == "InvalidRequestException"
    return caught.value.message


@pytest.mark.parametrize(
    "image",
    [
        {"RuntimeEnvironmentVariables": {"PORT": "80"}},
        {"RuntimeEnvironmentVariables": {"AWSAPPRUNNER_ID": "x"}},
        {"RuntimeEnvironmentVariables": {"A=B": "x"}},
        {"RuntimeEnvironmentVariables": {"A\0B": "x"}},
        {"RuntimeEnvironmentSecrets": {"PORT": SECRET}},
        {"RuntimeEnvironmentSecrets": {"AWSAPPRUNNER": SECRET}},
        {"RuntimeEnvironmentSecrets": {"KEY": "/x"}},
        {"RuntimeEnvironmentVariables": {"KEY": "1"}, "RuntimeEnvironmentSecrets": {"KEY": SECRET}},
        {"Port": "http"},
        {"Port": "0"},
        {"Port": "70000"},
        {"Port": "\u0668\u0660"},
        {"StartCommand": "python 'unclosed"},
    ],
)
def test_invalid_image_configuration_is_refused(configurations: ServiceConfigurations, image: dict[str, Any]) -> None:
    source = {**SOURCE, "ImageRepository": {**IMAGE, "ImageConfiguration": image}}
    assert refusal(configurations, SourceConfiguration=source)


def test_secrets_and_parameters_are_named_by_their_arns(configurations: ServiceConfigurations) -> None:
    secrets = {"SECRET": f"{SECRET}:key::", "PARAMETER": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/x/y"}
    image = {**IMAGE, "ImageConfiguration": {"RuntimeEnvironmentSecrets": secrets}}

    configuration = merge(configurations, SourceConfiguration={**SOURCE, "ImageRepository": image})

    merged = configuration["SourceConfiguration"]["ImageRepository"]["ImageConfiguration"]
    assert merged["RuntimeEnvironmentSecrets"] == secrets


@pytest.mark.parametrize(
    "source",
    [
        {"ImageRepository": None},
        {"CodeRepository": {"RepositoryUrl": "x", "SourceCodeVersion": {"Type": "BRANCH", "Value": "main"}}},
        {"ImageRepository": {"ImageIdentifier": "public.ecr.aws/x/y:1", "ImageRepositoryType": "ECR_PUBLIC"}},
        {"ImageRepository": {**IMAGE, "ImageIdentifier": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/coach"}},
        {"ImageRepository": {**IMAGE, "ImageIdentifier": f"210987654321.dkr.ecr.{REGION}.amazonaws.com/coach"}},
    ],
)
def test_source_other_than_the_registry_is_refused(
    configurations: ServiceConfigurations, source: dict[str, Any]
) -> None:
    assert "can be deployed here" in refusal(configurations, SourceConfiguration=SOURCE | source)


def test_image_without_a_registry_is_refused(configurations: ServiceConfigurations) -> None:
    source = {**SOURCE, "ImageRepository": {**IMAGE, "ImageIdentifier": "coach"}}
    assert refusal(configurations, SourceConfiguration=source) == "The image identifier has no registry: coach."


def test_private_image_needs_an_access_role_of_the_account(configurations: ServiceConfigurations) -> None:
    without_role = {"ImageRepository": IMAGE}
    assert "needs an AccessRoleArn" in refusal(configurations, SourceConfiguration=without_role)
    empty = {**without_role, "AuthenticationConfiguration": {}}
    assert "needs an AccessRoleArn" in refusal(configurations, SourceConfiguration=empty)
    foreign = ROLE.replace(ACCOUNT, "210987654321")
    source = {**without_role, "AuthenticationConfiguration": {"AccessRoleArn": foreign}}
    assert refusal(configurations, SourceConfiguration=source) == f"Error in assuming access role {foreign}"


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        ({}, ("1024", "2048")),
        ({"Cpu": "0.25 vCPU", "Memory": "0.5 GB"}, ("256", "512")),
        ({"Cpu": "256", "Memory": "1 GB"}, ("256", "1024")),
        ({"Cpu": "1 vCPU", "Memory": "4096"}, ("1024", "4096")),
        ({"Cpu": "4 vCPU", "Memory": "12 GB"}, ("4096", "12288")),
    ],
)
def test_sizes_are_described_in_units(
    configurations: ServiceConfigurations, instance: dict[str, str], expected: tuple[str, str]
) -> None:
    merged = merge(configurations, InstanceConfiguration=instance)["InstanceConfiguration"]
    assert (merged["Cpu"], merged["Memory"]) == expected


@pytest.mark.parametrize(
    "instance",
    [
        {"Cpu": "256"},
        {"Cpu": "512", "Memory": "512"},
        {"Cpu": "0.5 vCPU", "Memory": "2 GB"},
        {"Cpu": "1024", "Memory": "1024"},
        {"Cpu": "2 vCPU", "Memory": "8 GB"},
        {"Cpu": "4096", "Memory": "6144"},
    ],
)
def test_pairs_of_cpu_and_memory_that_do_not_exist_are_refused(
    configurations: ServiceConfigurations, instance: dict[str, str]
) -> None:
    assert "is not available with CPU" in refusal(configurations, InstanceConfiguration=instance)


def test_shared_resources_must_exist(configurations: ServiceConfigurations) -> None:
    scaling = configurations.shared.create(AUTO_SCALING, "large", {"IsDefault": False}, {})
    connector = configurations.shared.create(VPC_CONNECTOR, "inside", {}, {})
    egress = {"EgressType": "VPC", "VpcConnectorArn": connector.arn}
    merged = merge(
        configurations,
        AutoScalingConfigurationArn=f"{PREFIX}:autoscalingconfiguration/large",
        NetworkConfiguration={"EgressConfiguration": egress},
    )
    assert merged["AutoScalingConfigurationArn"] == scaling.arn
    assert merged["NetworkConfiguration"]["EgressConfiguration"] == egress
    unknown = f"{PREFIX}:autoscalingconfiguration/large/7"
    assert "does not exist" in refusal(configurations, AutoScalingConfigurationArn=unknown)
    for wrong in (
        {**egress, "VpcConnectorArn": scaling.arn},
        {"EgressType": "VPC"},
        {"VpcConnectorArn": connector.arn},
    ):
        assert refusal(configurations, NetworkConfiguration={"EgressConfiguration": wrong})
    observability = {"ObservabilityEnabled": True, "ObservabilityConfigurationArn": scaling.arn}
    assert "does not exist" in refusal(configurations, ObservabilityConfiguration=observability)


def test_update_keeps_what_it_does_not_name(configurations: ServiceConfigurations) -> None:
    scaling = configurations.shared.create(AUTO_SCALING, "large", {"IsDefault": False}, {})
    created = merge(
        configurations,
        AutoScalingConfigurationArn=scaling.arn,
        InstanceConfiguration={"Cpu": "2 vCPU", "Memory": "6 GB"},
    )
    updated = configurations.merge({"HealthCheckConfiguration": {"Interval": 9}}, created)
    health_check = {**created["HealthCheckConfiguration"], "Interval": 9}
    assert updated == {**created, "HealthCheckConfiguration": health_check}
