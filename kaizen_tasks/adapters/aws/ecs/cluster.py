"""A cluster, and the translation of ECS's errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from attrs import frozen

from kaizen_tasks.adapters.aws.ecs import assumptions
from kaizen_tasks.adapters.aws.session import Aws, aws_errors
from kaizen_tasks.errors import ClusterMissing, KaizenError, NotFound
from kaizen_tasks.ports.clock import Clock

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

    from kaizen_tasks.adapters.aws.clients import EcsClient

T = TypeVar("T")
MISSING_CLUSTER_CODE = "ClusterNotFoundException"
MISSING_CODES = frozenset({"ServiceNotActiveException", "ServiceNotFoundException", "ResourceNotFoundException"})
MISSING_MESSAGES = ("Resource not found", "Unable to describe task definition")
"""Messages for what does not exist, of InvalidParameterException and ClientException."""


@frozen
class Cluster:
    """A cluster of ECS in one account and region.

    Attributes:
        aws: connects to the account.
        name: the cluster's name.
        clock: waits between repeated requests.
    """

    aws: Aws
    name: str
    clock: Clock

    @property
    def client(self) -> EcsClient:
        """The client of ECS."""
        return self.aws.ecs()

    def service_arn(self, service: str) -> str:
        """Return the ARN of a service; Express services can be read by that alone."""
        partition = self.aws.principal().split(":")[1]
        return f"arn:{partition}:ecs:{self.aws.region}:{self.aws.account_id()}:service/{self.name}/{service}"

    @property
    def service_hint(self) -> str:
        """What to do when a service is missing."""
        return f"create it in the cluster {self.name}, or correct `service` and `cluster` in the configuration"

    def _missing_error(self) -> ClusterMissing:
        create_command = f"aws ecs create-cluster --cluster-name {self.name} --region {self.aws.region}"
        return ClusterMissing(
            f"there is no cluster {self.name} in {self.aws.region}",
            hint=f"correct `cluster` in the configuration, or create it: {create_command}",
        )

    @contextmanager
    def errors(self, action: str, *, change_error: type[KaizenError] | None = None) -> Iterator[None]:
        """Translate the errors of requests; see `aws_errors`.

        What ECS says is missing is `NotFound`, a missing cluster is `ClusterMissing`.
        """
        from botocore.exceptions import ClientError

        with aws_errors(action, change_error=change_error, not_found_hint=self.service_hint):
            try:
                yield
            except ClientError as error:
                if error.response["Error"]["Code"] == MISSING_CLUSTER_CODE:
                    raise self._missing_error() from error
                if not _is_missing(error):
                    raise
                details = error.response["Error"]
                message = f"cannot {action}: {details['Code']}: {details.get('Message', '')}"
                raise NotFound(message, hint=self.service_hint) from error

    def retry_first_use(self, request: Callable[[], T]) -> T:
        """Send a request, again and again for two minutes while roles that are new to ECS do not work yet."""
        from botocore.exceptions import ClientError

        deadline = self.clock.monotonic() + assumptions.FIRST_USE_SECONDS
        while True:
            try:
                return request()
            except ClientError as error:
                message = error.response["Error"].get("Message", "")
                is_first_use = any(part.lower() in message.lower() for part in assumptions.FIRST_USE_MESSAGES)
                if not is_first_use or self.clock.monotonic() >= deadline:
                    raise
            self.clock.sleep(assumptions.FIRST_USE_INTERVAL_SECONDS)


def _is_missing(error: ClientError) -> bool:
    details = error.response["Error"]
    return details["Code"] in MISSING_CODES or any(part in details.get("Message", "") for part in MISSING_MESSAGES)
