"""A service of the platform and the operations on it."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen


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
    """

    name: str
    identity: str
    status: str
    url: str
    image: str
    auto_deploys: bool


@frozen(kw_only=True)
class Operation:
    """Something the platform does to a service.

    Attributes:
        identity: the operation's identifier.
        kind: `START_DEPLOYMENT`, `UPDATE_SERVICE`.
        state: the platform's word: `IN_PROGRESS`, `SUCCEEDED`, `ROLLBACK_SUCCEEDED`.
        started: when it began, in UTC.
    """

    identity: str
    kind: str
    state: str
    started: datetime

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
