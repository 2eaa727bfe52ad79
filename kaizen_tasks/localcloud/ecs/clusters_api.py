"""ECS's operations on clusters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.ecs.clusters import DEFAULT_CLUSTER, Cluster
from kaizen_tasks.localcloud.ecs.ecs_errors import (
    check_count,
    invalid_parameter,
    missing,
    paginate,
    tag_list,
    tags_by_key,
)
from kaizen_tasks.localcloud.ecs.services import INACTIVE
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.ecs.clusters import ClusterStore
    from kaizen_tasks.localcloud.ecs.services import ServiceStore
    from kaizen_tasks.localcloud.ecs.tasks import TaskStore
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_SETTINGS = (
    *("settings", "configuration", "capacityProviders", "defaultCapacityProviderStrategy"),
    "serviceConnectDefaults",
)
_DEFAULTS = {
    "settings": [{"name": "containerInsights", "value": "disabled"}],
    "capacityProviders": [],
    "defaultCapacityProviderStrategy": [],
}
_MAX_DESCRIBED = _PAGE_SIZE = 100


class ClustersApi:
    """Create, describe, list, change and delete clusters."""

    clusters: ClusterStore
    services: ServiceStore
    tasks: TaskStore

    def create_cluster(self, request: JsonObject) -> JsonObject:
        """Create a cluster; return the existing one if there is one of that name."""
        name = request.get("clusterName", DEFAULT_CLUSTER)
        if not _NAME.fullmatch(name):
            raise invalid_parameter("Cluster name contains invalid characters.")
        with self.clusters.lock:
            cluster = self.clusters.find(name)
            if cluster is None or not cluster.is_active:
                cluster = self.clusters.put(
                    Cluster(
                        name=name,
                        arn=self.clusters.arn_of(name),
                        settings={member: request[member] for member in _SETTINGS if member in request},
                        tags=tags_by_key(request.get("tags", [])),
                    )
                )
        return {"cluster": self._describe_cluster(cluster, ("TAGS", "SETTINGS", "CONFIGURATIONS"))}

    def describe_clusters(self, request: JsonObject) -> JsonObject:
        """Describe clusters, also deleted ones."""
        references = request.get("clusters") or [DEFAULT_CLUSTER]
        check_count("clusters", references, _MAX_DESCRIBED)
        found = {reference: self.clusters.find(reference) for reference in references}
        fields = request.get("include", ())
        return {
            "clusters": [self._describe_cluster(cluster, fields) for cluster in found.values() if cluster],
            "failures": [
                missing(self.clusters.arn_of(reference)) for reference, cluster in found.items() if cluster is None
            ],
        }

    def list_clusters(self, request: JsonObject) -> JsonObject:
        """Return one page of the ARNs of the clusters."""
        clusters = [cluster for cluster in self.clusters.all() if cluster.is_active]
        page, next_page = paginate(clusters, request, page_size=_PAGE_SIZE)
        return {"clusterArns": [cluster.arn for cluster in page], **next_page}

    def update_cluster(self, request: JsonObject) -> JsonObject:
        """Change the configuration of a cluster."""
        return self._change_cluster(request)

    def update_cluster_settings(self, request: JsonObject) -> JsonObject:
        """Change the settings of a cluster."""
        return self._change_cluster(request)

    def put_cluster_capacity_providers(self, request: JsonObject) -> JsonObject:
        """Change the capacity providers of a cluster."""
        return self._change_cluster(request)

    def delete_cluster(self, request: JsonObject) -> JsonObject:
        """Delete a cluster without services and tasks; it stays visible as inactive."""
        with self.clusters.lock:
            cluster = self.clusters.require(request["cluster"])
            if self._count_services(cluster):
                message = "The Cluster cannot be deleted while Services are active."
                raise ServiceError("ClusterContainsServicesException", message)
            if any(task.cluster_arn == cluster.arn and not task.is_stopped for task in self.tasks.all()):
                message = "The Cluster cannot be deleted while Tasks are active."
                raise ServiceError("ClusterContainsTasksException", message)
            cluster = self.clusters.put(attrs.evolve(cluster, is_active=False))
        return {"cluster": self._describe_cluster(cluster, ())}

    def _count_services(self, cluster: Cluster) -> int:
        """Return how many services of a cluster are not deleted."""
        services = [service for service in self.services.all() if service.cluster_arn == cluster.arn]
        return sum(service.status != INACTIVE for service in services)

    def _change_cluster(self, request: JsonObject) -> JsonObject:
        changed = {member: request[member] for member in _SETTINGS if member in request}
        with self.clusters.lock:
            cluster = self.clusters.require(request["cluster"])
            cluster = self.clusters.put(attrs.evolve(cluster, settings={**cluster.settings, **changed}))
        return {"cluster": self._describe_cluster(cluster, ("SETTINGS", "CONFIGURATIONS"))}

    def _describe_cluster(self, cluster: Cluster, fields: tuple[str, ...]) -> JsonObject:
        """Return a cluster as ECS shows it; tags, settings and configuration only if they are asked for."""
        settings = _DEFAULTS | cluster.settings
        statuses = [task.last_status for task in self.tasks.all() if task.cluster_arn == cluster.arn]
        return {
            "clusterArn": cluster.arn,
            "clusterName": cluster.name,
            "status": "ACTIVE" if cluster.is_active else "INACTIVE",
            "registeredContainerInstancesCount": 0,
            "runningTasksCount": statuses.count("RUNNING"),
            "pendingTasksCount": statuses.count("PROVISIONING") + statuses.count("PENDING"),
            "activeServicesCount": self._count_services(cluster),
            "statistics": [],
            "tags": tag_list(cluster.tags) if "TAGS" in fields else [],
            "settings": settings["settings"] if "SETTINGS" in fields else [],
            "configuration": settings.get("configuration") if "CONFIGURATIONS" in fields else None,
            "capacityProviders": settings["capacityProviders"],
            "defaultCapacityProviderStrategy": settings["defaultCapacityProviderStrategy"],
            "serviceConnectDefaults": settings.get("serviceConnectDefaults"),
        }
