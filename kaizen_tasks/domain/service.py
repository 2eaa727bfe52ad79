"""A service of the platform and the operations on it."""

from __future__ import annotations

from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.errors import Undeployable

if TYPE_CHECKING:
    from collections.abc import Iterable

RECENT = 5
"""Deployments that say how long the next one will take."""


@frozen(kw_only=True)
class Service:
    """A service as the platform describes it.

    Attributes:
        name: the name in the configuration.
        identity: the platform's identifier (an ARN).
        status: the platform's word: `RUNNING`, `OPERATION_IN_PROGRESS`, `PAUSED`.
        url: its own address, with a scheme.
        image: the image reference that it follows: `…/repository:latest`.
        auto_deploys: whether a moved tag starts a deployment by itself.
        way_out: what to do about a service that cannot deploy; empty for one that can.
    """

    name: str
    identity: str
    status: str
    url: str
    image: str
    auto_deploys: bool
    way_out: str = ""

    def demand_deployable(self) -> None:
        """Go on only when a deployment can begin, now or once what is under way has ended.

        Raises:
            Undeployable: it is paused, or in no state to run anything.
        """
        if self.status not in {"RUNNING", "OPERATION_IN_PROGRESS"}:
            what = f"the service {self.name} cannot deploy: it is {self.status}"
            raise Undeployable(what, state="nothing has been changed", hint=self.way_out)


@frozen(kw_only=True)
class Operation:
    """Something the platform does to a service.

    Attributes:
        identity: the operation's identifier.
        kind: `START_DEPLOYMENT`, `UPDATE_SERVICE`.
        state: the platform's word: `IN_PROGRESS`, `SUCCEEDED`, `ROLLBACK_SUCCEEDED`.
        started: when it began, in UTC.
        finished: when it ended, in UTC; None while it is under way, or when the platform does not say.
    """

    identity: str
    kind: str
    state: str
    started: datetime
    finished: datetime | None = None

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
    def ended(self) -> bool:
        """Whether its state will not change any more."""
        return self.succeeded or self.state in {"FAILED", "ROLLBACK_SUCCEEDED", "ROLLBACK_FAILED"}

    @property
    def took(self) -> float:
        """Seconds from its beginning to its end by the platform's clock; 0 when it does not say."""
        return max(0.0, (self.finished - self.started).total_seconds()) if self.finished else 0.0


def usual(operations: Iterable[Operation]) -> float:
    """Return the seconds that it usually takes to bring an image into service: a median, 0 when nobody knows."""
    took = [each.took for each in operations if each.deploys and each.succeeded and each.took > 0]
    return median(took[:RECENT]) if took else 0.0
