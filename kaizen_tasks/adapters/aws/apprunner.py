"""AWS App Runner: services by name, deployments and their operations."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kaizen_tasks.adapters.aws import new_service
from kaizen_tasks.adapters.aws.attempts import AnswerLost
from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.domain.git.remote_url import is_loopback
from kaizen_tasks.domain.new_service import ServiceSettings
from kaizen_tasks.domain.service import Operation, OperationKind, OperationState, Service, ServiceStatus
from kaizen_tasks.errors import NOTHING_CHANGED, DeployFailed, KaizenError, NotFound, Refused, Unsupported
from kaizen_tasks.ports.platform import Platform

if TYPE_CHECKING:
    from types_boto3_apprunner import AppRunnerClient
    from types_boto3_apprunner.type_defs import OperationSummaryTypeDef, ServiceSummaryTypeDef, ServiceTypeDef


PAGE_SIZE = 20  # the maximum of App Runner
NO_SERVICE_HINT = "create it in App Runner, or correct `service` in the configuration"
STATUSES = {
    "RUNNING": ServiceStatus.RUNNING,
    "OPERATION_IN_PROGRESS": ServiceStatus.BUSY,
    "PAUSED": ServiceStatus.PAUSED,
    "CREATE_FAILED": ServiceStatus.CREATION_FAILED,
}
KINDS = {
    "START_DEPLOYMENT": OperationKind.DEPLOYMENT,
    "CREATE_SERVICE": OperationKind.CREATION,
    "UPDATE_SERVICE": OperationKind.UPDATE,
    "PAUSE_SERVICE": OperationKind.PAUSE,
    "DELETE_SERVICE": OperationKind.DELETION,
}
STATES = {
    "PENDING": OperationState.PENDING,
    "SUCCEEDED": OperationState.SUCCEEDED,
    "FAILED": OperationState.FAILED,
    "ROLLBACK_SUCCEEDED": OperationState.ROLLED_BACK,
    "ROLLBACK_FAILED": OperationState.FAILED,
}
"""States of operations that are not in progress."""

STATUS_HINTS = {
    "PAUSED": "resume it: aws apprunner resume-service --service-arn {identity}",
    "CREATE_FAILED": "delete it and create it again; the reason is in its logs",
    "DELETE_FAILED": "delete it again, then create it",
    "DELETED": NO_SERVICE_HINT,
}


class AppRunnerPlatform(Platform):
    """The services of one account in one region. Safe to use from several threads."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._lock = Lock()
        self._arns: dict[str, str] = {}
        self._urls: dict[str, str] = {}

    def get_service(self, name: str) -> Service:
        """Return the current state of a service.

        A service that was deleted and created again has a new ARN, so a cached ARN that no longer works is looked up
        again.
        """
        cached_arn = self._arns.get(name)
        if cached_arn:
            try:
                service = self._describe(name, cached_arn)
            except NotFound:
                service = None
            if service and service.native_status != "DELETED":
                return service
            with self._lock:
                self._arns.pop(name, None)
        return self._describe(name, self.find_arn(name))

    def service_url(self, name: str) -> str:
        """Return the URL of a service, as it was read last."""
        return self._urls.get(name) or self.get_service(name).url

    def service_urls(self) -> dict[str, str]:
        """Return the URL of every service, by service name, at one request per twenty services."""
        with aws_errors("list the services"):
            services = list_services(self._aws.apprunner())
        return {service["ServiceName"]: _with_scheme(service.get("ServiceUrl", "")) for service in services}

    def start_deployment(self, service: Service, image: str) -> str:
        """Start a deployment of what the tag names; return its identifier, or an empty string if there may be none.

        App Runner answers InvalidRequestException for a busy service and for other reasons, which are told apart by the
        service's status. A request whose answer was lost is not repeated: a fast deployment would happen twice.
        https://docs.aws.amazon.com/apprunner/latest/api/API_StartDeployment.html
        """
        apprunner = self._aws.apprunner()
        with _service_errors(f"start a deployment of {service.name}", change_error=DeployFailed):
            try:
                return apprunner.start_deployment(ServiceArn=service.id)["OperationId"]
            except AnswerLost:
                return ""
            except apprunner.exceptions.InvalidRequestException as error:
                current = self.get_service(service.name)
                current.require_deployable()
                if current.native_status == "RUNNING" and "RUNNING state" not in str(error):
                    raise
        return ""

    def stop_deployment(self, service: Service, operation: str) -> None:
        """Raise: App Runner has no operation that stops a deployment."""
        message = f"App Runner cannot stop a deployment of {service.name}"
        raise Unsupported(message, state="it goes on", hint="wait for its end, then: inv rollback")

    def read_settings(self, service: Service) -> ServiceSettings:
        """Return the settings of a service that another one can be created with."""
        return new_service.parse_settings(self._read_description(service))

    def create_service_like(self, neighbour: Service, name: str, *, image: str, settings: ServiceSettings) -> None:
        """Begin to create a service like another one."""
        description = self._read_description(neighbour)
        request = new_service.creation_request(description, name, image=image, settings=settings)
        with _service_errors(f"create the service {name}", change_error=Refused):
            self._aws.apprunner().create_service(**request)

    def delete_failed_service(self, service: Service) -> None:
        """Begin to delete a service that could not be created."""
        current = self.get_service(service.name)
        if current.status is not ServiceStatus.CREATION_FAILED or current.id != service.id:
            raise Refused(
                f"the service {service.name} is {current.native_status}, so it is not deleted", state=NOTHING_CHANGED
            )
        with _service_errors(f"delete the service {service.name}", change_error=Refused):
            self._aws.apprunner().delete_service(ServiceArn=service.id)

    def _read_description(self, service: Service) -> ServiceTypeDef:
        with _service_errors(f"read the service {service.name}"):
            return self._aws.apprunner().describe_service(ServiceArn=service.id)["Service"]

    def list_operations(self, service: Service) -> tuple[Operation, ...]:
        """Return the latest page of operations, newest first."""
        with _service_errors(f"list the operations of {service.name}"):
            response = self._aws.apprunner().list_operations(ServiceArn=service.id, MaxResults=PAGE_SIZE)
        return tuple(_parse_operation(summary) for summary in response["OperationSummaryList"])

    def find_arn(self, name: str) -> str:
        """Return a service's ARN; the first call lists all services.

        Raises:
            NotFound: there is no such service.
        """
        with self._lock:
            if name not in self._arns:
                with aws_errors("list the services"):
                    summaries = list_services(self._aws.apprunner())
                self._arns = {summary["ServiceName"]: summary["ServiceArn"] for summary in summaries}
            if name in self._arns:
                return self._arns[name]
        raise NotFound(f"there is no App Runner service {name}", hint=NO_SERVICE_HINT)

    def _describe(self, name: str, arn: str) -> Service:
        with _service_errors(f"read the service {name}"):
            service = _parse_service(self._aws.apprunner().describe_service(ServiceArn=arn)["Service"])
        self._urls[name] = service.url
        return service


