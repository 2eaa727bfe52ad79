"""A service of a platform, and the operations on it, in words that all platforms share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from kaizen_tasks.domain.polling import recent_median
from kaizen_tasks.errors import NOTHING_CHANGED, Undeployable


class ServiceStatus(StrEnum):
    """What a service can do."""

    RUNNING = "running"
    BUSY = "busy"  # with an operation; a deployment can wait for its end
    PAUSED = "paused"
    CREATION_FAILED = "creation failed"  # it has never run
    UNAVAILABLE = "unavailable"  # deleted, being deleted, or not to be deleted


class OperationState(StrEnum):
    """How far an operation has come."""

    PENDING = "pending"
    IN_PROGRESS = "in progress"  # a rollback by the platform among others, until it has ended
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # what is serving is not known
    ROLLED_BACK = "rolled back"  # by the platform: what was serving before is serving
    STOPPED = "stopped"  # by somebody
    SUPERSEDED = "superseded"  # by a later deployment, before its end


class OperationKind(StrEnum):
    """What an operation does."""

    DEPLOYMENT = "deployment"
    CREATION = "creation"
    UPDATE = "update"  # of the service's configuration, which deploys too
    PAUSE = "pause"
    DELETION = "deletion"
    OTHER = "other"


DEPLOYING_KINDS = frozenset({OperationKind.DEPLOYMENT, OperationKind.UPDATE, OperationKind.CREATION})


@frozen(kw_only=True)
class Service:
    """A service as the platform describes it.

    Attributes:
        name: the service's name in the configuration.
        id: the platform's identifier of the service (an ARN).
        status: what it can do.
        native_status: the status as the platform names it: `OPERATION_IN_PROGRESS`, `ACTIVE`.
        url: the URL that the platform assigns, with a scheme; empty if it assigns none.
        image: reference of the image that is configured: `host/repository:latest`, `host/repository@sha256:…`.
        running_digest: digest of the image that the platform says is running; empty when it does not say, or while
            there are several.
        auto_deploys: whether the platform starts a deployment when the followed tag is moved.
        fix: how to make the service deployable; empty when it is deployable.
    """

    name: str
    id: str
    status: ServiceStatus
    native_status: str
    url: str
    image: str
    running_digest: str = ""
    auto_deploys: bool = False
    fix: str = ""

    @property
    def image_reference(self) -> str:
        """The digest or the tag of the image that is configured; empty without any."""
        _, at, digest = self.image.partition("@")
        return digest if at else self.image.rpartition("/")[2].partition(":")[2]

    @property
    def is_deployable(self) -> bool:
        """Whether the service can start a deployment, now or after the operation in progress."""
        return self.status in {ServiceStatus.RUNNING, ServiceStatus.BUSY}

    def require_deployable(self) -> None:
        """Require that the service can start a deployment, now or after the operation in progress.

        Raises:
            Undeployable: the service is paused, failed or deleted.
        """
        if not self.is_deployable:
            message = f"the service {self.name} cannot deploy: it is {self.native_status}"
            raise Undeployable(message, state=NOTHING_CHANGED, hint=self.fix)


@frozen(kw_only=True)
class Operation:
    """An operation of the platform on a service.

    Attributes:
        id: the operation's identifier.
        kind: what it does.
        state: how far it has come.
        native_state: the state as the platform names it: `ROLLBACK_SUCCEEDED`, `SUCCESSFUL`.
        started_at: when the operation began, in UTC.
        finished_at: when the operation ended, in UTC; None while it runs, or when the platform reports no end.
        reason: why it ended as it did, in the platform's words; empty when it does not say.
        digest: digest of the image that it deploys; empty when the platform does not say.
    """

    id: str
    kind: OperationKind
    state: OperationState
    native_state: str
    started_at: datetime
    finished_at: datetime | None = None
    reason: str = ""
    digest: str = ""

    @property
    def deploys(self) -> bool:
        """Whether the operation deploys an image."""
        return self.kind in DEPLOYING_KINDS

    @property
    def succeeded(self) -> bool:
        """Whether the operation succeeded. A service's status cannot tell: it is the same after a rollback."""
        return self.state is OperationState.SUCCEEDED

    @property
    def has_failed(self) -> bool:
        """Whether the operation has ended without success."""
        return self.is_finished and not self.succeeded

    @property
    def is_finished(self) -> bool:
        """Whether the operation has ended."""
        return self.state not in {OperationState.PENDING, OperationState.IN_PROGRESS}

    @property
    def duration_seconds(self) -> float:
        """Seconds from start to end by the platform's clock; 0 when the platform reports no end."""
        return max(0.0, (self.finished_at - self.started_at).total_seconds()) if self.finished_at else 0.0


def median_operation_seconds(operations: Iterable[Operation]) -> float:
    """Return the median duration of the last successful deployments in seconds, or 0."""
    return recent_median(each.duration_seconds for each in operations if each.deploys and each.succeeded)
