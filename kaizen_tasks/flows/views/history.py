"""Reads the history of environments from the ledger, with concurrent requests."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING

from attrs import frozen
from semver import Version

from kaizen_tasks.domain.deployments import Deployment, group_deployments
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import LedgerEntry
from kaizen_tasks.domain.version import image_tag
from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows.parallel import map_parallel

if TYPE_CHECKING:
    from kaizen_tasks.ports.tools import Tools

MAX_CONCURRENT_READS = 64
"""Number of worker threads. Each waits for DynamoDB most of the time."""

ENTRIES_PER_DEPLOYMENT = 4
"""How many entries of the ledger a deployment has at most: a rollback has its cause, and three as any other."""


BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Before any entry."""

LONGEST_DEPLOYMENT = timedelta(days=1)
"""How long before a span a deployment may have begun that ended in it."""

DEFAULT_LIMIT = 20
"""How many deployments of each environment are shown, unless a span or a release is asked for."""


@frozen(kw_only=True)
class HistoryFilter:
    """Which part of the history is asked for.

    Attributes:
        limit: how many deployments, or entries, of each environment at most; 0 for the default.
        since: from when on; None for any time.
        release: of which release; None for all.
    """

    limit: int = 0
    since: datetime | None = None
    release: Version | None = None

    @property
    def name(self) -> str:
        """The release as the ledger has it: `v1.2.3`; empty for all."""
        return image_tag(self.release) if self.release is not None else ""

    @property
    def is_span(self) -> bool:
        """Whether the history is read as a whole, or since a time."""
        return self.since is not None or self.release is not None

    def entries(self, entries: Sequence[LedgerEntry]) -> tuple[LedgerEntry, ...]:
        """Return the entries of an environment that are asked for."""
        return tuple(entry for entry in entries if self._has(entry, entry.at))[: self.limit or None]

    def deployments(self, entries: Sequence[LedgerEntry]) -> tuple[Deployment, ...]:
        """Return the deployments to an environment that are asked for: all that ended in the span."""
        deployments = group_deployments(entries)
        return tuple(each for each in deployments if self._has(each.last, each.last.at))[: self.limit or None]

    def _has(self, entry: LedgerEntry, at: datetime) -> bool:
        return self.name in {"", entry.version} and (self.since is None or at >= self.since)


def read_history(
    environments: Sequence[Environment], tools: Tools, *, since: datetime
) -> dict[str, tuple[LedgerEntry, ...]]:
    """Return the entries of each environment since a time, newest first, by the environment's name.

    A deployment that began before that time has only its later entries here.
    """
    names = [environment.name for environment in environments]
    read = partial(tools.ledger.entries_since, since=since)
    return dict(zip(names, map_parallel(read, names, max_workers=MAX_CONCURRENT_READS), strict=True))


def read_span(
    environments: Sequence[Environment], tools: Tools, wanted: HistoryFilter
) -> dict[str, tuple[LedgerEntry, ...]]:
    """Return the entries of each environment that a filter may want, newest first, by the environment's name.

    Raises:
        UsageError: no environment ever had the release; the nearest one is in the hint.
    """
    if wanted.release is None and wanted.since is not None:
        return read_history(environments, tools, since=wanted.since - LONGEST_DEPLOYMENT)
    entries = read_history(environments, tools, since=BEGINNING)
    if wanted.release is not None:
        _require_known(wanted.name, entries)
    return entries


def _require_known(name: str, entries: Mapping[str, Sequence[LedgerEntry]]) -> None:
    versions = dict.fromkeys(entry.version for history in entries.values() for entry in history)
    if name not in versions:
        environments = next(iter(entries)) if len(entries) == 1 else f"{len(entries)} environments"
        nearest = tuple(get_close_matches(name, versions, n=1))
        hint = f"the nearest one is {nearest[0]}" if nearest else "see which ones are: inv history"
        raise UsageError(f"{name} is not in the history of {environments}", hint=hint, wrong=name, right=nearest)


def collect_deployments(
    environments: Sequence[Environment], tools: Tools, wanted: HistoryFilter
) -> tuple[Deployment, ...]:
    """Return the deployments to each environment as one history, the one that began last first.

    Raises:
        UsageError: no environment ever had the release that is asked for.
    """
    limit = wanted.limit or DEFAULT_LIMIT

    def read(environment: Environment) -> tuple[Deployment, ...]:
        entries = tools.ledger.entries(environment.name, limit=limit * ENTRIES_PER_DEPLOYMENT)
        return group_deployments(entries)[:limit]

    if wanted.is_span:
        histories = tuple(map(wanted.deployments, read_span(environments, tools, wanted).values()))
    else:
        histories = map_parallel(read, environments, max_workers=MAX_CONCURRENT_READS)
    return tuple(heapq.merge(*histories, key=lambda deployment: deployment.first.at, reverse=True))


def collect_history(
    environments: Sequence[Environment], tools: Tools, wanted: HistoryFilter
) -> tuple[LedgerEntry, ...]:
    """Return the entries of each environment as one history, newest first.

    The clocks of those who wrote the entries may differ, so the times only decide between environments.

    Raises:
        UsageError: no environment ever had the release that is asked for.
    """
    if wanted.is_span:
        histories = tuple(map(wanted.entries, read_span(environments, tools, wanted).values()))
    else:
        names = [environment.name for environment in environments]
        read_entries = partial(tools.ledger.entries, limit=wanted.limit or DEFAULT_LIMIT)
        histories = map_parallel(read_entries, names, max_workers=MAX_CONCURRENT_READS)
    return tuple(heapq.merge(*histories, key=lambda entry: entry.at, reverse=True))
