"""Reads which services an AWS account runs and which repositories it has; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.adapters.aws.apprunner import PAGE
from kaizen_tasks.adapters.aws.session import Aws, translated
from kaizen_tasks.domain.init.detect.from_account import Found, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_apprunner import AppRunnerClient
    from types_boto3_apprunner.type_defs import ServiceTypeDef


@frozen
class Survey:
    """One account in one region.

    Args:
        aws: whose.
        region: where.
    """

    aws: Aws
    region: str

    def read(self) -> Found:
        """Return every service that follows an image in ECR, and the name of every repository.

        Raises:
            Denied: there are no credentials, or they may not read this.
        """
        with translated(f"list the services and repositories in {self.region}"):
            services = tuple(_services(self.aws.apprunner()))
            pages = self.aws.ecr().get_paginator("describe_repositories").paginate()
            repositories = tuple(each["repositoryName"] for page in pages for each in page["repositories"])
        return Found(account=self.aws.account(), region=self.region, services=services, repositories=repositories)


def _services(apprunner: AppRunnerClient) -> Iterator[Service]:
    page = apprunner.list_services(MaxResults=PAGE)
    while True:
        for summary in page["ServiceSummaryList"]:
            if summary["Status"] != "DELETED":
                yield _service(apprunner.describe_service(ServiceArn=summary["ServiceArn"])["Service"])
        if not page.get("NextToken"):
            return
        page = apprunner.list_services(MaxResults=PAGE, NextToken=page["NextToken"])


def _service(described: ServiceTypeDef) -> Service:
    image = described["SourceConfiguration"].get("ImageRepository")
    variables = image.get("ImageConfiguration", {}).get("RuntimeEnvironmentVariables", {}) if image else {}
    identifier = image["ImageIdentifier"] if image else ""
    return Service(
        name=described["ServiceName"],
        repository=identifier.partition("/")[2].partition(":")[0],
        environment=variables.get("ENVIRONMENT", ""),
    )
