"""App Runner's API: requests, responses and errors; the controller runs the operations."""

from __future__ import annotations

import shlex
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import attrs

from kaizen_tasks.localcloud.apprunner.background import BackgroundThreads
from kaizen_tasks.localcloud.apprunner.controller import InvalidStateError, ServiceController
from kaizen_tasks.localcloud.apprunner.secret_values import SECRET_REFERENCE
from kaizen_tasks.localcloud.apprunner.service_instances import ServiceInstances
from kaizen_tasks.localcloud.apprunner.services import AppRunnerService, ServiceOperation, ServiceStore
from kaizen_tasks.localcloud.instances.container import DockerEngine
from kaizen_tasks.localcloud.instances.launcher import EngineChoice, InstanceLauncher
from kaizen_tasks.localcloud.logs.files import LogStore
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from kaizen_tasks.localcloud.clock import MonotonicClock
    from kaizen_tasks.localcloud.registry.store import ImageStore
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_Item = TypeVar("_Item", AppRunnerService, ServiceOperation)

_PAGE_SIZE = 20  # maximum of ListServices and ListOperations
_NOT_RUNNING = "Can't start a deployment on the specified service, because it isn't in RUNNING state."
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
_SCALING = "DefaultConfiguration"
_PASSTHROUGH_KEYS = ("EncryptionConfiguration", "ObservabilityConfiguration")


