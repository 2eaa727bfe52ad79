"""ECS's operations on services."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.ecs.ecs_errors import (
    check_count,
    invalid_parameter,
    missing,
    now,
    paginate,
    service_not_active,
    service_not_found,
    tags_by_key,
    unsupported,
)
from kaizen_tasks.localcloud.ecs.service_documents import REVISION_MEMBERS, SERVICE_MEMBERS, describe_service
from kaizen_tasks.localcloud.ecs.services import ACTIVE, DRAINING, INACTIVE, EcsService, ServiceRevision
from kaizen_tasks.localcloud.ecs.task_definitions_api import describe_task_definition

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.ecs.clusters import ClusterStore
    from kaizen_tasks.localcloud.ecs.containers import TaskLauncher
    from kaizen_tasks.localcloud.ecs.deploy.controller import DeploymentController
    from kaizen_tasks.localcloud.ecs.services import ServiceStore
    from kaizen_tasks.localcloud.ecs.task_definitions import TaskDefinition
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_GRACE_MEMBER = "healthCheckGracePeriodSeconds"  # of the service, for the tasks of its next revisions
_MAX_DESCRIBED = 10
_PAGE_SIZE = 10
_DEFAULTS: dict[str, object] = {
    "loadBalancers": [],
    "serviceRegistries": [],
    "schedulingStrategy": "REPLICA",
    "deploymentController": {"type": "ECS"},
    "placementConstraints": [],
    "placementStrategy": [],
    "enableECSManagedTags": False,
    "enableExecuteCommand": False,
    "propagateTags": "NONE",
    "availabilityZoneRebalancing": "DISABLED",
}
_DEPLOYMENT_DEFAULTS: dict[str, object] = {
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
    "bakeTimeInMinutes": 0,
}


class ServicesApi:
    """Create, update, describe, list and delete services."""

    prefix: str
    clusters: ClusterStore
    services: ServiceStore
    launcher: TaskLauncher
    controller: DeploymentController

    def find_task_definition(self, reference: str) -> TaskDefinition:
        """Return an active task definition."""
        raise NotImplementedError

    def create_service(self, request: JsonObject) -> JsonObject:
        """Create a service and deploy it."""
        cluster = self.clusters.require(request.get("cluster"))
        check_service_name(request["serviceName"])
        if "taskDefinition" not in request:
            raise invalid_parameter("TaskDefinition can not be blank.")
        if "desiredCount" not in request and request.get("schedulingStrategy") != "DAEMON":
            raise invalid_parameter("desiredCount is required.")
        definition = self.find_task_definition(request["taskDefinition"])
        settings = {**_DEFAULTS, **_settings(request)}
        if "capacityProviderStrategy" not in settings:
            settings.setdefault("launchType", "FARGATE")
            settings.setdefault("platformVersion", "LATEST")
        settings["deploymentConfiguration"] = _deployment_configuration(request, {})
        with self.services.lock:
            if existing := self.existing_service(request["serviceName"], cluster.name, request):
                return {"service": describe_service(existing, self.controller.tasks, with_tags=True)}
            service = self.new_service(request, cluster.arn, settings, request.get("desiredCount", 1))
            deployed = self.controller.start(service, self.new_revision(service, definition))
        return {"service": describe_service(deployed, self.controller.tasks, with_tags=True)}

    def update_service(self, request: JsonObject) -> JsonObject:
        """Change a service, and deploy it if tasks have to be replaced for the change."""
        with self.services.lock:
            service = self.require_active(request["service"], request.get("cluster"))
            definition = self._updated_definition(service, request)
            changes = _settings(request)
            settings = {**service.settings, **changes}
            settings["deploymentConfiguration"] = _deployment_configuration(
                request, service.settings["deploymentConfiguration"]
            )
            needs_tasks = any(
                service.settings.get(name) != changes[name] for name in changes if name in REVISION_MEMBERS
            )
            changed = attrs.evolve(service, settings=settings, updated=now())
            if "desiredCount" in request:
                changed = self.controller.scale(changed, request["desiredCount"])
            if definition is not None or needs_tasks or request.get("forceNewDeployment"):
                current = latest_revision(service)
                definition = definition or self.find_task_definition(current.task_definition)
                changed = self.controller.start(changed, self.new_revision(changed, definition, current.express))
            else:
                changed = self.services.put(changed)
        return {"service": describe_service(changed, self.controller.tasks, with_tags=True)}

    def describe_services(self, request: JsonObject) -> JsonObject:
        """Describe up to ten services of a cluster."""
        references = request["services"]
        if not references:
            raise invalid_parameter("Services cannot be empty.")
        check_count("services", references, _MAX_DESCRIBED)
        cluster = self.clusters.require(request.get("cluster"))
        found = {reference: self.services.find(reference, cluster.name) for reference in references}
        with_tags = "TAGS" in request.get("include", ())
        return {
            "services": [
                describe_service(service, self.controller.tasks, with_tags=with_tags)
                for service in found.values()
                if service is not None
            ],
            "failures": [
                missing(self._service_arn(reference, cluster.name))
                for reference, service in found.items()
                if service is None
            ],
        }

    def list_services(self, request: JsonObject) -> JsonObject:
        """Return one page of the ARNs of a cluster's services."""
        cluster = self.clusters.require(request.get("cluster"))
        managed = request.get("resourceManagementType")
        services = [
            service
            for service in self.services.all()
            if service.cluster_arn == cluster.arn
            and service.status != INACTIVE
            and managed in (None, "ECS" if service.is_express else "CUSTOMER")
            and all(
                request.get(name) in (None, service.settings.get(name)) for name in ("launchType", "schedulingStrategy")
            )
        ]
        page, next_page = paginate(services, request, page_size=_PAGE_SIZE)
        return {"serviceArns": [service.arn for service in page], **next_page}

    def delete_service(self, request: JsonObject) -> JsonObject:
        """Stop a service's tasks and delete it; with `force` also one that is to have tasks."""
        with self.services.lock:
            service = self.require_active(request["service"], request.get("cluster"))
            if service.desired_count and not request.get("force"):
                raise invalid_parameter("The service cannot be stopped while it is scaled above 0.")
            drained = self.controller.drain(service)
        return {"service": describe_service(drained, self.controller.tasks)}

    def require_service(self, reference: str, cluster: str | None = None) -> EcsService:
        """Return a service that is not deleted, by its ARN or its name.

        Raises:
            ServiceError: there is none.
        """
        name = "" if reference.startswith("arn:") else self.clusters.require(cluster).name
        service = self.services.find(reference, name)
        if service is None or service.status == INACTIVE:
            raise service_not_found()
        return service

    def require_active(self, reference: str, cluster: str | None = None) -> EcsService:
        """Return a service that can be changed.

        Raises:
            ServiceError: there is none, or it is being deleted or deleted.
        """
        name = "" if reference.startswith("arn:") else self.clusters.require(cluster).name
        service = self.services.find(reference, name)
        if service is None:
            raise service_not_found()
        if service.status != ACTIVE:
            raise service_not_active()
        return service

    def existing_service(self, name: str, cluster: str, request: JsonObject) -> EcsService | None:
        """Return the service that an identical request has created; None if the name is free.

        Raises:
            ServiceError: another service has the name.
        """
        service = self.services.find(name, cluster)
        if service is None or service.status == INACTIVE:
            return None
        if service.status == DRAINING:
            raise invalid_parameter("Unable to Start a service that is still Draining.")
        if service.creation != _fingerprint(request):
            raise invalid_parameter("Creation of service was not idempotent.")
        return service

    def new_service(self, request: JsonObject, cluster_arn: str, settings: JsonObject, count: int) -> EcsService:
        """Return a service that is not stored yet, with its public port open."""
        name, time = request["serviceName"], now()
        arn = self._service_arn(name, cluster_arn.rpartition("/")[2])
        return EcsService(
            arn=arn,
            name=name,
            cluster_arn=cluster_arn,
            port=self.controller.tasks.open_port(arn),
            created=time,
            updated=time,
            desired_count=count,
            settings=settings,
            infrastructure_role=request.get("infrastructureRoleArn", ""),
            tags=tags_by_key(request.get("tags", [])),
            creation=_fingerprint(request),
        )

    def new_revision(
        self, service: EcsService, definition: TaskDefinition, express: JsonObject | None = None
    ) -> ServiceRevision:
        """Return a revision, for which the tags of images are resolved to digests."""
        number = secrets.randbelow(9 * 10**18) + 10**18
        return ServiceRevision(
            arn=f"{service.arn.replace(':service/', ':service-revision/')}/{number}",
            created=now(),
            task_definition=definition.arn,
            digests=self.launcher.resolve_images(describe_task_definition(definition)),
            settings={
                name: value
                for name, value in service.settings.items()
                if name in REVISION_MEMBERS or name == _GRACE_MEMBER
            },
            express=express,
        )

    def _updated_definition(self, service: EcsService, request: JsonObject) -> TaskDefinition | None:
        """Return the task definition that a request changes a service to; None if it stays as it is."""
        if "taskDefinition" not in request:
            return None
        if service.is_express:
            raise invalid_parameter(
                "The task definition of an Express service is changed by UpdateExpressGatewayService."
            )
        definition = self.find_task_definition(request["taskDefinition"])
        return None if definition.arn == latest_revision(service).task_definition else definition

    def _service_arn(self, reference: str, cluster: str) -> str:
        return reference if reference.startswith("arn:") else f"{self.prefix}:service/{cluster}/{reference}"


