"""Follows one deployment to its end, whatever else happens on the service."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from kaizen_tasks.domain import duration, polling
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import NotFound, Unreachable
from kaizen_tasks.flows.deploy.start import DeploymentWaiter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.service import Operation

OLD_RELEASE_SERVING = "the old release is serving"
SERVICE_GONE = "the service that was deploying is gone"


@frozen(kw_only=True)
class DeploymentOutcome:
    """How a deployment ended, as far as it was followed.

    Attributes:
        event: what the ledger is to say: deployed, failed or abandoned.
        operation: the platform's identifier; empty when none was begun.
        message: in words, what went wrong; empty when it succeeded.
        state: in words, what is serving.
        hint: what to do about it; empty when that depends on the app.
        duration_seconds: seconds that it took by the platform's clock; 0 when it does not say.
        started_at: when it began, in UTC; None when it was never seen.
    """

    event: Event
    operation: str = ""
    message: str = ""
    state: str = OLD_RELEASE_SERVING
    hint: str = ""
    duration_seconds: float = 0.0
    started_at: datetime | None = None


def wait_for_operation(
    operation_id: str,
    waiter: DeploymentWaiter,
    *,
    started_monotonic: float | None = None,
    age_seconds: float = 0.0,
    missing_deadline: float | None = None,
) -> DeploymentOutcome:
    """Wait until this very operation has ended, and say how.

    The first look comes when it should be over. An operation that is missing from the list is waited for: the list is
    eventually consistent. A platform that cannot be reached for a while is no reason to give up either.

    Args:
        operation_id: the operation.
        waiter: where, and for how long.
        started_monotonic: when it began, in elapsed seconds of the clock; None means now.
        age_seconds: seconds for which it has been under way already; then it is looked at at once.
        missing_deadline: when to give up an operation that is missing, in elapsed seconds; else at the deadline.

    Raises:
        Denied: the credentials do not suffice any more.
        Unreachable: the platform could not be reached at the deadline either.
    """
    poller = _OperationPoller(
        operation_id=operation_id,
        waiter=waiter,
        missing_deadline=waiter.deadline if missing_deadline is None else missing_deadline,
    )
    offsets = polling.poll_times(waiter.typical_seconds, seed=operation_id)
    poller.announce()
    for _ in waiter.ticks(
        _remaining_offsets(offsets, age_seconds) if age_seconds else offsets, started_monotonic=started_monotonic
    ):
        outcome = poller.poll()
        if outcome is not None:
            return outcome
    return poller.give_up()


def _remaining_offsets(offsets: Iterator[float], age_seconds: float) -> Iterator[float]:
    """Yield now, and the moments that are still to come, from now on."""
    yield 0.0
    yield from (offset - age_seconds for offset in offsets if offset > age_seconds)


@define(kw_only=True)
class _OperationPoller:
    """One operation, and what has been seen of it.

    Attributes:
        state: its last state; empty as long as it was never listed.
        is_missing: whether it was missing when it was last looked for.
        lookup_error: why the last look failed; None when it did not.
    """

    _operation_id: str
    _waiter: DeploymentWaiter
    _missing_deadline: float
    state: str = ""
    is_missing: bool = False
    lookup_error: Unreachable | None = None
    _reported_state: str = ""
    _operation_started_at: datetime | None = None
    _polling_since: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._polling_since = self._waiter.tools.clock.monotonic()

    def announce(self) -> None:
        """Say that there may be nothing to say for a while."""
        estimate = (
            f", which usually takes {duration.format_duration(self._waiter.typical_seconds)}"
            if self._waiter.typical_seconds
            else ""
        )
        self._waiter.report_progress(f"{self._waiter.service.name} is deploying {self._waiter.release_name}{estimate}")

    def poll(self) -> DeploymentOutcome | None:
        """Look once; return the outcome when there is one."""
        try:
            operation = self._waiter.find_operation(lambda candidate: candidate.id == self._operation_id)
            self.lookup_error, self.is_missing = None, operation is None
            return self._handle_missing() if operation is None else self._outcome_of(operation)
        except Unreachable as error:
            self.lookup_error = error
            self._report_state("out of reach")
        except NotFound as error:
            return DeploymentOutcome(
                event=Event.ABANDONED,
                operation=self._operation_id,
                message=error.message,
                state=SERVICE_GONE,
                hint=error.hint,
            )
        return None

    def give_up(self) -> DeploymentOutcome:
        """Return the outcome at the deadline.

        Raises:
            Unreachable: nothing is known.
        """
        if self.lookup_error is not None:
            raise self.lookup_error
        if self.is_missing:
            return self._lost_outcome()
        return DeploymentOutcome(
            event=Event.FAILED,
            operation=self._operation_id,
            message=f"{self._subject} has not ended in {duration.format_duration(self._waited_seconds)}: {self.state}",
            state=f"{OLD_RELEASE_SERVING} until it does",
            hint="the same command goes on waiting, or begins anew when it has failed meanwhile",
            started_at=self._operation_started_at,
        )

    @property
    def _subject(self) -> str:
        return f"the deployment of {self._waiter.release_name} to {self._waiter.service.name}"

    @property
    def _waited_seconds(self) -> float:
        return self._waiter.tools.clock.monotonic() - self._polling_since

    def _outcome_of(self, operation: Operation) -> DeploymentOutcome | None:
        self.state, self._operation_started_at = operation.state, operation.started_at
        if not operation.is_finished:
            self._report_state(operation.state)
            return None
        failure = (
            f"{self._waiter.service.name} ended its deployment of {self._waiter.release_name} with {operation.state}"
        )
        return DeploymentOutcome(
            event=Event.DEPLOYED if operation.succeeded else Event.FAILED,
            operation=self._operation_id,
            message="" if operation.succeeded else failure,
            duration_seconds=operation.duration_seconds or self._waited_seconds,
            started_at=operation.started_at,
        )

    def _handle_missing(self) -> DeploymentOutcome | None:
        """Look at the service as well: one that was deleted, and perhaps created again, knows nothing of it."""
        name, identity = self._waiter.service.name, self._waiter.service.id
        if self._waiter.tools.platform.get_service(name).id != identity:
            raise NotFound(f"the service {name} was deleted and created again")
        if self._waiter.tools.clock.monotonic() >= self._missing_deadline:
            return self._lost_outcome()
        self._report_state("no longer in the list of operations" if self.state else "not in the list of operations yet")
        return None

    def _lost_outcome(self) -> DeploymentOutcome:
        verb_phrase = "is no longer in" if self.state else "never came into"
        return DeploymentOutcome(
            event=Event.ABANDONED,
            operation=self._operation_id,
            message=f"{self._subject} {verb_phrase} the list of operations",
            state="nobody knows what became of it",
            hint="the same command tries again",
        )

    def _report_state(self, state: str) -> None:
        """Report each state once."""
        if state != self._reported_state:
            self._waiter.report_progress(f"{state} after {duration.format_duration(self._waited_seconds)}")
            self._reported_state = state
