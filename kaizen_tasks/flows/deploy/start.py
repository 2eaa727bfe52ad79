"""Starts one deployment, or finds the one that has started by itself."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain import polling
from kaizen_tasks.domain.release import StepLabel
from kaizen_tasks.domain.service import Operation, Service
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from kaizen_tasks.ports.clock import Clock

OperationPredicate = Callable[[Operation], bool]

AUTO_DEPLOY_WAIT_SECONDS = 20.0
"""Seconds within which auto-deployment is expected to notice a moved tag; unproven, AWS documents no bound."""

START_DEPLOYMENT = "START_DEPLOYMENT"
"""The kind of what a moved tag starts, and what we start; creating and changing a service are other people's acts."""

MAX_CLOCK_SKEW = timedelta(seconds=5)
"""How far this machine's clock may be ahead of the platform's."""

INITIAL_RETRY_SECONDS = 0.2
"""Seconds until the first look for a deployment that starts by itself, or until a busy service is asked again."""

MAX_INITIAL_RETRY_SECONDS = 3.0
"""The same on a platform whose deployments take minutes."""


@frozen(kw_only=True)
class DeploymentWaiter:
    """Waits for one service in the name of one step.

    Attributes:
        service: which, as it was in the beginning.
        release_name: the name of what is deployed.
        label: for whom progress is reported.
        tools: the outside world.
        deadline: when to give up, in elapsed seconds of the clock.
        typical_seconds: seconds that a deployment usually takes here.
    """

    service: Service
    release_name: str
    label: StepLabel
    tools: Tools
    deadline: float
    typical_seconds: float

    def report_progress(self, text: str) -> None:
        """Report progress."""
        self.tools.reporter.progress(self.label, text)

    def ticks(self, offsets: Iterator[float], *, started_monotonic: float | None = None) -> Iterator[None]:
        """Wait for one moment after the other; the last one is the deadline.

        Args:
            offsets: in seconds after the beginning.
            started_monotonic: when that was, in elapsed seconds of the clock; None means now.
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

    def find_operation(self, predicate: OperationPredicate) -> Operation | None:
        """Return the oldest of the operations that are meant: the first after the tag moved carries the release."""
        operations = self.tools.platform.list_operations(self.service)
        return next((operation for operation in reversed(operations) if predicate(operation)), None)


@frozen(kw_only=True)
class StartedDeployment:
    """A deployment that carries the release.

    Attributes:
        operation_id: the platform's identifier.
        started_monotonic: when it began, in elapsed seconds of our clock.
    """

    operation_id: str
    started_monotonic: float


def operation_started_after(intent_time: datetime, *, excluded_operations: Collection[str] = ()) -> OperationPredicate:
    """Choose the deployment that began after an intent was written down, by itself or by a start without an answer.

    Args:
        intent_time: when that was, by this machine's clock.
        excluded_operations: identifiers of operations that carry something else.
    """

    def carries_release(operation: Operation) -> bool:
        if operation.kind != START_DEPLOYMENT or operation.id in excluded_operations:
            return False
        ended_earlier = operation.finished_at is not None and operation.finished_at < intent_time
        return operation.started_at >= intent_time - MAX_CLOCK_SKEW and not ended_earlier

    return carries_release


def start_or_adopt(
    waiter: DeploymentWaiter, *, is_own: OperationPredicate, expects_auto_start: bool, may_have_started: bool = False
) -> StartedDeployment | None:
    """Return the deployment that carries the release; None when the service was busy to the end.

    Args:
        waiter: where, and for how long.
        is_own: tells our deployment from others: it may have begun without our knowing its identifier.
        expects_auto_start: whether a deployment is expected to start by itself, since a tag moved; then it is waited for
            before one is started, because two of them would race.
        may_have_started: whether an earlier run may have begun it.

    Raises:
        Undeployable: the service was paused meanwhile.
        NotFound: the service was deleted meanwhile.
    """
    clock, should_search, is_busy_reported = waiter.tools.clock, expects_auto_start or may_have_started, False
    called_at = clock.monotonic()
    earliest_start = called_at + (AUTO_DEPLOY_WAIT_SECONDS if expects_auto_start else 0.0)
    offsets = polling.retry_times(
        min(max(INITIAL_RETRY_SECONDS, waiter.typical_seconds / 50), MAX_INITIAL_RETRY_SECONDS), seed=waiter.service.id
    )
    if expects_auto_start:
        offsets = heapq.merge(
            (AUTO_DEPLOY_WAIT_SECONDS,), offsets
        )  # nobody waits longer than that for what may never come
    for _ in waiter.ticks(offsets if expects_auto_start and not may_have_started else _starting_now(offsets)):
        own_operation = waiter.find_operation(is_own) if should_search else None
        if own_operation is not None:
            return StartedDeployment(
                operation_id=own_operation.id,
                started_monotonic=max(called_at, clock.monotonic() - _age(own_operation, clock)),
            )
        should_search, now = True, clock.monotonic()
        if now < earliest_start:
            continue
        operation_id = waiter.tools.platform.start_deployment(waiter.service)
        if operation_id:
            return StartedDeployment(operation_id=operation_id, started_monotonic=now)
        if not is_busy_reported:
            waiter.report_progress(f"{waiter.service.name} is busy with another operation; waiting")
            is_busy_reported = True
    return None


def _age(operation: Operation, clock: Clock) -> float:
    """Return the seconds for which an operation has been under way, as far as the two clocks agree."""
    return max(0.0, (clock.now() - operation.started_at).total_seconds())


def _starting_now(offsets: Iterator[float]) -> Iterator[float]:
    yield 0.0
    yield from offsets