class AppRunner:
    """Emulates the App Runner API of one account and region.

    Args:
        state: the folder of its state.
        store: the registry's images.
        account: the account number.
        region: the region.
        engine: how instances run: `docker`, `process`, or `auto` for containers if an engine is available.
        deploy_seconds: minimum duration of an operation.
        notice_seconds: delay of automatic deployments after a tag has moved.
        registry: host and port of the registry from which the container engine pulls.
        issue_password: returns a password for that registry.
        resolve_secret: returns the value of a secret, by its reference.
        clock: measures all delays and durations.
    """

    name = "apprunner"

    def __init__(  # noqa: PLR0913 - the composition of everything that App Runner needs
        self,
        *,
        state: Path,
        store: ImageStore,
        account: str,
        region: str,
        engine: EngineChoice,
        deploy_seconds: float,
        notice_seconds: float = 0,
        registry: str,
        issue_password: Callable[[], str] = lambda: "",
        resolve_secret: Callable[[str], str] = lambda reference: reference,
        clock: MonotonicClock,
    ) -> None:
        self._prefix = f"arn:aws:apprunner:{region}:{account}"
        self._services = ServiceStore(state / "services")
        docker = DockerEngine(registry=registry, issue_password=issue_password)
        launcher = InstanceLauncher(folder=state / "instances", engine=engine, docker=docker)
        threads = BackgroundThreads(clock)
        self._instances = ServiceInstances(
            services=self._services,
            launcher=launcher,
            store=store,
            logs=LogStore(state / "logs"),
            resolve_secret=resolve_secret,
            threads=threads,
            clock=clock,
        )
        self._controller = ServiceController(
            services=self._services,
            instances=self._instances,
            store=store,
            threads=threads,
            deploy_seconds=deploy_seconds,
            notice_seconds=notice_seconds,
            clock=clock,
        )
        launcher.remove_orphans()
        self._controller.restore()
        store.on_tag_moved(self._controller.handle_tag_moved)

    def close(self) -> None:
        """Stop every instance and free every port; the next App Runner on this folder restarts the services."""
        self._controller.close()

    def create_service(self, request: JsonObject) -> JsonObject:
        """Create a service and deploy its image."""
        name = request["ServiceName"]
        configuration = self._merge_configuration(request, {})
        with self._services.lock:
            if any(existing_service.name == name for existing_service in self._existing_services()):
                raise _invalid_request(f"Service with the provided name already exists: {name}.")
            service = self._services.put(self._new_service(name, configuration, request.get("Tags", [])))
            return self._start_operation(service.arn, "CREATE_SERVICE", allowed_statuses={"CREATE_FAILED"})

    def describe_service(self, request: JsonObject) -> JsonObject:
        """Describe a service."""
        return {"Service": self._describe(self._get_service(request["ServiceArn"]))}

    def list_services(self, request: JsonObject) -> JsonObject:
        """Return one page of the services."""
        page, next_page = _paginate(self._existing_services(), request)
        return {"ServiceSummaryList": [_service_summary(service) for service in page], **next_page}

    def update_service(self, request: JsonObject) -> JsonObject:
        """Change a service's configuration and deploy it; also allowed after a failed creation."""
        service = self._get_service(request["ServiceArn"])
        configuration = self._merge_configuration(request, service.configuration)
        return self._start_operation(
            service.arn,
            "UPDATE_SERVICE",
            allowed_statuses={"RUNNING", "CREATE_FAILED"},
            update=lambda current: attrs.evolve(current, configuration=configuration),
        )

    def delete_service(self, request: JsonObject) -> JsonObject:
        """Stop a service and delete it."""
        allowed_statuses = {"RUNNING", "PAUSED", "CREATE_FAILED", "DELETE_FAILED"}
        return self._start_operation(request["ServiceArn"], "DELETE_SERVICE", allowed_statuses=allowed_statuses)

    def pause_service(self, request: JsonObject) -> JsonObject:
        """Stop a service until it is resumed."""
        return self._start_operation(request["ServiceArn"], "PAUSE_SERVICE", allowed_statuses={"RUNNING"})

    def resume_service(self, request: JsonObject) -> JsonObject:
        """Start a paused service with the image that it had."""
        return self._start_operation(request["ServiceArn"], "RESUME_SERVICE", allowed_statuses={"PAUSED"})

    def start_deployment(self, request: JsonObject) -> JsonObject:
        """Deploy the image that the service's tag currently points at."""
        service = self._get_service(request["ServiceArn"])
        try:
            _, operation = self._controller.start_operation(
                service.arn, "START_DEPLOYMENT", allowed_statuses={"RUNNING"}
            )
        except InvalidStateError:
            raise _invalid_request(_NOT_RUNNING) from None
        return {"OperationId": operation.id}

    def list_operations(self, request: JsonObject) -> JsonObject:
        """Return one page of a service's operations, newest first."""
        service = self._get_service(request["ServiceArn"])
        page, next_page = _paginate(service.operations[::-1], request)
        return {
            "OperationSummaryList": [_operation_summary(operation, service.arn) for operation in page],
            **next_page,
        }

    def list_tags_for_resource(self, request: JsonObject) -> JsonObject:
        """List a service's tags."""
        tags = self._get_service(request["ResourceArn"]).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def tag_resource(self, request: JsonObject) -> JsonObject:
        """Add tags to a service."""
        with self._services.lock:
            service = self._get_service(request["ResourceArn"])
            self._services.put(attrs.evolve(service, tags={**service.tags, **_tags_by_key(request["Tags"])}))
        return {}

    def untag_resource(self, request: JsonObject) -> JsonObject:
        """Remove tags from a service."""
        with self._services.lock:
            service = self._get_service(request["ResourceArn"])
            remaining_tags = {key: value for key, value in service.tags.items() if key not in request["TagKeys"]}
            self._services.put(attrs.evolve(service, tags=remaining_tags))
        return {}

    def _start_operation(
        self,
        arn: str,
        operation_type: str,
        *,
        allowed_statuses: Collection[str],
        update: Callable[[AppRunnerService], AppRunnerService] = lambda service: service,
    ) -> JsonObject:
        self._get_service(arn)
        try:
            service, operation = self._controller.start_operation(
                arn, operation_type, allowed_statuses=allowed_statuses, update=update
            )
        except InvalidStateError as error:
            message = f"The operation {operation_type} isn't possible while the service is in {error} state."
            raise ServiceError("InvalidStateException", message) from None
        return {"Service": self._describe(service), "OperationId": operation.id}

    def _get_service(self, arn: str) -> AppRunnerService:
        try:
            return self._services.get(arn)
        except KeyError:
            raise ServiceError(
                "ResourceNotFoundException", f"Service with the provided ARN does not exist: {arn}."
            ) from None

    def _existing_services(self) -> tuple[AppRunnerService, ...]:
        return tuple(service for service in self._services.all() if service.deleted is None)

    def _new_service(self, name: str, configuration: JsonObject, tags: Sequence[dict[str, str]]) -> AppRunnerService:
        service_id = uuid.uuid4().hex
        arn = f"{self._prefix}:service/{name}/{service_id}"
        now = time.time()
        return AppRunnerService(
            name=name,
            id=service_id,
            arn=arn,
            port=self._instances.open_port(arn),
            created=now,
            updated=now,
            resting="CREATE_FAILED",
            configuration=configuration,
            tags=_tags_by_key(tags),
        )

    def _merge_configuration(self, request: JsonObject, current: JsonObject) -> JsonObject:
        """Return the defaults, overridden by the current configuration, overridden by the request."""
        source = {**current.get("SourceConfiguration", {}), **request.get("SourceConfiguration", {})}
        sections = {
            name: {**defaults, **current.get(name, {}), **request.get(name, {})}
            for name, defaults in _SECTION_DEFAULTS.items()
        }
        passthrough = {name: value for name, value in {**current, **request}.items() if name in _PASSTHROUGH_KEYS}
        return {**passthrough, "SourceConfiguration": _validate_source(source), **sections}

    def _describe(self, service: AppRunnerService) -> JsonObject:
        return {
            **_service_summary(service),
            "DeletedAt": _to_datetime(service.deleted),
            **service.configuration,
            "AutoScalingConfigurationSummary": {
                "AutoScalingConfigurationArn": f"{self._prefix}:autoscalingconfiguration/{_SCALING}/1/{'0' * 31}1",
                "AutoScalingConfigurationName": _SCALING,
                "AutoScalingConfigurationRevision": 1,
            },
        }


