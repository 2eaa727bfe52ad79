"""AWS App Runner: services by name, deployments and what became of them."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kaizen_tasks.adapters.aws.session import translated
from kaizen_tasks.domain.service import Operation, Service
from kaizen_tasks.errors import DeployFailed, NotFound
from kaizen_tasks.ports.platform import Platform

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from types_boto3_apprunner import AppRunnerClient
    from types_boto3_apprunner.type_defs import (
        OperationSummaryTypeDef,
        ServiceSummaryTypeDef,
        ServiceTypeDef,
    )

    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.errors import KaizenError

PAGE = 20  # the most that App Runner gives at once
NO_SERVICE = "create it in App Runner, or correct `service` in the configuration"
WAYS_OUT = {
    "PAUSED": "resume it: aws apprunner resume-service --service-arn {identity}",
    "CREATE_FAILED": "delete it and create it again; the reason is in its logs",
    "DELETE_FAILED": "delete it again, then create it",
    "DELETED": NO_SERVICE,
}


class AppRunnerPlatform(Platform):
    """The services of one account in one region. Safe to use from several threads.

    Args:
        aws: whose services.
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._lock = Lock()
        self._identities: dict[str, str] = {}

    def service(self, name: str) -> Service:
        """Return a service as it is now.

        One that was deleted and created again has another identity, so a remembered one that is gone
        is looked for again.
        """
        remembered = self._identities.get(name)
        if remembered:
            try:
                found = self._described(name, remembered)
            except NotFound:
                found = None
            if found and found.status != "DELETED":
                return found
            self._forget(name)
        return self._described(name, self._identity(name))

    def addresses(self) -> dict[str, str]:
        """Return the address of every service that is not deleted, by name: the list has them, twenty a page."""
        with translated("list the services"):
            return {each["ServiceName"]: _url(each.get("ServiceUrl", "")) for each in _listed(self._aws.apprunner())}

    def start(self, service: Service) -> str:
        """Start a deployment of the image that the service follows; return the operation's identifier.

        App Runner has no error of its own for a busy service: it answers InvalidRequestException, so
        the service's status decides.
        https://docs.aws.amazon.com/apprunner/latest/api/API_StartDeployment.html
        """
        apprunner = self._aws.apprunner()
        with _about(f"start a deployment of {service.name}", otherwise=DeployFailed):
            try:
                return apprunner.start_deployment(ServiceArn=service.identity)["OperationId"]
            except apprunner.exceptions.InvalidRequestException as error:
                now = self.service(service.name)
                now.demand_deployable()
                if now.status == "RUNNING" and "RUNNING state" not in str(error):
                    raise
        return ""

    def operations(self, service: Service) -> tuple[Operation, ...]:
        """Return the newest operations, newest first."""
        with _about(f"list the operations of {service.name}"):
            answer = self._aws.apprunner().list_operations(ServiceArn=service.identity, MaxResults=PAGE)
        return tuple(_operation(summary) for summary in answer["OperationSummaryList"])

    def _described(self, name: str, identity: str) -> Service:
        with _about(f"look at the service {name}"):
            return _service(self._aws.apprunner().describe_service(ServiceArn=identity)["Service"])

    def _forget(self, name: str) -> None:
        with self._lock:
            self._identities.pop(name, None)

    def _identity(self, name: str) -> str:
        """Return a service's ARN; the first question reads all of them, page by page."""
        with self._lock:
            if name not in self._identities:
                with translated("list the services"):
                    found = _listed(self._aws.apprunner())
                self._identities = {each["ServiceName"]: each["ServiceArn"] for each in found}
            if name in self._identities:
                return self._identities[name]
        raise NotFound(f"there is no App Runner service {name}", hint=NO_SERVICE)


def _listed(apprunner: AppRunnerClient) -> list[ServiceSummaryTypeDef]:
    """Return every service that is not deleted; there is no paginator for this."""
    found: list[ServiceSummaryTypeDef] = []
    page = apprunner.list_services(MaxResults=PAGE)
    found += page["ServiceSummaryList"]
    while token := page.get("NextToken"):
        page = apprunner.list_services(MaxResults=PAGE, NextToken=token)
        found += page["ServiceSummaryList"]
    return [each for each in found if each["Status"] != "DELETED"]


def _service(described: ServiceTypeDef) -> Service:
    source = described["SourceConfiguration"]
    return Service(
        name=described["ServiceName"],
        identity=described["ServiceArn"],
        status=described["Status"],
        url=_url(described.get("ServiceUrl", "")),
        image=source.get("ImageRepository", {}).get("ImageIdentifier", ""),
        auto_deploys=source.get("AutoDeploymentsEnabled", True),
        way_out=_way_out(described["Status"], described["ServiceArn"]),
    )


def _operation(summary: OperationSummaryTypeDef) -> Operation:
    """Translate an operation; one that still waits has not started, so it starts no earlier than now."""
    started, finished = summary.get("StartedAt") or datetime.now(UTC), summary.get("EndedAt")
    return Operation(
        identity=summary["Id"],
        kind=summary["Type"],
        state=summary["Status"],
        started=started.astimezone(UTC),
        finished=finished.astimezone(UTC) if finished else None,
    )


def _url(address: str) -> str:
    """Add the scheme that App Runner leaves out: always TLS, except on this machine."""
    if not address:
        return ""
    scheme = "http" if _is_loopback(urlsplit(f"//{address}").hostname or "") else "https"
    return f"{scheme}://{address}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _way_out(status: str, identity: str) -> str:
    if status in {"RUNNING", "OPERATION_IN_PROGRESS"}:
        return ""
    return WAYS_OUT.get(status, "look at it in the App Runner console").format(identity=identity)


def _about(doing: str, *, otherwise: type[KaizenError] | None = None) -> AbstractContextManager[None]:
    return translated(doing, otherwise=otherwise, missing=NO_SERVICE)
