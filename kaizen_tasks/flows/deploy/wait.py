"""Waits for one deployment to end, whatever else happens on the service, and returns its outcome."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from attrs import Factory, define, frozen

from kaizen_tasks.domain import polling
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import StepLabel
from kaizen_tasks.domain.service import Operation, OperationState, Service, ServiceStatus
from kaizen_tasks.domain.text import duration
from kaizen_tasks.errors import NotFound, Unreachable
from kaizen_tasks.ports.platform import Platform
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

OLD_RELEASE_SERVING = "the old release is serving"
STATES_AFTER: Mapping[OperationState, str] = {
    OperationState.FAILED: "it was not rolled back, so what was serving may still serve, beside it",
    OperationState.STOPPED: "somebody has stopped it; the old release is serving, unless the stop left both",
    OperationState.SUPERSEDED: "the other deployment is left as it is",
}
"""What serves after an operation that ended in one of these states."""

HINTS_AFTER: Mapping[OperationState, str] = {
    OperationState.STOPPED: "ask who has stopped it, and why; to deploy it again, run the same command",
}
"""What to do after such an operation, where the app is not the reason."""

SERVICE_GONE = "the service that was deploying is gone"


@frozen(kw_only=True)
class DeploymentOutcome:
    """How a deployment ended, as far as it was observed.

    Attributes:
        event: what to record in the ledger: deployed, failed or abandoned.
        operation: the platform's identifier; empty when none was started.
        message: what went wrong; empty when it succeeded.
        state: what is serving.
        hint: what to do next; empty when that depends on the app.
        duration_seconds: how long it took by the platform's clock; 0 when unknown.
        started_at: when it started, in UTC; None when the operation was never seen, or its logs say nothing.
        is_superseded: whether somebody's later deployment has taken its place.
    """

    event: Event
    operation: str = ""
    message: str = ""
    state: str = OLD_RELEASE_SERVING
    hint: str = ""
    duration_seconds: float = 0.0
    started_at: datetime | None = None
    is_superseded: bool = False


@frozen(kw_only=True)
class DeploymentWaiter:
    """Polls one service on behalf of one step, up to a deadline.

    Attributes:
        platform: the platform that runs the service.
        service: the service as it was before the deployment.
        release_name: the release that is deployed.
        label: the step that progress is reported for.
        tools: the ports.
        deadline: when to give up, in monotonic seconds.
        typical_seconds: how long a deployment usually takes here; 0 when unknown.
    """

    platform: Platform
    service: Service
    release_name: str
    label: StepLabel
    tools: Tools
    deadline: float
    typical_seconds: float

    def report_progress(self, text: str, *, typical_seconds: float = 0) -> None:
        """Report progress of the step and, if it is known, how long the step usually takes."""
        self.tools.reporter.progress(self.label, text, typical_seconds=typical_seconds)

    def ticks(self, offsets: Iterator[float], *, started_monotonic: float | None = None) -> Iterator[None]:
        """Sleep until each offset in turn and yield, for the last time at the deadline.

        Args:
            offsets: when to yield, in seconds after the start.
            started_monotonic: the start, in monotonic seconds; None means now.
        """
        clock = self.tools.clock
        started_monotonic = clock.monotonic() if started_monotonic is None else started_monotonic
        for offset in offsets:
            remaining = min(started_monotonic + offset, self.deadline) - clock.monotonic()
            if remaining > 0:
                clock.sleep(remaining)
            yield
            if clock.monotonic() >= self.deadline:
                return

    def find_operation(self, predicate: Callable[[Operation], bool]) -> Operation | None:
        """Return the oldest matching operation or None: the first one after the tag moved carries the release."""
        operations = self.platform.list_operations(self.service)
        return next((operation for operation in reversed(operations) if predicate(operation)), None)


def wait_for_operation(
    operation_id: str,
    waiter: DeploymentWaiter,
    *,
    started_monotonic: float | None = None,
    age_seconds: float = 0.0,
    missing_deadline: float | None = None,
) -> DeploymentOutcome:
    """Wait until an operation has ended, and return its outcome.

    The first poll is when a deployment usually ends. An operation that is missing from the list is waited for, because
    the list is eventually consistent; so is a platform that cannot be reached.

    Args:
        operation_id: the platform's identifier.
        waiter: polls the service.
        started_monotonic: when the operation started, in monotonic seconds; None means now.
        age_seconds: how long the operation has been running already; if above zero, the first poll is immediate.
        missing_deadline: when to give up a missing operation, in monotonic seconds; None means at the deadline.

    Raises:
        Denied: the credentials no longer suffice.
        Unreachable: the platform could not be reached at the deadline.
    """
    deadline = waiter.deadline if missing_deadline is None else missing_deadline
    poller = _OperationPoller(operation_id=operation_id, waiter=waiter, missing_deadline=deadline)
    poller.announce()
    offsets = polling.poll_times(waiter.typical_seconds, seed=operation_id)
    if age_seconds:
        offsets = _remaining_offsets(offsets, age_seconds)
    for _ in waiter.ticks(offsets, started_monotonic=started_monotonic):
        outcome = poller.poll()
        if outcome is not None:
            return outcome
    return poller.give_up()


def _remaining_offsets(offsets: Iterator[float], age_seconds: float) -> Iterator[float]:
    """Yield zero, then the offsets that are still to come, relative to now."""
    yield 0.0
    yield from (offset - age_seconds for offset in offsets if offset > age_seconds)


@define(kw_only=True)
class _OperationPoller:
    """Polls one operation, and remembers the result of the last poll."""

    _operation_id: str
    _waiter: DeploymentWaiter
    _missing_deadline: float
    _last_state: str = ""  # empty as long as it was never listed
    _started_at: datetime | None = None
    _is_missing: bool = False
    _lookup_error: Unreachable | None = None
    _reported_state: str = ""
    _polling_since: float = Factory(lambda self: self._waiter.tools.clock.monotonic(), takes_self=True)

    def announce(self) -> None:
        """Report how long the deployment will probably take: there may be nothing else to report for a while."""
        text = f"{self._waiter.service.name} is deploying {self._waiter.release_name}"
        self._waiter.report_progress(text, typical_seconds=self._waiter.typical_seconds)

    def poll(self) -> DeploymentOutcome | None:
        try:
            operation = self._waiter.find_operation(lambda candidate: candidate.id == self._operation_id)
            self._lookup_error, self._is_missing = None, operation is None
            return self._handle_missing() if operation is None else self._handle_found(operation)
        except Unreachable as error:
            self._lookup_error = error
            self._report_state("out of reach")
        except NotFound as error:
            return self._unfinished_outcome(Event.ABANDONED, error.message, state=SERVICE_GONE, hint=error.hint)
        return None

    def give_up(self) -> DeploymentOutcome:
        """Return the outcome of an operation that has not ended by the deadline; raise if the last poll failed."""
        if self._lookup_error is not None:
            raise self._lookup_error
        if self._is_missing:
            return self._lost_outcome()
        return self._unfinished_outcome(
            Event.FAILED,
            f"{self._subject} has not ended in {duration.format_duration(self._waited_seconds)}: {self._last_state}",
            state=f"{OLD_RELEASE_SERVING} until it does",
            hint="run the same command again: it waits on, or starts over if the deployment has failed",
        )

    @property
    def _subject(self) -> str:
        return f"the deployment of {self._waiter.release_name} to {self._waiter.service.name}"

    @property
    def _waited_seconds(self) -> float:
        return self._waiter.tools.clock.monotonic() - self._polling_since

    def _handle_found(self, operation: Operation) -> DeploymentOutcome | None:
        self._last_state, self._started_at = operation.native_state, operation.started_at
        if not operation.is_finished:
            self._report_state(operation.native_state)
            return None
        if operation.state is OperationState.SUPERSEDED:
            return self._superseded_outcome(operation)
        if operation.state is OperationState.STOPPED:
            self._require_service()  # the deletion of a service stops its deployment
        service, release = self._waiter.service.name, self._waiter.release_name
        reason = f": {operation.reason}" if operation.reason else ""
        failure = f"{service} ended its deployment of {release} with {operation.native_state}{reason}"
        return DeploymentOutcome(
            event=Event.DEPLOYED if operation.succeeded else Event.FAILED,
            operation=self._operation_id,
            message="" if operation.succeeded else failure,
            state=STATES_AFTER.get(operation.state, OLD_RELEASE_SERVING),
            hint=HINTS_AFTER.get(operation.state, ""),
            duration_seconds=operation.duration_seconds or self._waited_seconds,
            started_at=operation.started_at,
        )

    def _superseded_outcome(self, operation: Operation) -> DeploymentOutcome:
        message = (
            f"another deployment has superseded that of {self._waiter.release_name} to {self._waiter.service.name}"
        )
        return DeploymentOutcome(
            event=Event.ABANDONED,
            operation=self._operation_id,
            message=f"{message}: {operation.reason}" if operation.reason else message,
            state=STATES_AFTER[operation.state],
            is_superseded=True,
        )

    def _handle_missing(self) -> DeploymentOutcome | None:
        """Return an outcome if a missing operation is given up, else None; raise if its service is gone."""
        self._require_service()
        if self._waiter.tools.clock.monotonic() >= self._missing_deadline:
            return self._lost_outcome()
        listing = "no longer in the list of operations" if self._last_state else "not in the list of operations yet"
        self._report_state(listing)
        return None

    def _require_service(self) -> None:
        """Raise `NotFound` if the service was deleted, is being deleted, or was created again."""
        service = self._waiter.service
        current = self._waiter.platform.get_service(service.name)
        if current.id != service.id:
            raise NotFound(f"the service {service.name} was deleted and created again")
        if current.status is ServiceStatus.UNAVAILABLE:
            message = f"the service {service.name} was deleted: it is {current.native_status}"
            raise NotFound(message, hint=current.fix or "create it again; then run the same command")

    def _lost_outcome(self) -> DeploymentOutcome:
        verb = "is no longer in" if self._last_state else "never came into"
        message, hint = f"{self._subject} {verb} the list of operations", "run the same command again"
        return self._unfinished_outcome(Event.ABANDONED, message, state="how it ended is unknown", hint=hint)

    def _unfinished_outcome(self, event: Event, message: str, *, state: str, hint: str) -> DeploymentOutcome:
        started_at = self._started_at if event is Event.FAILED else None
        return DeploymentOutcome(
            event=event, operation=self._operation_id, message=message, state=state, hint=hint, started_at=started_at
        )

    def _report_state(self, state: str) -> None:
        if state != self._reported_state:
            self._waiter.report_progress(f"{self._waiter.service.name}: {state}")
            self._reported_state = state
