"""ECS's operations on service deployments and service revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.ecs.ecs_errors import (
    check_count,
    conflict,
    deployment_not_found,
    invalid_parameter,
    missing,
    paginate,
)
from kaizen_tasks.localcloud.ecs.service_documents import (
    describe_service_deployment,
    describe_service_revision,
    summarise_service_deployment,
)

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.ecs.deploy.controller import DeploymentController
    from kaizen_tasks.localcloud.ecs.services import EcsService, ServiceDeployment, ServiceRevision, ServiceStore
    from kaizen_tasks.localcloud.ecs.task_definitions import TaskDefinitionStore
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_PAGE_SIZE = 20
_MAX_DESCRIBED = 20
_STOPPABLE = ("PENDING", "IN_PROGRESS")
_STOP_STATUSES = {"ROLLBACK": "ROLLBACK_REQUESTED", "ABORT": "STOP_REQUESTED"}


class DeploymentsApi:
    """List, describe and stop service deployments, and describe service revisions."""

    services: ServiceStore
    task_definitions: TaskDefinitionStore
    controller: DeploymentController

    def require_service(self, reference: str, cluster: str | None = None) -> EcsService:
        """Return a service that is not deleted."""
        raise NotImplementedError

    def list_service_deployments(self, request: JsonObject) -> JsonObject:
        """Return one page of a service's deployments, newest first."""
        service = self.require_service(request["service"], request.get("cluster"))
        statuses, created = request.get("status"), request.get("createdAt", {})
        deployments = [
            deployment
            for deployment in service.deployments[::-1]
            if (not statuses or deployment.status in statuses)
            and created.get("after", 0) <= deployment.created <= created.get("before", deployment.created)
        ]
        page, next_page = paginate(deployments, request, page_size=_PAGE_SIZE)
        return {
            "serviceDeployments": [summarise_service_deployment(service, deployment) for deployment in page],
            **next_page,
        }

    def describe_service_deployments(self, request: JsonObject) -> JsonObject:
        """Describe up to twenty service deployments."""
        arns = request["serviceDeploymentArns"]
        _check_arns("serviceDeploymentArns", arns)
        found = {arn: self._find_deployment(arn) for arn in arns}
        return {
            "serviceDeployments": [
                describe_service_deployment(*entry, self.controller.tasks) for entry in found.values() if entry
            ],
            "failures": [missing(arn) for arn, entry in found.items() if not entry],
        }

    def describe_service_revisions(self, request: JsonObject) -> JsonObject:
        """Describe up to twenty service revisions."""
        arns = request["serviceRevisionArns"]
        _check_arns("serviceRevisionArns", arns)
        found = {arn: self._find_revision(arn) for arn in arns}
        return {
            "serviceRevisions": [
                describe_service_revision(*entry, self._images(entry[1])) for entry in found.values() if entry
            ],
            "failures": [missing(arn) for arn, entry in found.items() if not entry],
        }

    def stop_service_deployment(self, request: JsonObject) -> JsonObject:
        """Stop a deployment: roll it back, or abort it."""
        arn = request["serviceDeploymentArn"]
        with self.services.lock:
            found = self._find_deployment(arn)
            if found is None:
                raise deployment_not_found()
            service, deployment = found
            if deployment.is_finished:
                raise conflict(f"Service deployment {arn} is in a terminal state: {deployment.status}.")
            if deployment.status in _STOPPABLE:
                self.controller.stop(service, deployment, _STOP_STATUSES[request.get("stopType", "ROLLBACK")])
        return {"serviceDeploymentArn": arn}

    def _find_deployment(self, arn: str) -> tuple[EcsService, ServiceDeployment] | None:
        service = self._find_service(arn, ":service-deployment/")
        try:
            return (service, service.deployment(arn)) if service else None
        except KeyError:
            return None

    def _find_revision(self, arn: str) -> tuple[EcsService, ServiceRevision] | None:
        service = self._find_service(arn, ":service-revision/")
        try:
            return (service, service.revision(arn)) if service else None
        except KeyError:
            return None

    def _find_service(self, arn: str, kind: str) -> EcsService | None:
        """Return the service that a deployment or a revision belongs to, by the ARN of that."""
        return self.services.find(arn.rpartition("/")[0].replace(kind, ":service/"), "")

    def _images(self, revision: ServiceRevision) -> dict[str, str]:
        definition = self.task_definitions.find(revision.task_definition)
        return {container["name"]: container["image"] for container in definition.containers} if definition else {}


def _check_arns(member: str, arns: list[str]) -> None:
    if not arns:
        raise invalid_parameter(f"{member} cannot be empty.")
    check_count(member, arns, _MAX_DESCRIBED)
