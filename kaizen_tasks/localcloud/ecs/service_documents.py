"""Services, their deployments and revisions as ECS answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.ecs.ecs_errors import tag_list

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.ecs.deploy.service_tasks import ServiceTasks
    from kaizen_tasks.localcloud.ecs.services import EcsService, ServiceDeployment, ServiceRevision
    from kaizen_tasks.localcloud.server.http_message import JsonObject

REVISION_MEMBERS = (
    *("capacityProviderStrategy", "gatewayConnectors", "launchType", "loadBalancers", "monitoring"),
    *("networkConfiguration", "platformVersion", "serviceConnectConfiguration", "serviceRegistries"),
    *("volumeConfigurations", "vpcLatticeConfigurations"),
)
"""Members of CreateService that a revision of the service has: another value of them needs a deployment."""

SERVICE_MEMBERS = (
    *("availabilityZoneRebalancing", "capacityProviderStrategy", "deploymentConfiguration", "deploymentController"),
    *("enableECSManagedTags", "enableExecuteCommand", "healthCheckGracePeriodSeconds", "launchType", "loadBalancers"),
    *("networkConfiguration", "placementConstraints", "placementStrategy", "platformVersion", "propagateTags"),
    *("schedulingStrategy", "serviceRegistries"),
)
"""Members of CreateService that DescribeServices answers."""

_DEPLOYMENT_MEMBERS = (
    *("capacityProviderStrategy", "launchType", "networkConfiguration", "platformVersion"),
    *("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"),
)
_PLATFORM_FAMILY = "Linux"


def describe_service(service: EcsService, tasks: ServiceTasks, *, with_tags: bool = False) -> JsonObject:
    """Return a service as DescribeServices does, which names no task definition for one of Express Mode."""
    latest = service.deployments[-1] if service.deployments else None
    revisions = tasks.revisions(service.arn)
    return {
        **{name: value for name, value in service.settings.items() if name in SERVICE_MEMBERS},
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster_arn,
        "status": service.status,
        "desiredCount": service.desired_count,
        "runningCount": sum(tasks.running_count(service.arn, arn) for arn in revisions),
        "pendingCount": sum(tasks.pending_count(service.arn, arn) for arn in revisions),
        "platformFamily": _PLATFORM_FAMILY,
        "taskDefinition": None if service.is_express or latest is None else _primary(service).task_definition,
        "deployments": _describe_deployments(service, tasks),
        "roleArn": _iam_arn(service, "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"),
        "events": [
            {"id": event.id, "createdAt": event.created, "message": event.message} for event in service.events[::-1]
        ],
        "createdAt": service.created,
        "createdBy": _iam_arn(service, "root"),
        "currentServiceDeployment": latest.arn if latest else None,
        "currentServiceRevisions": [_task_counts(service, arn, tasks) for arn in _current_revisions(service)],
        "tags": tag_list(service.tags) if with_tags else None,
        "resourceManagementType": "ECS" if service.is_express else "CUSTOMER",
    }


def describe_service_deployment(service: EcsService, deployment: ServiceDeployment, tasks: ServiceTasks) -> JsonObject:
    """Return a deployment as DescribeServiceDeployments does."""
    alarms = deployment.configuration.get("alarms", {})
    target = _task_counts(service, deployment.target, tasks, desired=deployment.desired_count)
    source_weight = 100.0 - deployment.weight
    return {
        "serviceDeploymentArn": deployment.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "createdAt": deployment.created,
        "startedAt": deployment.started,
        "finishedAt": deployment.finished,
        "stoppedAt": deployment.stopped,
        "updatedAt": deployment.updated,
        "sourceServiceRevisions": [
            {
                **_task_counts(service, arn, tasks, desired=deployment.desired_count),
                "requestedProductionTrafficWeight": source_weight if arn == deployment.source else 0.0,
            }
            for arn in deployment.sources
        ],
        "targetServiceRevision": {**target, "requestedProductionTrafficWeight": deployment.weight},
        "status": deployment.status,
        "statusReason": deployment.reason or None,
        "lifecycleStage": deployment.stage or None,
        "deploymentConfiguration": deployment.configuration,
        "rollback": deployment.rollback,
        "deploymentCircuitBreaker": {
            "status": _monitor_status(deployment, deployment.has_breaker, is_triggered=deployment.is_tripped),
            "failureCount": deployment.failed_tasks,
            "threshold": deployment.failure_threshold,
        },
        "alarms": {
            "status": _monitor_status(
                deployment, bool(alarms.get("enable")), is_triggered=bool(deployment.triggered_alarms)
            ),
            "alarmNames": alarms.get("alarmNames"),
            "triggeredAlarmNames": list(deployment.triggered_alarms) or None,
        },
    }


def summarise_service_deployment(service: EcsService, deployment: ServiceDeployment) -> JsonObject:
    """Return a deployment as ListServiceDeployments does."""
    return {
        "serviceDeploymentArn": deployment.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "startedAt": deployment.started,
        "createdAt": deployment.created,
        "finishedAt": deployment.finished,
        "targetServiceRevisionArn": deployment.target,
        "status": deployment.status,
        "statusReason": deployment.reason or None,
    }


def describe_service_revision(service: EcsService, revision: ServiceRevision, images: dict[str, str]) -> JsonObject:
    """Return a revision as DescribeServiceRevisions does.

    Each service has an address on loopback. For one that is not of Express Mode it is the `serviceUrl` of a gateway
    connection, also if it has no `gatewayConnectors`: a local cloud has no other load balancer.

    Args:
        service: the service.
        revision: the revision.
        images: the images by the names of their containers, as the task definition names them.
    """
    return {
        **{name: value for name, value in revision.settings.items() if name in REVISION_MEMBERS},
        "serviceRevisionArn": revision.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "taskDefinition": revision.task_definition,
        "platformFamily": _PLATFORM_FAMILY,
        "containerImages": [
            {"containerName": name, "image": images[name], "imageDigest": digest or None}
            for name, digest in revision.digests.items()
        ],
        "guardDutyEnabled": False,
        "createdAt": revision.created,
        "ecsManagedResources": _managed_resources(service, revision),
    }


def _iam_arn(service: EcsService, resource: str) -> str:
    return f"arn:aws:iam::{service.arn.split(':')[4]}:{resource}"


def _managed_resources(service: EcsService, revision: ServiceRevision) -> JsonObject:
    address = f"127.0.0.1:{service.port}"
    if revision.express is None:
        connectors = revision.settings.get("gatewayConnectors") or [{}]
        connection = {"serviceUrl": f"http://{address}", "accessType": "PUBLIC", "status": "ACTIVE"}
        return {"gatewayConnections": [{"portName": connectors[0].get("portName"), **connection}]}
    return {
        "ingressPaths": [{"accessType": "PUBLIC", "endpoint": address}],
        "metricAlarms": [
            {"arn": f"{alarm_prefix(service)}{name}", "status": "ACTIVE", "updatedAt": revision.created}
            for name in service.settings["deploymentConfiguration"]["alarms"]["alarmNames"]
        ],
        "logGroups": _log_groups(service, revision),
    }


def _log_groups(service: EcsService, revision: ServiceRevision) -> list[JsonObject] | None:
    logs = (revision.express or {}).get("primaryContainer", {}).get("awsLogsConfiguration")
    if logs is None:
        return None
    _, _, _, region, account, _ = service.arn.split(":")
    arn = f"arn:aws:logs:{region}:{account}:log-group:{logs['logGroup']}"
    return [{"arn": arn, "logGroupName": logs["logGroup"], "status": "ACTIVE", "updatedAt": revision.created}]


def alarm_prefix(service: EcsService) -> str:
    """Return what the ARNs of the alarms in a service's account and region begin with."""
    _, _, _, region, account, _ = service.arn.split(":")
    return f"arn:aws:cloudwatch:{region}:{account}:alarm:"


