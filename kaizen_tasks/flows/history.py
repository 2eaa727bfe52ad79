"""Reads the history of environments from the ledger, with concurrent requests."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.deployments import Deployment, group_deployments
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import LedgerEntry
from kaizen_tasks.flows.parallel import map_parallel

if TYPE_CHECKING:
    from kaizen_tasks.ports.tools import Tools

MAX_CONCURRENT_READS = 64
"""Number of worker threads. Each waits for DynamoDB most of the time."""

ENTRIES_PER_DEPLOYMENT = 4
"""How many entries of the ledger a deployment has at most: a rollback has its cause, and three as any other."""


def read_history(
    environments: Sequence[Environment], tools: Tools, *, since: datetime
) -> dict[str, tuple[LedgerEntry, ...]]:
    """Return the entries of each environment since a time, newest first, by the environment's name.

    A deployment that began before that time has only its later entries here.
    """
    names = [environment.name for environment in environments]
    read = partial(tools.ledger.entries_since, since=since)
    return dict(zip(names, map_parallel(read, names, max_workers=MAX_CONCURRENT_READS), strict=True))


def collect_deployments(environments: Sequence[Environment], tools: Tools, *, limit: int) -> tuple[Deployment, ...]:
    """Return the last deployments to each environment as one history, the one that began last first."""

    def read(environment: Environment) -> tuple[Deployment, ...]:
        entries = tools.ledger.entries(environment.name, limit=limit * ENTRIES_PER_DEPLOYMENT)
        return group_deployments(entries)[:limit]

    histories = map_parallel(read, environments, max_workers=MAX_CONCURRENT_READS)
    return tuple(heapq.merge(*histories, key=lambda deployment: deployment.first.at, reverse=True))


def collect_history(environments: Sequence[Environment], tools: Tools, *, limit: int) -> tuple[LedgerEntry, ...]:
    """Return the last entries of each environment as one history, newest first.

    The clocks of those who wrote the entries may differ, so the times only decide between environments.
    """
    names, read_entries = [environment.name for environment in environments], partial(tools.ledger.entries, limit=limit)
    histories = map_parallel(read_entries, names, max_workers=MAX_CONCURRENT_READS)
    return tuple(heapq.merge(*histories, key=lambda entry: entry.at, reverse=True))
