"""The operations of ECS that this project uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

Document = Mapping[str, Any]
"""A request or an answer, or a part of one, as boto3 has it."""


class EcsClient(Protocol):
    """The client of ECS; boto3's client has these methods."""

    def create_cluster(self, **request: object) -> Document:
        """Create a cluster, or return the one of that name."""

    def create_express_gateway_service(self, **request: object) -> Document:
        """Create a service in Express Mode."""

    def create_service(self, **request: object) -> Document:
        """Create a service."""

    def delete_express_gateway_service(self, **request: object) -> Document:
        """Delete a service in Express Mode."""

    def delete_service(self, **request: object) -> Document:
        """Delete a service."""

    def describe_express_gateway_service(self, **request: object) -> Document:
        """Return a service in Express Mode."""

    def describe_service_deployments(self, **request: object) -> Document:
        """Return up to 20 deployments of services."""

    def describe_service_revisions(self, **request: object) -> Document:
        """Return up to 20 revisions of services."""

    def describe_services(self, **request: object) -> Document:
        """Return up to 10 services of one cluster."""

    def describe_task_definition(self, **request: object) -> Document:
        """Return a task definition."""

    def describe_tasks(self, **request: object) -> Document:
        """Return up to 100 tasks of one cluster."""

    def list_clusters(self, **request: object) -> Document:
        """Return one page of the ARNs of the account's clusters."""

    def list_service_deployments(self, **request: object) -> Document:
        """Return one page of a service's deployments, newest first."""

    def list_services(self, **request: object) -> Document:
        """Return one page of the ARNs of a cluster's services."""

    def list_tasks(self, **request: object) -> Document:
        """Return one page of the ARNs of a cluster's tasks."""

    def register_task_definition(self, **request: object) -> Document:
        """Register a revision of a task definition."""

    def run_task(self, **request: object) -> Document:
        """Start tasks."""

    def stop_service_deployment(self, **request: object) -> Document:
        """Stop a deployment of a service."""

    def stop_task(self, **request: object) -> Document:
        """Stop a task."""

    def update_express_gateway_service(self, **request: object) -> Document:
        """Change a service in Express Mode."""

    def update_service(self, **request: object) -> Document:
        """Change a service."""
