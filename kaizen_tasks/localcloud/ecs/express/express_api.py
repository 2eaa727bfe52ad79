"""ECS's operations on services of Express Mode."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.ecs.ecs_errors import now, resource_not_found, service_not_found, tag_list, tags_by_key
from kaizen_tasks.localcloud.ecs.express.configuration import (
    check_task_definition,
    configure,
    deployment_configuration,
    task_definition_request,
)
from kaizen_tasks.localcloud.ecs.services_api import ServicesApi, check_service_name, latest_revision
from kaizen_tasks.localcloud.ecs.task_definition_rules import complete

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.ecs.services import EcsService, ServiceRevision
    from kaizen_tasks.localcloud.ecs.task_definitions import TaskDefinition, TaskDefinitionStore
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_LAUNCH = {"launchType": "FARGATE", "platformVersion": "LATEST"}


class ExpressApi(ServicesApi):
    """Create, describe, update and delete services of Express Mode."""

    account: str
    region: str
    task_definitions: TaskDefinitionStore

    def create_express_gateway_service(self, request: JsonObject) -> JsonObject:
        """Create a service and deploy it."""
        cluster = self.clusters.require(request.get("cluster"))
        name = request.get("serviceName") or f"express-{secrets.token_hex(6)}"
        check_service_name(name)
        configuration = configure(request, {}, f"/aws/ecs/{cluster.name}/{name}-{secrets.token_hex(2)}")
        settings = {
            **_LAUNCH,
            "schedulingStrategy": "REPLICA",
            "deploymentController": {"type": "ECS"},
            "networkConfiguration": _vpc_configuration(configuration),
            "deploymentConfiguration": deployment_configuration(f"ecs-express-{cluster.name}-{name}-http-errors"),
        }
        with self.services.lock:
            service = self.existing_service(name, cluster.name, request)
            if service is None:
                definition = self._task_definition(configuration, f"{cluster.name}-{name}", request.get("tags", []))
                count = configuration["scalingTarget"]["minTaskCount"]
                created = self.new_service({**request, "serviceName": name}, cluster.arn, settings, count)
                service = self._deploy(created, definition, configuration)
        return {"service": self._describe(service)}

    def describe_express_gateway_service(self, request: JsonObject) -> JsonObject:
        """Describe a service with its active configurations: two during a canary."""
        service = self.services.find(request["serviceArn"], "")
        if service is None or not service.is_express:
            raise resource_not_found()
        return {"service": self._describe(service, with_tags="TAGS" in request.get("include", ()))}

    def update_express_gateway_service(self, request: JsonObject) -> JsonObject:
        """Change a service's configuration and deploy it."""
        with self.services.lock:
            service = self._require_express(request)
            current = latest_revision(service).express or {}
            log_group = current.get("primaryContainer", {}).get("awsLogsConfiguration", {}).get("logGroup")
            default_group = f"/aws/ecs/{service.cluster}/{service.name}-{secrets.token_hex(2)}"
            configuration = configure(request, current, log_group or default_group)
            definition = self._task_definition(configuration, f"{service.cluster}-{service.name}", [])
            settings = {**service.settings, "networkConfiguration": _vpc_configuration(configuration)}
            count = _scaled(service.desired_count, configuration)
            changed = self.controller.scale(attrs.evolve(service, settings=settings, updated=now()), count)
            deployed = self._deploy(changed, definition, configuration)
        target = deployed.revision(deployed.deployments[-1].target)
        return {
            "service": {
                **_identity(deployed),
                "targetConfiguration": self._describe_configuration(deployed, target),
                "createdAt": deployed.created,
                "updatedAt": deployed.updated,
            }
        }

    def delete_express_gateway_service(self, request: JsonObject) -> JsonObject:
        """Stop a service's tasks and delete it."""
        with self.services.lock:
            return {"service": self._describe(self.controller.drain(self._require_express(request)))}

    def _require_express(self, request: JsonObject) -> EcsService:
        service = self.require_active(request["serviceArn"])
        if not service.is_express:
            raise service_not_found()
        return service

    def _deploy(self, service: EcsService, definition: TaskDefinition, configuration: JsonObject) -> EcsService:
        return self.controller.start(service, self.new_revision(service, definition, configuration))

    def _task_definition(self, configuration: JsonObject, family: str, tags: list[dict[str, str]]) -> TaskDefinition:
        """Return the owner's task definition, or register the one that ECS manages."""
        if "taskDefinitionArn" in configuration:
            definition = self.find_task_definition(configuration["taskDefinitionArn"])
            check_task_definition(definition)
            return definition
        document = complete(task_definition_request(configuration, family, self.region))
        document.pop("family")
        registered_by = f"arn:aws:iam::{self.account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
        return self.task_definitions.register(family, document, tags=tags_by_key(tags), registered_by=registered_by)

    def _describe(self, service: EcsService, *, with_tags: bool = False) -> JsonObject:
        latest = service.deployments[-1] if service.deployments else None
        active = [arn for arn in (service.serving, latest.target if latest and not latest.is_finished else "") if arn]
        return {
            **_identity(service),
            "infrastructureRoleArn": service.infrastructure_role,
            "currentDeployment": latest.arn if latest else None,
            "activeConfigurations": [
                self._describe_configuration(service, service.revision(arn)) for arn in dict.fromkeys(active)
            ],
            "tags": tag_list(service.tags) if with_tags else None,
            "createdAt": service.created,
            "updatedAt": service.updated,
        }

    def _describe_configuration(self, service: EcsService, revision: ServiceRevision) -> JsonObject:
        definition = self.task_definitions.find(revision.task_definition)
        document = definition.document if definition else {}
        owned = {
            **{name: document.get(name) for name in ("executionRoleArn", "taskRoleArn", "cpu", "memory")},
            "cpuArchitecture": document.get("runtimePlatform", {}).get("cpuArchitecture", "X86_64"),
        }
        return {
            **owned,
            **(revision.express or {}),
            "serviceRevisionArn": revision.arn,
            "taskDefinitionArn": revision.task_definition,
            "ingressPaths": [{"accessType": "PUBLIC", "endpoint": f"127.0.0.1:{service.port}"}],
            "createdAt": revision.created,
        }


def _identity(service: EcsService) -> JsonObject:
    return {
        "cluster": service.cluster,
        "serviceName": service.name,
        "serviceArn": service.arn,
        "status": {"statusCode": service.status},
    }


def _vpc_configuration(configuration: JsonObject) -> JsonObject:
    network = configuration["networkConfiguration"]
    return {"awsvpcConfiguration": {**network, "assignPublicIp": "ENABLED"}}


def _scaled(count: int, configuration: JsonObject) -> int:
    """Return the number of tasks within the bounds of the scaling."""
    scaling = configuration["scalingTarget"]
    return int(min(max(count, scaling["minTaskCount"]), scaling["maxTaskCount"]))
