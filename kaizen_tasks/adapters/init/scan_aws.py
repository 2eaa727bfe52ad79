"""Reads the services and repositories of an AWS account; changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kaizen_tasks.adapters.aws.apprunner import list_services
from kaizen_tasks.adapters.aws.ecs.assumptions import EXPRESS_CONTAINER
from kaizen_tasks.adapters.aws.ecs.express.configuration import newest
from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.domain.init.detect.ecs.containers import app_container
from kaizen_tasks.domain.init.detect.from_account import AccountScan, ServiceSummary
from kaizen_tasks.domain.init.evidence import ECS, ECS_EXPRESS
from kaizen_tasks.domain.platform import PLATFORMS
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from types_boto3_apprunner.type_defs import ServiceTypeDef

    from kaizen_tasks.adapters.aws.clients import Document, EcsClient

SERVICES_PER_REQUEST = 10
ENVIRONMENT_TAG = "copilot-environment"
"""The tag with which Copilot names a service's environment."""


def scan_account(aws: Aws, region: str) -> AccountScan:
    """Return every service of App Runner and of ECS, and the name of every ECR repository.

    A platform whose services cannot be read, because it is not in the region or for want of a permission, is noted.

    Raises:
        Refused: neither the services of App Runner nor those of ECS can be read, or the repositories cannot.
    """
    services: list[ServiceSummary] = []
    failures: list[Refused] = []
    for title, read in ((PLATFORMS["apprunner"].title, _read_app_runner), (PLATFORMS[ECS].title, _read_ecs)):
        try:
            with aws_errors(f"list the services of {title} in {region}", aws=aws):
                services += read(aws)
        except Refused as error:
            failures.append(error)
    if len(failures) > 1:
        raise failures[0]
    with aws_errors(f"list the repositories in {region}", aws=aws):
        pages = aws.ecr().get_paginator("describe_repositories").paginate()
        repositories = tuple(repository["repositoryName"] for page in pages for repository in page["repositories"])
    return AccountScan(
        account_id=aws.account_id(),
        region=region,
        services=tuple(services),
        repositories=repositories,
        unread=tuple(failure.message for failure in failures),
    )


def _read_app_runner(aws: Aws) -> list[ServiceSummary]:
    apprunner = aws.apprunner()
    arns = [summary["ServiceArn"] for summary in list_services(apprunner)]
    return [_parse_service(apprunner.describe_service(ServiceArn=arn)["Service"]) for arn in arns]


def _parse_service(description: ServiceTypeDef) -> ServiceSummary:
    image = description["SourceConfiguration"].get("ImageRepository")
    variables = image.get("ImageConfiguration", {}).get("RuntimeEnvironmentVariables", {}) if image else {}
    repository, _, tag = image["ImageIdentifier"].partition("/")[2].partition(":") if image else ("", "", "")
    environment = variables.get("ENVIRONMENT", "")
    return ServiceSummary(name=description["ServiceName"], repository=repository, environment=environment, tag=tag)


def _read_ecs(aws: Aws) -> list[ServiceSummary]:
    """Return the services of every cluster; those that are being deleted are none."""
    ecs = aws.ecs()
    found = []
    for cluster in _pages(ecs.list_clusters, "clusterArns"):
        arns = [*_pages(ecs.list_services, "serviceArns", cluster=cluster)]
        for start in range(0, len(arns), SERVICES_PER_REQUEST):
            batch = arns[start : start + SERVICES_PER_REQUEST]
            services = ecs.describe_services(cluster=cluster, services=batch, include=["TAGS"])["services"]
            found += [_parse_ecs_service(ecs, each) for each in services if each["status"] == "ACTIVE"]
    return found


def _pages(read: Callable[..., Document], key: str, **request: object) -> Iterator[str]:
    token = ""
    while True:
        page = read(**request, **({"nextToken": token} if token else {}))
        yield from page[key]
        token = page.get("nextToken", "")
        if not token:
            return


def _parse_ecs_service(ecs: EcsClient, service: Document) -> ServiceSummary:
    is_express = service.get("resourceManagementType") == "ECS"
    containers = _express_containers(ecs, service) if is_express else _containers(ecs, service["taskDefinition"])
    reached = next((each["containerName"] for each in service.get("loadBalancers", ()) if "containerName" in each), "")
    container = next((each for each in containers if each.get("name") == reached), None)
    chosen = app_container([container] if container else containers)
    document = next((each for each in containers if each.get("name") == chosen.name), {})
    variables = {each["name"]: each.get("value", "") for each in document.get("environment", ())}
    tags = {each.get("key", ""): each.get("value", "") for each in service.get("tags", ())}
    return ServiceSummary(
        name=service["serviceName"],
        repository=chosen.repository,
        environment=variables.get("ENVIRONMENT", "") or tags.get(ENVIRONMENT_TAG, ""),
        platform=ECS_EXPRESS if is_express else ECS,
        cluster=service["clusterArn"].rpartition("/")[2],
        container=chosen.name if len(containers) > 1 else "",
        is_reachable=is_express or bool(service.get("loadBalancers") or service.get("gatewayConnectors")),
    )


def _express_containers(ecs: EcsClient, service: Document) -> Sequence[Mapping[str, Any]]:
    description = ecs.describe_express_gateway_service(serviceArn=service["serviceArn"])["service"]
    configurations = description.get("activeConfigurations", ())
    configuration = newest(configurations) if configurations else {}
    if primary := configuration.get("primaryContainer"):
        return [{"name": EXPRESS_CONTAINER, **primary}]
    definition = configuration.get("taskDefinitionArn")
    return _containers(ecs, definition) if definition else []


def _containers(ecs: EcsClient, definition: str) -> Sequence[Mapping[str, Any]]:
    document: Sequence[Mapping[str, Any]] = ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"][
        "containerDefinitions"
    ]
    return document
