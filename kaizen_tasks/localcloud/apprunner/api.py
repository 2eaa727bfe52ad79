"""App Runner as its clients see it: requests, answers and errors; the work is done in `operations`."""

from __future__ import annotations

import shlex
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import attrs

from kaizen_tasks.localcloud.apprunner.controller import Busy, Operations
from kaizen_tasks.localcloud.apprunner.secret_values import REFERENCE
from kaizen_tasks.localcloud.apprunner.services import Operation, Service, Services
from kaizen_tasks.localcloud.instances.container import Docker
from kaizen_tasks.localcloud.instances.launcher import Engine, Workloads
from kaizen_tasks.localcloud.logs.files import Logs
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from kaizen_tasks.localcloud.registry.store import ImageStore

Json = dict[str, Any]
_Item = TypeVar("_Item", Service, Operation)

_PAGE = 20  # the most that ListServices and ListOperations return at once
_NOT_RUNNING = "Can't start a deployment on the specified service, because it isn't in RUNNING state."
# Defaults of the API reference: InstanceConfiguration, HealthCheckConfiguration, NetworkConfiguration.
_INSTANCE = {"Cpu": "1024", "Memory": "2048"}
_HEALTH_CHECK = {
    "Protocol": "TCP",
    "Path": "/",
    "Interval": 5,
    "Timeout": 2,
    "HealthyThreshold": 1,
    "UnhealthyThreshold": 5,
}
_NETWORK = {
    "EgressConfiguration": {"EgressType": "DEFAULT"},
    "IngressConfiguration": {"IsPubliclyAccessible": True},
    "IpAddressType": "IPV4",
}
_ECHOED = ("EncryptionConfiguration", "ObservabilityConfiguration")


