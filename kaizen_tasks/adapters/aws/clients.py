"""Clients whose type stubs are not installed, with the operations that this project uses; boto3's have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

Document = Mapping[str, Any]
"""A request or an answer, or a part of one, as boto3 has it."""


class EcsClient(Protocol):
    """The client of ECS."""

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


class IamClient(Protocol):
    """The client of IAM."""

    def simulate_principal_policy(self, **request: object) -> Document:
        """Return one page of the simulator's results."""

    def get_role(self, *, RoleName: str) -> Document:  # noqa: N803 - boto3's spelling
        """Return a role with its full ARN."""


class LogsClient(Protocol):
    """The client of CloudWatch Logs."""

    def describe_log_streams(self, **request: object) -> Document:
        """Return one page of a log group's streams."""

    def create_log_group(self, **request: object) -> Document:
        """Create a log group."""

    def filter_log_events(self, **request: object) -> Document:
        """Return one page of a group's events, oldest first."""

    def get_log_events(self, **request: object) -> Document:
        """Return one page of a stream's events, oldest first."""