def list_services(apprunner: AppRunnerClient) -> list[ServiceSummaryTypeDef]:
    """Return every service that is not deleted; boto3 has no paginator for this."""
    page = apprunner.list_services(MaxResults=PAGE_SIZE)
    summaries = page["ServiceSummaryList"]
    while token := page.get("NextToken"):
        page = apprunner.list_services(MaxResults=PAGE_SIZE, NextToken=token)
        summaries += page["ServiceSummaryList"]
    return [summary for summary in summaries if summary["Status"] != "DELETED"]


def _parse_service(description: ServiceTypeDef) -> Service:
    source = description["SourceConfiguration"]
    return Service(
        name=description["ServiceName"],
        id=description["ServiceArn"],
        status=STATUSES.get(description["Status"], ServiceStatus.UNAVAILABLE),
        native_status=description["Status"],
        url=_with_scheme(description.get("ServiceUrl", "")),
        image=source.get("ImageRepository", {}).get("ImageIdentifier", ""),
        auto_deploys=source.get("AutoDeploymentsEnabled", True),
        fix=_status_hint(description["Status"], description["ServiceArn"]),
    )


def _parse_operation(summary: OperationSummaryTypeDef) -> Operation:
    """Return an operation; for a queued operation, which has no start time yet, `started_at` is the current time."""
    started, finished = summary.get("StartedAt") or datetime.now(UTC), summary.get("EndedAt")
    return Operation(
        id=summary["Id"],
        kind=KINDS.get(summary["Type"], OperationKind.OTHER),
        state=STATES.get(summary["Status"], OperationState.IN_PROGRESS),
        native_state=summary["Status"],
        started_at=started.astimezone(UTC),
        finished_at=finished.astimezone(UTC) if finished else None,
    )


def _with_scheme(host: str) -> str:
    """Return a host as a URL: with https, or with http for a loopback address (the local cloud)."""
    if not host:
        return ""
    return f"{'http' if is_loopback(urlsplit(f'//{host}').hostname or '') else 'https'}://{host}"


def _status_hint(status: str, arn: str) -> str:
    if status in {"RUNNING", "OPERATION_IN_PROGRESS"}:
        return ""
    return STATUS_HINTS.get(status, "check it in the App Runner console").format(identity=arn)


def _service_errors(action: str, *, change_error: type[KaizenError] | None = None) -> AbstractContextManager[None]:
    return aws_errors(action, change_error=change_error, not_found_hint=NO_SERVICE_HINT)
