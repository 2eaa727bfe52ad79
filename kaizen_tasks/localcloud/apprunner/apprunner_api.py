"""App Runner's API: requests, responses and errors; the controller runs the operations."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.apprunner.apprunner_errors import (
    invalid_request,
    not_found,
    paginate,
    tags_by_key,
    to_datetime,
)
from kaizen_tasks.localcloud.apprunner.controller import InvalidStateError, ServiceController
from kaizen_tasks.localcloud.apprunner.service_configuration import ServiceConfigurations
from kaizen_tasks.localcloud.apprunner.service_instances import ServiceInstances
from kaizen_tasks.localcloud.apprunner.services import AppRunnerService, ServiceOperation, ServiceStore
from kaizen_tasks.localcloud.apprunner.shared_resources import SharedResourceStore
from kaizen_tasks.localcloud.apprunner.shared_resources_api import SharedResourceApi
from kaizen_tasks.localcloud.instances.container import DockerEngine
from kaizen_tasks.localcloud.instances.launcher import EngineChoice, InstanceLauncher
from kaizen_tasks.localcloud.logs.files import LogStore
from kaizen_tasks.localcloud.server.aws_json import ServiceError
from kaizen_tasks.localcloud.services.background import BackgroundThreads
from kaizen_tasks.localcloud.services.image_identifiers import OwnRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from kaizen_tasks.localcloud.apprunner.shared_resources import SharedResource
    from kaizen_tasks.localcloud.clock import MonotonicClock
    from kaizen_tasks.localcloud.registry.store import ImageStore
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_NOT_RUNNING = "Can't start a deployment on the specified service, because it isn't in RUNNING state."


class AppRunner(SharedResourceApi):
    """Emulates the App Runner API of one account and region.

    Args:
        state: the folder of its state.
        store: the registry's images.
        account: the account number.
        region: the region.
        engine: how instances run: `docker`, `process`, `none` for stand-ins, or `auto` for containers if an engine is
            available.
        deploy_seconds: minimum duration of an operation.
        notice_seconds: delay of automatic deployments after a tag has moved.
        registry: host and port of the registry from which the container engine pulls.
        issue_password: returns a password for that registry.
        resolve_secret: returns the value of a secret, by its reference.
        instance_variables: variables with which the SDKs of apps find the local cloud.
        open_relay: lets containers reach the local cloud at an address of this machine, and returns the port.
        is_foreign_registry: returns whether a host and port is a registry of another account or region.
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
        instance_variables: Mapping[str, str] | None = None,
        open_relay: Callable[[str], int] | None = None,
        is_foreign_registry: Callable[[str], bool] = lambda _host: False,
        clock: MonotonicClock,
    ) -> None:
        self._prefix = f"arn:aws:apprunner:{region}:{account}"
        self.services = ServiceStore(state / "services")
        self.shared = SharedResourceStore(state / "shared.json", self._prefix)
        own_registry = OwnRegistry(account=account, region=region, is_foreign=is_foreign_registry)
        self._configurations = ServiceConfigurations(shared=self.shared, account=account, registry=own_registry)
        docker = DockerEngine(
            registry=registry, issue_password=issue_password, aws=instance_variables, open_relay=open_relay
        )
        launcher = InstanceLauncher(folder=state / "instances", engine=engine, docker=docker, aws=instance_variables)
        threads = BackgroundThreads(clock)
        self._instances = ServiceInstances(
            services=self.services,
            launcher=launcher,
            store=store,
            logs=LogStore(state / "logs"),
            resolve_secret=resolve_secret,
            threads=threads,
            clock=clock,
        )
        self._controller = ServiceController(
            services=self.services,
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
        configuration = self._configurations.merge(request, {})
        with self.services.lock:
            if any(existing_service.name == name for existing_service in self._existing_services()):
                raise invalid_request(f"Service with the provided name already exists: {name}.")
            service = self.services.put(self._new_service(name, configuration, request.get("Tags", [])))
            return self._start_operation(service.arn, "CREATE_SERVICE", allowed_statuses={"CREATE_FAILED"})

    def describe_service(self, request: JsonObject) -> JsonObject:
        """Describe a service."""
        return {"Service": self._describe(self._get_service(request["ServiceArn"]))}

    def list_services(self, request: JsonObject) -> JsonObject:
        """Return one page of the services."""
        page, next_page = paginate(self._existing_services(), request)
        return {"ServiceSummaryList": [_service_summary(service) for service in page], **next_page}

    def update_service(self, request: JsonObject) -> JsonObject:
        """Change a service's configuration and deploy it; also allowed after a failed creation."""
        service = self._get_service(request["ServiceArn"])
        configuration = self._configurations.merge(request, service.configuration)
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
            raise invalid_request(_NOT_RUNNING) from None
        return {"OperationId": operation.id}

    def list_operations(self, request: JsonObject) -> JsonObject:
        """Return one page of a service's operations, newest first."""
        service = self._get_service(request["ServiceArn"])
        page, next_page = paginate(service.operations[::-1], request)
        return {
            "OperationSummaryList": [_operation_summary(operation, service.arn) for operation in page],
            **next_page,
        }

    def describe_custom_domains(self, request: JsonObject) -> JsonObject:
        """Return that a service has no custom domains, which the local cloud does not offer."""
        service = self._get_service(request["ServiceArn"])
        target = f"127.0.0.1:{service.port}"
        return {"DNSTarget": target, "ServiceArn": service.arn, "CustomDomains": [], "VpcDNSTargets": []}

    def list_connections(self, _request: JsonObject) -> JsonObject:
        """Return that there are no connections to source code repositories."""
        return {"ConnectionSummaryList": []}

    def list_vpc_ingress_connections(self, _request: JsonObject) -> JsonObject:
        """Return that there are no ingress connections."""
        return {"VpcIngressConnectionSummaryList": []}

    def list_tags_for_resource(self, request: JsonObject) -> JsonObject:
        """List the tags of a service or of a shared resource."""
        tags = self._tagged(request).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def tag_resource(self, request: JsonObject) -> JsonObject:
        """Add tags to a service or to a shared resource."""
        self._replace_tags(request, lambda tags: {**tags, **tags_by_key(request["Tags"])})
        return {}

    def untag_resource(self, request: JsonObject) -> JsonObject:
        """Remove tags from a service or from a shared resource."""
        removed = request["TagKeys"]
        self._replace_tags(request, lambda tags: {key: value for key, value in tags.items() if key not in removed})
        return {}

    def _tagged(self, request: JsonObject) -> AppRunnerService | SharedResource:
        return self.shared.get(request["ResourceArn"]) or self._get_service(request["ResourceArn"])

    def _replace_tags(self, request: JsonObject, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        with self.services.lock, self.shared.lock:
            tagged = self._tagged(request)
            if isinstance(tagged, AppRunnerService):
                self.services.put(attrs.evolve(tagged, tags=change(tagged.tags)))
            else:
                self.shared.put(attrs.evolve(tagged, tags=change(tagged.tags)))

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
            return self.services.get(arn)
        except KeyError:
            raise not_found("Service", arn) from None

    def _existing_services(self) -> tuple[AppRunnerService, ...]:
        return tuple(service for service in self.services.all() if service.deleted is None)

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
            tags=tags_by_key(tags),
        )

    def _describe(self, service: AppRunnerService) -> JsonObject:
        configuration = dict(service.configuration)
        scaling = self.shared.get(configuration.pop("AutoScalingConfigurationArn", "")) or self.shared.default_scaling()
        return {
            **_service_summary(service),
            "DeletedAt": to_datetime(service.deleted),
            **configuration,
            "AutoScalingConfigurationSummary": scaling.identity,
        }


def _service_summary(service: AppRunnerService) -> JsonObject:
    return {
        "ServiceName": service.name,
        "ServiceId": service.id,
        "ServiceArn": service.arn,
        "ServiceUrl": f"127.0.0.1:{service.port}",
        "CreatedAt": to_datetime(service.created),
        "UpdatedAt": to_datetime(service.updated),
        "Status": service.status,
    }


def _operation_summary(operation: ServiceOperation, arn: str) -> JsonObject:
    return {
        "Id": operation.id,
        "Type": operation.type,
        "Status": operation.status,
        "TargetArn": arn,
        "StartedAt": to_datetime(operation.started),
        "UpdatedAt": to_datetime(operation.updated),
        "EndedAt": to_datetime(operation.ended),
    }
