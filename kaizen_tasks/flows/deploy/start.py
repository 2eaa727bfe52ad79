"""Starts one deployment, or adopts the one that has started by itself."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain import polling
from kaizen_tasks.domain.service import Operation, OperationKind

if TYPE_CHECKING:
    from kaizen_tasks.domain.ledger import LedgerEntry
    from kaizen_tasks.flows.deploy.wait import DeploymentWaiter

OperationPredicate = Callable[[Operation], bool]

AUTO_DEPLOY_WAIT_SECONDS = 20.0
"""Seconds within which auto-deployment is expected to notice a moved tag; an assumption, AWS documents no bound."""

MAX_CLOCK_SKEW = timedelta(seconds=5)
"""How far this machine's clock may be ahead of the platform's."""

MAX_CLOCK_ERROR = timedelta(seconds=1)
"""How far the time of AWS may be ahead of the platform's as we know it, from a header that is truncated to seconds."""

INITIAL_RETRY_SECONDS = 0.2
"""Seconds until the first search for a deployment that starts by itself, or until a busy service is retried."""

MAX_INITIAL_RETRY_SECONDS = 3.0
"""The longest of these first delays, on a platform whose deployments take minutes."""


@frozen(kw_only=True)
class StartedDeployment:
    """A deployment that carries the release.

    Attributes:
        operation_id: the platform's identifier.
        started_monotonic: when it started, in monotonic seconds of our clock.
    """

    operation_id: str
    started_monotonic: float


def operation_started_after(intent: LedgerEntry, *, excluded_operations: Collection[str] = ()) -> OperationPredicate:
    """Return a predicate for deployments of an intent's image that started after it was recorded.

    Such a deployment started by itself, or we started it without receiving the answer. Not every platform says which
    image an operation deploys.

    Args:
        intent: the entry of the ledger that says what will be deployed.
        excluded_operations: identifiers of operations that do not carry the release.
    """

    def carries_release(operation: Operation) -> bool:
        if operation.kind is not OperationKind.DEPLOYMENT or operation.id in excluded_operations:
            return False
        if operation.digest not in {"", intent.digest}:
            return False
        ended_earlier = operation.finished_at is not None and operation.finished_at < intent.at - MAX_CLOCK_ERROR
        return operation.started_at >= intent.at - MAX_CLOCK_SKEW and not ended_earlier

    return carries_release


def start_or_adopt(
    waiter: DeploymentWaiter,
    image: str,
    *,
    is_own: OperationPredicate,
    expects_auto_start: bool,
    may_have_started: bool = False,
) -> StartedDeployment | None:
    """Return the deployment that carries the release; None when the service stayed busy until the deadline.

    At the deadline, one whose answer was lost is looked for a last time, and none is started: its end is not awaited.

    Args:
        waiter: polls the service.
        image: reference of the image that is deployed; see `Platform.start_deployment`.
        is_own: recognises a deployment that started without our knowing its identifier.
        expects_auto_start: whether a deployment should start by itself because the tag moved. We wait for that one
            before we start our own, because two would race.
        may_have_started: whether an earlier run may have started a deployment.

    Raises:
        Undeployable: the service was paused in the meantime.
        NotFound: the service was deleted in the meantime.
    """
    clock = waiter.tools.clock
    called_at = clock.monotonic()
    earliest_start = called_at + (AUTO_DEPLOY_WAIT_SECONDS if expects_auto_start else 0.0)
    should_search, has_tried = expects_auto_start or may_have_started, False
    offsets = _attempt_offsets(waiter, expects_auto_start=expects_auto_start, may_have_started=may_have_started)
    for _ in waiter.ticks(offsets):
        own_operation = waiter.find_operation(is_own) if should_search else None
        if own_operation is not None:
            age = max(0.0, (clock.now() - own_operation.started_at).total_seconds())  # as far as the two clocks agree
            started_monotonic = max(called_at, clock.monotonic() - age)
            return StartedDeployment(operation_id=own_operation.id, started_monotonic=started_monotonic)
        should_search, now = True, clock.monotonic()
        if now < earliest_start or (has_tried and now >= waiter.deadline):
            continue
        operation_id = waiter.platform.start_deployment(waiter.service, image)
        if operation_id:
            return StartedDeployment(operation_id=operation_id, started_monotonic=now)
        if not has_tried:
            waiter.report_progress(f"{waiter.service.name} is busy, or its answer was lost; waiting")
            has_tried = True
    return None


def _attempt_offsets(waiter: DeploymentWaiter, *, expects_auto_start: bool, may_have_started: bool) -> Iterator[float]:
    """Yield the seconds after which to search and start, among them the end of the wait for an automatic start."""
    initial_delay = min(max(INITIAL_RETRY_SECONDS, waiter.typical_seconds / 50), MAX_INITIAL_RETRY_SECONDS)
    retries = polling.retry_times(initial_delay, seed=waiter.service.id)
    if may_have_started or not expects_auto_start:
        yield 0.0
    yield from heapq.merge((AUTO_DEPLOY_WAIT_SECONDS,), retries) if expects_auto_start else retries