def _monitor_status(deployment: ServiceDeployment, is_enabled: bool, *, is_triggered: bool) -> str:  # noqa: FBT001
    if not is_enabled:
        return "DISABLED"
    if is_triggered:
        return "TRIGGERED"
    return "MONITORING_COMPLETE" if deployment.is_finished else "MONITORING"


def _primary(service: EcsService) -> ServiceRevision:
    return service.revision(_current_revisions(service)[0])


def _current_revisions(service: EcsService) -> tuple[str, ...]:
    """Return the revisions that are deployed or replaced, the PRIMARY one first; none of a deleted service."""
    if not service.deployments:
        return ()
    latest = service.deployments[-1]
    if latest.status == "SUCCESSFUL":
        return (latest.target,)
    if latest.status == "ROLLBACK_SUCCESSFUL":
        return (latest.source,)
    if latest.status in ("ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED") and latest.source:
        return (latest.source, latest.target)
    replaced = tuple(arn for arn in (latest.source,) if arn) if latest.is_finished else latest.sources
    return (latest.target, *replaced)


def _describe_deployments(service: EcsService, tasks: ServiceTasks) -> list[JsonObject]:
    arns = _current_revisions(service)
    return [_describe_deployment(service, arn, tasks, "PRIMARY" if arn == arns[0] else "ACTIVE") for arn in arns]


