"""Stops a deployment that nobody waits for any more, where the platform can do that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain import polling
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaizen_tasks.domain.service import Operation
    from kaizen_tasks.flows.deploy.wait import DeploymentWaiter


def stop_deployment(operation_id: str, operations: Iterable[Operation], waiter: DeploymentWaiter) -> bool:
    """Have the platform roll back a deployment in progress, and wait for its end; return whether it was stopped.

    Without that, another deployment has to wait for the end of one that may never come.

    Args:
        operation_id: the deployment.
        operations: the service's operations.
        waiter: polls the service.
    """
    operation = next((each for each in operations if each.id == operation_id and not each.is_finished), None)
    if operation is None:
        return False
    try:
        waiter.platform.stop_deployment(waiter.service, operation_id)
    except Refused:  # the platform cannot stop a deployment, or it has ended meanwhile
        return False
    waiter.report_progress(f"{waiter.service.name}: stopping the deployment that was in progress")
    for _ in waiter.ticks(polling.retry_times(polling.MIN_INTERVAL, seed=operation_id)):
        latest = waiter.find_operation(lambda candidate: candidate.id == operation_id)
        if latest is None or latest.is_finished:
            break
    return True
