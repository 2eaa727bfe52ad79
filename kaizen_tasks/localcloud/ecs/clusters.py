"""Clusters, each stored as one JSON file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.ecs.ecs_errors import cluster_not_found
from kaizen_tasks.localcloud.server.http_message import JsonObject
from kaizen_tasks.localcloud.state.values import ValueStore

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_CLUSTER = "default"


@attrs.frozen(kw_only=True)
class Cluster:
    """A cluster.

    Args:
        name: its name.
        arn: its ARN.
        settings: the members of CreateCluster that it was created with, but its name and tags.
        tags: its tags.
        is_active: whether it has not been deleted.
    """

    name: str
    arn: str
    settings: JsonObject
    tags: dict[str, str]
    is_active: bool = True


class ClusterStore:
    """The clusters of an account and region, of which one named `default` always exists.

    Args:
        folder: the folder of their files.
        prefix: what the ARNs of ECS begin with, such as `arn:aws:ecs:eu-west-1:123456789012`.
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        self._prefix = prefix
        self._clusters = ValueStore(folder, lambda document: Cluster(**document), key=lambda cluster: cluster.arn)
        self.lock = self._clusters.lock
        if self.find(DEFAULT_CLUSTER) is None:
            settings = {"capacityProviders": ["FARGATE", "FARGATE_SPOT"]}
            self.put(Cluster(name=DEFAULT_CLUSTER, arn=self.arn_of(DEFAULT_CLUSTER), settings=settings, tags={}))

    def arn_of(self, reference: str) -> str:
        """Return the ARN of a cluster's name; an ARN stays as it is."""
        return reference if reference.startswith("arn:") else f"{self._prefix}:cluster/{reference}"

    def all(self) -> tuple[Cluster, ...]:
        """Return all clusters, oldest first, also deleted ones."""
        return self._clusters.all()

    def find(self, reference: str) -> Cluster | None:
        """Return a cluster by its name or ARN, even if it is deleted; None if there is none."""
        try:
            return self._clusters.get(self.arn_of(reference))
        except KeyError:
            return None

    def require(self, reference: str | None) -> Cluster:
        """Return an active cluster by its name or ARN; the one named `default` if a request names none.

        Raises:
            ServiceError: there is none, or it is deleted.
        """
        cluster = self.find(reference or DEFAULT_CLUSTER)
        if cluster is None:
            raise cluster_not_found()
        if not cluster.is_active:
            raise cluster_not_found("The referenced cluster was inactive.")
        return cluster

    def put(self, cluster: Cluster) -> Cluster:
        """Save a cluster and return it; hold `lock` from reading the old value to saving the new one."""
        return self._clusters.put(cluster)