class AppRunner:
    """The App Runner of one account and region.

    Args:
        state: the folder that holds everything it knows.
        store: the images of the registry beside it.
        account: the account's number.
        region: the region's name.
        engine: what runs instances: `docker`, `process`, or `auto` for a container where an engine answers.
        deploy_seconds: how long every operation is in progress at least.
        notice_seconds: how long a service that follows a tag does not notice that it has moved.
        registry: host and port of the registry, for pulling into an engine.
        password: issues a password for that registry.
        secret: returns what a reference to a secret stands for.
    """

    name = "apprunner"

    def __init__(  # noqa: PLR0913 - this is where everything that the cloud was told arrives
        self,
        *,
        state: Path,
        store: ImageStore,
        account: str,
        region: str,
        engine: Engine,
        deploy_seconds: float,
        notice_seconds: float = 0,
        registry: str,
        password: Callable[[], str] = lambda: "",
        secret: Callable[[str], str] = lambda reference: reference,
    ) -> None:
        self._prefix = f"arn:aws:apprunner:{region}:{account}"
        self._services = Services(state / "services")
        docker = Docker(registry=registry, password=password)
        self._operations = Operations(
            services=self._services,
            workloads=Workloads(folder=state / "instances", engine=engine, docker=docker),
            store=store,
            logs=Logs(state / "logs"),
            deploy_seconds=deploy_seconds,
            notice_seconds=notice_seconds,
            secret=secret,
        )
        self._operations.restore()
        store.on_tag_moved(self._operations.tag_moved)

    def close(self) -> None:
        """Stop every instance and free every port; the next App Runner starts again what ran."""
        self._operations.close()

    def create_service(self, request: Json) -> Json:
        """Create a service and deploy its image."""
        name = request["ServiceName"]
        configuration = self._configuration(request, {})
        with self._services.lock:
            if any(known.name == name for known in self._living()):
                raise _invalid(f"Service with the provided name already exists: {name}.")
            service = self._services.put(self._new(name, configuration, request.get("Tags", [])))
            return self._begin(service.arn, "CREATE_SERVICE", allowed={"CREATE_FAILED"})

    def describe_service(self, request: Json) -> Json:
        """Describe a service."""
        return {"Service": self._described(self._find(request["ServiceArn"]))}

    def list_services(self, request: Json) -> Json:
        """List services, a page at a time."""
        page, following = _page(self._living(), request)
        return {"ServiceSummaryList": [_summary(service) for service in page], **following}

    def update_service(self, request: Json) -> Json:
        """Change a service's configuration and deploy it; this also mends one that failed to be created."""
        service = self._find(request["ServiceArn"])
        configuration = self._configuration(request, service.configuration)
        return self._begin(
            service.arn,
            "UPDATE_SERVICE",
            allowed={"RUNNING", "CREATE_FAILED"},
            change=lambda now: attrs.evolve(now, configuration=configuration),
        )

    def delete_service(self, request: Json) -> Json:
        """Stop a service for good."""
        allowed = {"RUNNING", "PAUSED", "CREATE_FAILED", "DELETE_FAILED"}
        return self._begin(request["ServiceArn"], "DELETE_SERVICE", allowed=allowed)

    def pause_service(self, request: Json) -> Json:
        """Stop a service for a while."""
        return self._begin(request["ServiceArn"], "PAUSE_SERVICE", allowed={"RUNNING"})

    def resume_service(self, request: Json) -> Json:
        """Start a paused service with the image it had."""
        return self._begin(request["ServiceArn"], "RESUME_SERVICE", allowed={"PAUSED"})

    def start_deployment(self, request: Json) -> Json:
        """Deploy what the service's tag stands for now."""
        service = self._find(request["ServiceArn"])
        try:
            _, operation = self._operations.begin(service.arn, "START_DEPLOYMENT", allowed={"RUNNING"})
        except Busy:
            raise _invalid(_NOT_RUNNING) from None
        return {"OperationId": operation.id}

    def list_operations(self, request: Json) -> Json:
        """List a service's operations, newest first, a page at a time."""
        service = self._find(request["ServiceArn"])
        page, following = _page(service.operations[::-1], request)
        return {
            "OperationSummaryList": [_operation(operation, service.arn) for operation in page],
            **following,
        }

    def list_tags_for_resource(self, request: Json) -> Json:
        """List a service's tags."""
        tags = self._find(request["ResourceArn"]).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def tag_resource(self, request: Json) -> Json:
        """Add tags to a service."""
        with self._services.lock:
            service = self._find(request["ResourceArn"])
            self._services.put(attrs.evolve(service, tags={**service.tags, **_tags(request["Tags"])}))
        return {}

    def untag_resource(self, request: Json) -> Json:
        """Remove tags from a service."""
        with self._services.lock:
            service = self._find(request["ResourceArn"])
            kept = {key: value for key, value in service.tags.items() if key not in request["TagKeys"]}
            self._services.put(attrs.evolve(service, tags=kept))
        return {}

    def _begin(
        self,
        arn: str,
        kind: str,
        *,
        allowed: Collection[str],
        change: Callable[[Service], Service] = lambda service: service,
    ) -> Json:
        self._find(arn)
        try:
            service, operation = self._operations.begin(arn, kind, allowed=allowed, change=change)
        except Busy as busy:
            message = f"The operation {kind} isn't possible while the service is in {busy} state."
            raise ServiceError("InvalidStateException", message) from None
        return {"Service": self._described(service), "OperationId": operation.id}

    def _find(self, arn: str) -> Service:
        try:
            return self._services.get(arn)
        except KeyError:
            raise ServiceError(
                "ResourceNotFoundException", f"Service with the provided ARN does not exist: {arn}."
            ) from None

    def _living(self) -> tuple[Service, ...]:
        return tuple(service for service in self._services.all() if service.deleted is None)

    def _new(self, name: str, configuration: Json, tags: Sequence[dict[str, str]]) -> Service:
        identity = uuid.uuid4().hex
        arn = f"{self._prefix}:service/{name}/{identity}"
        now = time.time()
        return Service(
            name=name,
            id=identity,
            arn=arn,
            port=self._operations.open_port(arn),
            created=now,
            updated=now,
            resting="CREATE_FAILED",
            configuration=configuration,
            tags=_tags(tags),
        )

    def _configuration(self, request: Json, before: Json) -> Json:
        """Lay what a request says over what was there, and that over the defaults."""
        source = {**before.get("SourceConfiguration", {}), **request.get("SourceConfiguration", {})}
        echoed = {name: {**before, **request}[name] for name in _ECHOED if name in {**before, **request}}
        return echoed | {
            "SourceConfiguration": _source(source),
            "InstanceConfiguration": _laid_over(_INSTANCE, before, request, "InstanceConfiguration"),
            "HealthCheckConfiguration": _laid_over(_HEALTH_CHECK, before, request, "HealthCheckConfiguration"),
            "NetworkConfiguration": _laid_over(_NETWORK, before, request, "NetworkConfiguration"),
        }

    def _described(self, service: Service) -> Json:
        return {
            **_summary(service),
            "DeletedAt": _time(service.deleted),
            **service.configuration,
            "AutoScalingConfigurationSummary": self._auto_scaling(),
        }

    def _auto_scaling(self) -> Json:
        name = "DefaultConfiguration"
        return {
            "AutoScalingConfigurationArn": f"{self._prefix}:autoscalingconfiguration/{name}/1/{'0' * 31}1",
            "AutoScalingConfigurationName": name,
            "AutoScalingConfigurationRevision": 1,
        }


