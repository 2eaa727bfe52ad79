"""A service of the platform and the operations on it."""

from __future__ import annotations

from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.errors import NOTHING_CHANGED, Undeployable

if TYPE_CHECKING:
    from collections.abc import Iterable

MEDIAN_SAMPLE_SIZE = 5
"""Deployments that say how long the next one will take."""


@frozen(kw_only=True)
class Service:
    """A service as the platform describes it.

    Attributes:
        name: the name in the configuration.
        id: the platform's identifier (an ARN).
        status: the platform's word: `RUNNING`, `OPERATION_IN_PROGRESS`, `PAUSED`.
        url: its own address, with a scheme.
        image: the image reference that it follows: `…/repository:latest`.
        auto_deploys: whether a moved tag starts a deployment by itself.
        fix: what to do about a service that cannot deploy; empty for one that can.
    """

    name: str
    id: str
    status: str
    url: str
    image: str
    auto_deploys: bool
    fix: str = ""

    def require_deployable(self) -> None:
        """Go on only when a deployment can begin, now or once what is under way has ended.

        Raises:
            Undeployable: it is paused, or in no state to run anything.
        """
        if self.status not in {"RUNNING", "OPERATION_IN_PROGRESS"}:
            message = f"the service {self.name} cannot deploy: it is {self.status}"
            raise Undeployable(message, state=NOTHING_CHANGED, hint=self.fix)


@frozen(kw_only=True)
class Operation:
    """Something the platform does to a service.

    Attributes:
        id: the operation's identifier.
        kind: `START_DEPLOYMENT`, `UPDATE_SERVICE`.
        state: the platform's word: `IN_PROGRESS`, `SUCCEEDED`, `ROLLBACK_SUCCEEDED`.
        started_at: when it began, in UTC.
        finished_at: when it ended, in UTC; None while it is under way, or when the platform does not say.
    """

    id: str
    kind: str
    state: str
    started_at: datetime
    finished_at: datetime | None = None

    @property
    def deploys(self) -> bool:
        """Whether it brings a new image into service."""
        return self.kind in {"START_DEPLOYMENT", "UPDATE_SERVICE", "CREATE_SERVICE"}

    @property
    def succeeded(self) -> bool:
        """Whether it reached what it was started for; only `SUCCEEDED` says so.

        A service returns to `RUNNING` after a rollback as well, so its status proves nothing.
        """
        return self.state == "SUCCEEDED"

    @property
    def is_finished(self) -> bool:
        """Whether its state will not change any more."""
        return self.succeeded or self.state in {"FAILED", "ROLLBACK_SUCCEEDED", "ROLLBACK_FAILED"}

    @property
    def duration_seconds(self) -> float:
        """Seconds from its beginning to its end by the platform's clock; 0 when it does not say."""
        return max(0.0, (self.finished_at - self.started_at).total_seconds()) if self.finished_at else 0.0


def median_operation_seconds(operations: Iterable[Operation]) -> float:
    """Return the seconds that it usually takes to bring an image into service: a median, 0 when nobody knows."""
    durations = [
        operation.duration_seconds
        for operation in operations
        if operation.deploys and operation.succeeded and operation.duration_seconds > 0
    ]
    return median(durations[:MEDIAN_SAMPLE_SIZE]) if durations else 0.0