def _validate_source(source: JsonObject) -> JsonObject:
    """Validate a service's image and fill in defaults.

    Raises:
        ServiceError: it is not an image of ECR, or its configuration is invalid or not supported here.
    """
    image = source.get("ImageRepository")
    if image is None or image["ImageRepositoryType"] != "ECR":
        raise _invalid_request("Only images of ECR can be deployed here: give an ImageRepository of the type ECR.")
    if "/" not in image["ImageIdentifier"]:
        raise _invalid_request(f"The image identifier has no registry: {image['ImageIdentifier']}.")
    configuration = {"Port": "8080", **image.get("ImageConfiguration", {})}
    _check_image_configuration(configuration)
    defaults = {"AutoDeploymentsEnabled": True}
    return {**defaults, **source, "ImageRepository": {**image, "ImageConfiguration": configuration}}


def _check_image_configuration(configuration: JsonObject) -> None:
    port = configuration["Port"]
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise _invalid_request(f"The port is not a port number: {port}.")
    variables, secrets = (configuration.get(f"RuntimeEnvironment{kind}", {}) for kind in ("Variables", "Secrets"))
    if "PORT" in {**variables, **secrets}:
        raise _invalid_request("PORT is a reserved name and can't be a runtime environment variable.")
    if duplicates := sorted(variables.keys() & secrets.keys()):
        raise _invalid_request(
            f"A runtime environment variable and a secret have the same name: {', '.join(duplicates)}."
        )
    if unsupported := sorted(name for name, reference in secrets.items() if not SECRET_REFERENCE.fullmatch(reference)):
        raise _invalid_request(
            f"Only secrets of Secrets Manager are offered here, by their ARN: {', '.join(unsupported)}."
        )
    try:
        shlex.split(configuration.get("StartCommand", ""))
    except ValueError as error:
        raise _invalid_request(f"The start command cannot be understood: {error}.") from None


def _invalid_request(message: str) -> ServiceError:
    return ServiceError("InvalidRequestException", message)


def _tags_by_key(tags: Sequence[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in tags}


def _paginate(items: Sequence[_Item], request: JsonObject) -> tuple[Sequence[_Item], JsonObject]:
    """Return the requested page; its token is the id of the last item on the previous page.

    Raises:
        ServiceError: no item has that id.
    """
    start = 0
    if "NextToken" in request:
        ids = [item.id for item in items]
        if request["NextToken"] not in ids:
            raise _invalid_request("The NextToken is not valid.")
        start = ids.index(request["NextToken"]) + 1
    page = items[start : start + request.get("MaxResults", _PAGE_SIZE)]
    has_more = start + len(page) < len(items)
    return page, {"NextToken": page[-1].id} if has_more else {}


def _service_summary(service: AppRunnerService) -> JsonObject:
    return {
        "ServiceName": service.name,
        "ServiceId": service.id,
        "ServiceArn": service.arn,
        "ServiceUrl": f"127.0.0.1:{service.port}",
        "CreatedAt": _to_datetime(service.created),
        "UpdatedAt": _to_datetime(service.updated),
        "Status": service.status,
    }


def _operation_summary(operation: ServiceOperation, arn: str) -> JsonObject:
    return {
        "Id": operation.id,
        "Type": operation.type,
        "Status": operation.status,
        "TargetArn": arn,
        "StartedAt": _to_datetime(operation.started),
        "UpdatedAt": _to_datetime(operation.updated),
        "EndedAt": _to_datetime(operation.ended),
    }


def _to_datetime(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