def check_service_name(name: str) -> None:
    """Refuse a name that ECS does not accept for a service."""
    if not _NAME.fullmatch(name):
        raise invalid_parameter(
            "Invalid service name. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens."
        )


def latest_revision(service: EcsService) -> ServiceRevision:
    """Return the revision that a service has been told to run last, which a rollback makes the previous one again."""
    latest = service.deployments[-1]
    is_rolled_back = latest.rollback is not None and latest.source
    return service.revision(latest.source if is_rolled_back else latest.target)


def _settings(request: JsonObject) -> JsonObject:
    names = {*SERVICE_MEMBERS, *REVISION_MEMBERS} - {"deploymentConfiguration"}
    return {name: value for name, value in request.items() if name in names}


def _deployment_configuration(request: JsonObject, current: JsonObject) -> JsonObject:
    """Return the defaults, overridden by the current configuration, overridden by the request.

    Raises:
        ServiceError: the local cloud does not offer what is requested.
    """
    configuration = {**_DEPLOYMENT_DEFAULTS, **current, **request.get("deploymentConfiguration", {})}
    if configuration.get("lifecycleHooks"):
        raise unsupported("Lifecycle hooks of deployments")
    if request.get("deploymentController", {}).get("type", "ECS") != "ECS":
        raise unsupported("Deployment controllers other than ECS")
    return configuration


def _fingerprint(request: JsonObject) -> str:
    return json.dumps(request, sort_keys=True)
