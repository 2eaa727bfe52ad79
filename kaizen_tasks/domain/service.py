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
        name: its name in the configuration.
        id: the platform's identifier (an ARN).
        status: as the platform names it: `RUNNING`, `OPERATION_IN_PROGRESS`, `PAUSED`.
        url: its own address, with a scheme.
        image: the image reference it is deployed from: `…/repository:latest`.
        auto_deploys: whether a moved tag starts a deployment by itself.
        fix: how to make a service deployable; empty when it is.
    """

    name: str
    id: str
    status: str
    url: str
    image: str
    auto_deploys: bool
    fix: str = ""

    def require_deployable(self) -> None:
        """Refuse a service that cannot start a deployment, now or after the operation in progress.

        Raises:
            Undeployable: it is paused, failed or deleted.
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
        state: as the platform names it: `IN_PROGRESS`, `SUCCEEDED`, `ROLLBACK_SUCCEEDED`.
        started_at: when it began, in UTC.
        finished_at: when it ended, in UTC; None while it runs, or when the platform does not report it.
    """

    id: str
    kind: str
    state: str
    started_at: datetime
    finished_at: datetime | None = None

    @property
    def deploys(self) -> bool:
        """Whether it deploys an image."""
        return self.kind in {"START_DEPLOYMENT", "UPDATE_SERVICE", "CREATE_SERVICE"}

    @property
    def succeeded(self) -> bool:
        """Whether it succeeded; the service's own status does not tell, it is `RUNNING` after a rollback as well."""
        return self.state == "SUCCEEDED"

    @property
    def has_failed(self) -> bool:
        """Whether it has ended without success."""
        return self.is_finished and not self.succeeded

    @property
    def is_finished(self) -> bool:
        """Whether its state is final."""
        return self.succeeded or self.state in {"FAILED", "ROLLBACK_SUCCEEDED", "ROLLBACK_FAILED"}

    @property
    def duration_seconds(self) -> float:
        """Seconds from start to end by the platform's clock; 0 when it does not report the end."""
        return max(0.0, (self.finished_at - self.started_at).total_seconds()) if self.finished_at else 0.0


def median_operation_seconds(operations: Iterable[Operation]) -> float:
    """Return the median seconds of the last successful deployments; 0 without any."""
    return recent_median(each.duration_seconds for each in operations if each.deploys and each.succeeded)
