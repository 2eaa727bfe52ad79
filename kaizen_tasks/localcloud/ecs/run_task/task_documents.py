"""Tasks as the API shows them."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.ecs.ecs_errors import tag_list
from kaizen_tasks.localcloud.ecs.tasks import PROVISIONING, STOPPED

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.ecs.tasks import Task, TaskContainer
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_ADDRESS = "127.0.0.1"
_ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64"}
_ATTACHMENT_STATUSES = {PROVISIONING: "PRECREATED", STOPPED: "DELETED"}
_STORAGE_GIB = 20


def describe_task(task: Task, *, region: str, with_tags: bool) -> JsonObject:
    """Return a task as ECS shows it; its tags only if they are asked for."""
    architecture = _ARCHITECTURES.get(platform.machine(), "x86_64")
    return {
        "taskArn": task.arn,
        "taskDefinitionArn": task.definition_arn,
        "clusterArn": task.cluster_arn,
        "group": task.group,
        "startedBy": task.started_by or None,
        "launchType": task.launch_type,
        "capacityProviderName": task.capacity_provider or None,
        "platformVersion": _platform_version(task),
        "platformFamily": "Linux",
        "availabilityZone": f"{region}a",
        "attributes": [{"name": "ecs.cpu-architecture", "value": architecture}],
        "attachments": [_network_interface(task)] if task.network else [],
        "cpu": task.cpu,
        "memory": task.memory,
        "ephemeralStorage": task.options.get("ephemeralStorage", {"sizeInGiB": _STORAGE_GIB}),
        "enableExecuteCommand": task.options.get("enableExecuteCommand", False),
        "overrides": _overrides(task),
        "containers": [_describe_container(task, container) for container in task.containers],
        "lastStatus": task.last_status,
        "desiredStatus": task.desired_status,
        "healthStatus": "UNKNOWN",
        "connectivity": "CONNECTED" if "connectivityAt" in task.times else None,
        "stopCode": task.stop_code or None,
        "stoppedReason": task.stopped_reason or None,
        "createdAt": task.created,
        **task.times,
        "tags": tag_list(task.tags) if with_tags else [],
        "version": task.version,
    }


def _platform_version(task: Task) -> str:
    version = task.options.get("platformVersion", "LATEST")
    return "1.4.0" if version == "LATEST" else str(version)


def _overrides(task: Task) -> JsonObject:
    """Return the overrides of a task, with an entry for each container."""
    entries = task.overrides.get("containerOverrides", ())
    names = {entry["name"] for entry in entries}
    others = [{"name": container.name} for container in task.containers if container.name not in names]
    return {"inferenceAcceleratorOverrides": [], **task.overrides, "containerOverrides": [*entries, *others]}


def _network_interface(task: Task) -> JsonObject:
    """Return the network interface of a task: that of this machine."""
    details = {
        "subnetId": task.network["subnets"][0],
        "networkInterfaceId": f"eni-{task.id[:17]}",
        "macAddress": "00:00:00:00:00:00",
        "privateDnsName": "localhost",
        "privateIPv4Address": _ADDRESS,
    }
    return {
        "id": _attachment_id(task),
        "type": "ElasticNetworkInterface",
        "status": _ATTACHMENT_STATUSES.get(task.last_status, "ATTACHED"),
        "details": [{"name": name, "value": value} for name, value in details.items()],
    }


def _attachment_id(task: Task) -> str:
    return "-".join((task.id[:8], task.id[8:12], task.id[12:16], task.id[16:20], task.id[20:]))


def _describe_container(task: Task, container: TaskContainer) -> JsonObject:
    path = task.arn.rpartition(":task/")
    return {
        "containerArn": f"{path[0]}:container/{path[2]}/{container.id}",
        "taskArn": task.arn,
        "name": container.name,
        "image": container.image,
        "imageDigest": container.image_digest or None,
        "runtimeId": container.runtime_id or None,
        "lastStatus": container.last_status,
        "exitCode": container.exit_code,
        "reason": container.reason or None,
        "networkBindings": [],
        "networkInterfaces": [{"attachmentId": _attachment_id(task), "privateIpv4Address": _ADDRESS}]
        if task.network
        else [],
        "healthStatus": "UNKNOWN",
        **container.size,
    }
