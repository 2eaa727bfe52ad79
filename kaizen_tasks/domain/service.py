"""A service of a platform, and the operations on it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from attrs import frozen

from kaizen_tasks.domain.polling import recent_median
from kaizen_tasks.errors import NOTHING_CHANGED, Undeployable


@frozen(kw_only=True)
class Service:
    """A service as the platform describes it.

    Attributes:
        name: the service's name in the configuration.
        id: the platform's identifier of the service (an ARN).
        status: the status as the platform names it: `RUNNING`, `OPERATION_IN_PROGRESS`, `PAUSED`.
        url: the URL that the platform assigns, with a scheme.
        image: reference of the image that is deployed, with the followed tag: `…/repository:latest`.
        auto_deploys: whether the platform starts a deployment when the tag is moved.
        fix: how to make the service deployable; empty when it is deployable.
    """

    name: str
    id: str
    status: str
    url: str
    image: str
    auto_deploys: bool
    fix: str = ""

    def require_deployable(self) -> None:
        """Require that the service can start a deployment, now or after the operation in progress.

        Raises:
            Undeployable: the service is paused, failed or deleted.
        """
        if self.status not in {"RUNNING", "OPERATION_IN_PROGRESS"}:
            message = f"the service {self.name} cannot deploy: it is {self.status}"
            raise Undeployable(message, state=NOTHING_CHANGED, hint=self.fix)


@frozen(kw_only=True)
class Operation:
    """An operation of the platform on a service.

    Attributes:
        id: the operation's identifier.
        kind: `START_DEPLOYMENT`, `UPDATE_SERVICE`.
        state: the state as the platform names it: `IN_PROGRESS`, `SUCCEEDED`, `ROLLBACK_SUCCEEDED`.
        started_at: when the operation began, in UTC.
        finished_at: when the operation ended, in UTC; None while it runs, or when the platform reports no end.
    """

    id: str
    kind: str
    state: str
    started_at: datetime
    finished_at: datetime | None = None

    @property
    def deploys(self) -> bool:
        """Whether the operation deploys an image."""
        return self.kind in {"START_DEPLOYMENT", "UPDATE_SERVICE", "CREATE_SERVICE"}

    @property
    def succeeded(self) -> bool:
        """Whether the operation succeeded. A service's status cannot tell: it is `RUNNING` after a rollback as well."""
        return self.state == "SUCCEEDED"

    @property
    def has_failed(self) -> bool:
        """Whether the operation has ended without success."""
        return self.is_finished and not self.succeeded

    @property
    def is_finished(self) -> bool:
        """Whether the operation has ended."""
        return self.succeeded or self.state in {"FAILED", "ROLLBACK_SUCCEEDED", "ROLLBACK_FAILED"}

    @property
    def duration_seconds(self) -> float:
        """Seconds from start to end by the platform's clock; 0 when the platform reports no end."""
        return max(0.0, (self.finished_at - self.started_at).total_seconds()) if self.finished_at else 0.0


def median_operation_seconds(operations: Iterable[Operation]) -> float:
    """Return the median duration of the last successful deployments in seconds, or 0."""
    return recent_median(each.duration_seconds for each in operations if each.deploys and each.succeeded)