def _source(source: Json) -> Json:
    """Check where a service's image comes from, and fill in defaults.

    Raises:
        ServiceError: it is not an image of the registry, or asks for what is not offered here.
    """
    image = source.get("ImageRepository")
    if image is None or image["ImageRepositoryType"] != "ECR":
        _refuse("Only images of ECR can be deployed here: give an ImageRepository of the type ECR.")
    if "/" not in image["ImageIdentifier"]:
        _refuse(f"The image identifier has no registry: {image['ImageIdentifier']}.")
    configuration = {"Port": "8080", **image.get("ImageConfiguration", {})}
    _check_image_configuration(configuration)
    defaults = {"AutoDeploymentsEnabled": True}
    return {**defaults, **source, "ImageRepository": {**image, "ImageConfiguration": configuration}}


def _check_image_configuration(configuration: Json) -> None:
    port = configuration["Port"]
    if not port.isdecimal() or not 0 < int(port) < 65536:
        _refuse(f"The port is not a port number: {port}.")
    variables, secrets = (configuration.get(f"RuntimeEnvironment{kind}", {}) for kind in ("Variables", "Secrets"))
    if "PORT" in {**variables, **secrets}:
        _refuse("PORT is a reserved name and can't be a runtime environment variable.")
    if twice := sorted(variables.keys() & secrets.keys()):
        _refuse(f"A runtime environment variable and a secret have the same name: {', '.join(twice)}.")
    if foreign := sorted(name for name, each in secrets.items() if not REFERENCE.fullmatch(each)):
        _refuse(f"Only secrets of Secrets Manager are offered here, by their ARN: {', '.join(foreign)}.")
    try:
        shlex.split(configuration.get("StartCommand", ""))
    except ValueError as error:
        _refuse(f"The start command cannot be understood: {error}.")


def _refuse(message: str) -> NoReturn:
    raise _invalid(message)


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidRequestException", message)


def _laid_over(defaults: Json, before: Json, request: Json, name: str) -> Json:
    return {**defaults, **before.get(name, {}), **request.get(name, {})}


def _tags(tags: Sequence[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in tags}


def _page(items: Sequence[_Item], request: Json) -> tuple[Sequence[_Item], Json]:
    """Cut out the page that a request asks for; its token is the id of the last item of the page before.

    Raises:
        ServiceError: no page ever ended with that token.
    """
    start = 0
    if "NextToken" in request:
        ids = [item.id for item in items]
        if request["NextToken"] not in ids:
            raise _invalid("The NextToken is not valid.")
        start = ids.index(request["NextToken"]) + 1
    page = items[start : start + request.get("MaxResults", _PAGE)]
    has_more = start + len(page) < len(items)
    return page, {"NextToken": page[-1].id} if has_more else {}


def _summary(service: Service) -> Json:
    return {
        "ServiceName": service.name,
        "ServiceId": service.id,
        "ServiceArn": service.arn,
        "ServiceUrl": f"127.0.0.1:{service.port}",
        "CreatedAt": _time(service.created),
        "UpdatedAt": _time(service.updated),
        "Status": service.status,
    }


def _operation(operation: Operation, arn: str) -> Json:
    return {
        "Id": operation.id,
        "Type": operation.type,
        "Status": operation.status,
        "TargetArn": arn,
        "StartedAt": _time(operation.started),
        "UpdatedAt": _time(operation.updated),
        "EndedAt": _time(operation.ended),
    }


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
