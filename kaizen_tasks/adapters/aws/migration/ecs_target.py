"""ECS as the platform to which an environment moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.adapters.aws.ecs.cluster import Cluster
from kaizen_tasks.adapters.aws.migration import ecs_requests
from kaizen_tasks.adapters.aws.session import aws_errors
from kaizen_tasks.domain.migration.definition import CREATION_TAG
from kaizen_tasks.errors import Denied, NotFound, Refused, Unsupported
from kaizen_tasks.ports.migration import MigrationTarget

if TYPE_CHECKING:
    from kaizen_tasks.domain.migration.definition import ServiceDefinition
    from kaizen_tasks.domain.service import Service

MISSING_ROLE_CODES = frozenset({"NoSuchEntity", "NoSuchEntityException"})
EXISTING_GROUP_CODE = "ResourceAlreadyExistsException"


class EcsTarget(MigrationTarget):
    """The services of one cluster. Safe to use from several threads.

    Args:
        cluster: the cluster.
        is_express: whether services are those of Express Mode.
    """

    def __init__(self, cluster: Cluster, *, is_express: bool) -> None:
        self._cluster = cluster
        self._is_express = is_express

    def trusted_services(self, role: str) -> frozenset[str] | None:
        """Return the names of the AWS services that may assume a role; None if the credentials may not ask."""
        from botocore.exceptions import ClientError

        name = role.rpartition("/")[2]
        try:
            with aws_errors(f"read the role {name}"):
                try:
                    document = self._cluster.aws.iam().get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
                except ClientError as error:
                    if error.response["Error"]["Code"] not in MISSING_ROLE_CODES:
                        raise
                    raise NotFound(f"there is no role {name}") from error
        except (Denied, Unsupported):
            return None
        statements = document["Statement"]
        return frozenset(
            service
            for statement in (statements if isinstance(statements, list) else [statements])
            if statement.get("Effect") == "Allow"
            for service in _services(statement.get("Principal", {}))
        )

    def creation_tag(self, service: Service) -> str:
        """Return the value of the tag that services have which a migration has created; empty without one."""
        with self._cluster.errors(f"read the tags of {service.name}"):
            response = self._cluster.client.describe_services(
                cluster=self._cluster.name, services=[service.name], include=["TAGS"]
            )
        existing = [
            each for each in response["services"] if each["status"] != "INACTIVE"
        ]  # which is listed for a while
        if not existing:
            raise NotFound(f"there is no service {service.name}", hint=self._cluster.service_hint)
        tags = {tag.get("key"): tag.get("value", "") for tag in existing[0].get("tags", ())}
        return str(tags.get(CREATION_TAG, ""))

    def create_service(self, definition: ServiceDefinition) -> None:
        """Begin to create a service; one on Fargate gets its log group and its task definition first."""
        try:
            self._create(definition)
        except NotFound as error:
            command = f"aws ecs create-cluster --cluster-name {self._cluster.name}"
            raise NotFound(error.message, hint=f"create what is missing, such as the cluster: {command}") from error

    def _create(self, definition: ServiceDefinition) -> None:
        with self._cluster.errors(f"create the service {definition.name}", change_error=Refused):
            if self._is_express:
                request = ecs_requests.express_request(definition)
                self._cluster.retry_first_use(lambda: self._cluster.client.create_express_gateway_service(**request))
                return
            self._create_log_group(definition.log_group)
            registration = ecs_requests.task_definition_request(definition, region=self._cluster.aws.region)
            registered = self._cluster.retry_first_use(
                lambda: self._cluster.client.register_task_definition(**registration)
            )
            request = ecs_requests.service_request(definition, registered["taskDefinition"]["taskDefinitionArn"])
            self._cluster.retry_first_use(lambda: self._cluster.client.create_service(**request))

    def _create_log_group(self, name: str) -> None:
        from botocore.exceptions import ClientError

        try:
            self._cluster.aws.logs().create_log_group(logGroupName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != EXISTING_GROUP_CODE:
                raise

    def delete_service(self, service: Service) -> None:
        """Begin to delete a service; Express Mode deletes what it manages for it too."""
        client = self._cluster.client
        with self._cluster.errors(f"delete the service {service.name}", change_error=Refused):
            if self._is_express:
                client.delete_express_gateway_service(serviceArn=service.id)
            else:
                client.delete_service(cluster=self._cluster.name, service=service.name, force=True)


def _services(principal: object) -> list[str]:
    """Return the names of services in the principal of a statement: one text, or a list of them."""
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    return [services] if isinstance(services, str) else list(services)
