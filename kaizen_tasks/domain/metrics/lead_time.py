"""The lead time of changes: from a commit to the verification of the first release with it, in one environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from kaizen_tasks.domain.git.commit import Commit
    from kaizen_tasks.domain.metrics.changes import EnvironmentChanges


@frozen(kw_only=True)
class Delivery:
    """The commits that a release has brought to an environment.

    Attributes:
        environment: the environment's name.
        version: the release: `v1.2.3`.
        digest: digest of its image.
        verified_at: when it was verified there for the first time.
        lead_seconds: of each commit, from its own time until then; merges and commits that set a version are left out.
            None if the commits are unknown: no earlier release is known there, or the release is not in this clone.
        is_missing: whether the release commit is not in this clone.
    """

    environment: str
    version: str
    digest: str
    verified_at: datetime
    lead_seconds: tuple[float, ...] | None
    is_missing: bool = False


def find_deliveries(record: EnvironmentChanges, commits: Mapping[str, Commit]) -> tuple[Delivery, ...]:
    """Return what each release has brought that was new to an environment, in the order of their verifications.

    Args:
        record: the environment's releases.
        commits: by full hash, those of the releases and their ancestors, without what every release has in common.
    """
    new_digests = {change.digest for change in record.changes}
    deliveries, delivered = [], set[str]()
    for entry in record.verified:
        is_missing, is_first = entry.commit not in commits, not delivered
        arrivals = [*_walk(entry.commit, commits, delivered)]
        if entry.digest in new_digests:
            delivery = Delivery(
                environment=record.environment,
                version=entry.version,
                digest=entry.digest,
                verified_at=entry.at,
                lead_seconds=None if is_missing or is_first else _lead_seconds(arrivals, commits, until=entry.at),
                is_missing=is_missing,
            )
            deliveries.append(delivery)
    return tuple(deliveries)


def _lead_seconds(names: Iterable[str], commits: Mapping[str, Commit], *, until: datetime) -> tuple[float, ...]:
    """Return the seconds from each commit until a time; without merges, and commits that set a version."""
    return tuple(
        max(0.0, (until - commits[name].at).total_seconds())
        for name in names
        if len(commits[name].parents) < 2 and not commits[name].sets_version
    )


def _walk(commit: str, commits: Mapping[str, Commit], delivered: set[str]) -> Iterator[str]:
    """Yield a commit and its ancestors that were not delivered before, and add them to those that were."""
    pending = [commit]
    while pending:
        name = pending.pop()
        if name in commits and name not in delivered:
            delivered.add(name)
            pending += commits[name].parents
            yield name
