"""How a deployment ended."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from kaizen_tasks.domain.ledger import Event

OLD_RELEASE_SERVING = "the old release is serving"
SERVICE_GONE = "the service that was deploying is gone"


@frozen(kw_only=True)
class DeploymentOutcome:
    """How a deployment ended, as far as it was observed.

    Attributes:
        event: what to record in the ledger: deployed, failed or abandoned.
        operation: the platform's identifier; empty when none was started.
        message: what went wrong; empty when it succeeded.
        state: what is serving.
        hint: what to do about it; empty when that depends on the app.
        duration_seconds: how long it took by the platform's clock; 0 when unknown.
        started_at: in UTC; None when the operation was never seen.
    """

    event: Event
    operation: str = ""
    message: str = ""
    state: str = OLD_RELEASE_SERVING
    hint: str = ""
    duration_seconds: float = 0.0
    started_at: datetime | None = None