def _describe_deployment(service: EcsService, arn: str, tasks: ServiceTasks, status: str) -> JsonObject:
    """Return a member of `deployments`: what the tasks of a revision are."""
    revision, latest = service.revision(arn), service.deployments[-1]
    is_rolling = latest.configuration.get("strategy", "ROLLING") == "ROLLING"
    is_target = arn == latest.target
    return {
        **{name: value for name, value in revision.settings.items() if name in _DEPLOYMENT_MEMBERS},
        "id": f"ecs-svc/{revision.number}",
        "status": status,
        "taskDefinition": revision.task_definition,
        "desiredCount": service.desired_count,
        "pendingCount": tasks.pending_count(service.arn, arn),
        "runningCount": tasks.running_count(service.arn, arn),
        "failedTasks": latest.failed_tasks if is_target else 0,
        "createdAt": revision.created,
        "updatedAt": latest.updated if is_target else revision.created,
        "platformFamily": _PLATFORM_FAMILY,
        **(_rollout(latest, is_target, revision.number) if is_rolling else {}),
    }


def _rollout(latest: ServiceDeployment, is_target: bool, number: str) -> JsonObject:  # noqa: FBT001
    """Return the state of a rolling deployment, which other strategies do not have."""
    identifier = f"ecs-svc/{number}"
    if not is_target or latest.status == "SUCCESSFUL":
        is_complete = latest.status not in ("ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED")
        state = "COMPLETED" if is_complete else "IN_PROGRESS"
        return {"rolloutState": state, "rolloutStateReason": f"ECS deployment {identifier} {state.lower()}."}
    if latest.status in ("PENDING", "IN_PROGRESS", "ROLLBACK_REQUESTED", "STOP_REQUESTED"):
        return {"rolloutState": "IN_PROGRESS", "rolloutStateReason": f"ECS deployment {identifier} in progress."}
    return {"rolloutState": "FAILED", "rolloutStateReason": latest.reason}


def _task_counts(service: EcsService, arn: str, tasks: ServiceTasks, desired: int | None = None) -> JsonObject:
    return {
        "arn": arn,
        "requestedTaskCount": service.desired_count if desired is None else desired,
        "runningTaskCount": tasks.running_count(service.arn, arn),
        "pendingTaskCount": tasks.pending_count(service.arn, arn),
    }
