"""Reads the services and repositories of an AWS account; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.apprunner import list_services
from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.domain.init.detect.from_account import AccountScan, ServiceSummary

if TYPE_CHECKING:
    from types_boto3_apprunner.type_defs import ServiceTypeDef


def scan_account(aws: Aws, region: str) -> AccountScan:
    """Return every App Runner service of the account, and the name of every ECR repository."""
    with aws_errors(f"list the services and repositories in {region}"):
        apprunner = aws.apprunner()
        arns = [summary["ServiceArn"] for summary in list_services(apprunner)]
        services = tuple(_parse_service(apprunner.describe_service(ServiceArn=arn)["Service"]) for arn in arns)
        pages = aws.ecr().get_paginator("describe_repositories").paginate()
        repositories = tuple(repository["repositoryName"] for page in pages for repository in page["repositories"])
    return AccountScan(account_id=aws.account_id(), region=region, services=services, repositories=repositories)


def _parse_service(description: ServiceTypeDef) -> ServiceSummary:
    image = description["SourceConfiguration"].get("ImageRepository")
    variables = image.get("ImageConfiguration", {}).get("RuntimeEnvironmentVariables", {}) if image else {}
    repository, _, tag = image["ImageIdentifier"].partition("/")[2].partition(":") if image else ("", "", "")
    environment = variables.get("ENVIRONMENT", "")
    return ServiceSummary(name=description["ServiceName"], repository=repository, environment=environment, tag=tag)
