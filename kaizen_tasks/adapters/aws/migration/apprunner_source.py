"""App Runner as the platform that an environment leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaizen_tasks.adapters.aws.new_service import DEFAULT_PORT
from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.domain.migration.source import ConcurrencyScaling, HealthCheck, SourceService
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.ports.migration import MigrationSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_apprunner.type_defs import ServiceTypeDef

    from kaizen_tasks.domain.service import Service

NO_SERVICE_HINT = "correct `service` in the configuration"


class AppRunnerSource(MigrationSource):
    """The services of one account in one region. Safe to use from several threads."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def read_source(self, service: Service) -> SourceService:
        """Return a service; four requests, and a fifth if it has a VPC connector."""
        apprunner = self._aws.apprunner()
        with aws_errors(f"read the service {service.name}", not_found_hint=NO_SERVICE_HINT):
            description = apprunner.describe_service(ServiceArn=service.id)["Service"]
        if "ImageRepository" not in description["SourceConfiguration"]:
            raise Refused(
                f"{service.name} is built by App Runner from source code, so it has no image to take along",
                state=NOTHING_CHANGED,
                hint="let it run an image of these tasks first; then run the same command again",
            )
        with aws_errors(f"read the settings of {service.name}"):
            tags = apprunner.list_tags_for_resource(ResourceArn=service.id)["Tags"]
            domains = apprunner.describe_custom_domains(ServiceArn=service.id)["CustomDomains"]
            scaling_arn = description["AutoScalingConfigurationSummary"].get("AutoScalingConfigurationArn", "")
            scaling: Mapping[str, Any] = {}
            if scaling_arn:
                scaling = apprunner.describe_auto_scaling_configuration(AutoScalingConfigurationArn=scaling_arn)[
                    "AutoScalingConfiguration"
                ]
            connector_arn = description["NetworkConfiguration"].get("EgressConfiguration", {}).get("VpcConnectorArn")
            connector: Mapping[str, Any] = {}
            if connector_arn:
                connector = apprunner.describe_vpc_connector(VpcConnectorArn=connector_arn)["VpcConnector"]
        return parse_source(
            description,
            scaling=scaling,
            connector=connector,
            domains=tuple(domain["DomainName"] for domain in domains),
            tags={tag.get("Key", ""): tag.get("Value", "") for tag in tags},
        )

    def pause(self, service: Service) -> None:
        """Begin to pause a running service."""
        with aws_errors(f"pause the service {service.name}", change_error=Refused):
            self._aws.apprunner().pause_service(ServiceArn=service.id)

    def resume(self, service: Service) -> None:
        """Begin to resume a paused service."""
        with aws_errors(f"resume the service {service.name}", change_error=Refused):
            self._aws.apprunner().resume_service(ServiceArn=service.id)

    def delete_source(self, service: Service) -> None:
        """Begin to delete a service, if it is paused now."""
        apprunner = self._aws.apprunner()
        with aws_errors(f"delete the service {service.name}", change_error=Refused):
            status = apprunner.describe_service(ServiceArn=service.id)["Service"]["Status"]
            if status != "PAUSED":
                raise Refused(f"{service.name} is {status} and not paused, so it is not deleted", state=NOTHING_CHANGED)
            apprunner.delete_service(ServiceArn=service.id)


def parse_source(
    description: ServiceTypeDef,
    *,
    scaling: Mapping[str, Any],
    connector: Mapping[str, Any],
    domains: tuple[str, ...],
    tags: Mapping[str, str],
) -> SourceService:
    """Return a service from what App Runner says of it, its scaling and its VPC connector."""
    source = description["SourceConfiguration"]
    image = source["ImageRepository"]
    settings = image.get("ImageConfiguration", {})
    instance, network = description["InstanceConfiguration"], description["NetworkConfiguration"]
    return SourceService(
        name=description["ServiceName"],
        id=description["ServiceArn"],
        image=image["ImageIdentifier"],
        port=int(settings.get("Port", DEFAULT_PORT)),
        start_command=settings.get("StartCommand", ""),
        variables=settings.get("RuntimeEnvironmentVariables", {}),
        secrets=settings.get("RuntimeEnvironmentSecrets", {}),
        cpu=_units(instance.get("Cpu", "1 vCPU")),
        memory=_units(instance.get("Memory", "2 GB")),
        health_check=_health_check(description.get("HealthCheckConfiguration", {})),
        scaling=ConcurrencyScaling(
            minimum=scaling.get("MinSize", 1),
            maximum=scaling.get("MaxSize", 25),
            concurrency=scaling.get("MaxConcurrency", 100),
        ),
        pull_role=source.get("AuthenticationConfiguration", {}).get("AccessRoleArn", ""),
        app_role=instance.get("InstanceRoleArn", ""),
        subnets=tuple(connector.get("Subnets", ())),
        security_groups=tuple(connector.get("SecurityGroups", ())),
        is_public=network.get("IngressConfiguration", {}).get("IsPubliclyAccessible", True),
        is_dual_stack=network.get("IpAddressType") == "DUAL_STACK",
        kms_key=description.get("EncryptionConfiguration", {}).get("KmsKey", ""),
        traces=description.get("ObservabilityConfiguration", {}).get("ObservabilityEnabled", False),
        deploys_on_push=source.get("AutoDeploymentsEnabled", True),
        domains=domains,
        tags=tags,
    )


def _health_check(check: Mapping[str, Any]) -> HealthCheck:
    return HealthCheck(
        path=check.get("Path", "/") if check.get("Protocol") == "HTTP" else "",
        interval=check.get("Interval", 5),
        timeout=check.get("Timeout", 2),
        healthy=check.get("HealthyThreshold", 1),
        unhealthy=check.get("UnhealthyThreshold", 5),
    )


def _units(text: str) -> int:
    """Return CPU units or MiB: App Runner takes `1 vCPU` and `2 GB` too, and describes `1024` and `2048`."""
    number, _, unit = text.partition(" ")
    return int(float(number) * (1024 if unit else 1))
