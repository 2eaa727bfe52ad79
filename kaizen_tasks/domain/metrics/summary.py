"""DORA's four metrics of a stage or an environment, for a span of time."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from statistics import median

from attrs import evolve, field, frozen

from kaizen_tasks.domain.metrics.changes import Change, EnvironmentChanges, Failure, Incident
from kaizen_tasks.domain.metrics.lead_time import Delivery

SECONDS_PER_DAY = 86_400


@frozen(kw_only=True)
class Durations:
    """Some durations.

    Attributes:
        count: how many.
        median_seconds: their median; None if there are none.
    """

    count: int = 0
    median_seconds: float | None = None


@frozen(kw_only=True)
class ReleaseValues:
    """What became of one release in a stage or an environment.

    Attributes:
        version: `v1.2.3`.
        decided_at: when it was first known whether it works, in UTC; all times are.
        verified_at: when it was verified for the first time; None if it never was.
        failure: why it counts as failed; None if it does not.
        lead_time: from its commits to their verification, of each environment that it was verified in during the span.
        restore_seconds: how long the longest incident took that it began; None without one, or while one goes on.
    """

    version: str
    decided_at: datetime
    verified_at: datetime | None
    failure: Failure | None
    lead_time: Durations
    restore_seconds: float | None = None


@frozen(kw_only=True)
class Metrics:
    """The metrics of a stage or an environment for a span. None is unknown, and 0 is a number.

    Attributes:
        name: the name of the stage, group or environment.
        environments: the names of its environments.
        group: of an environment that is measured as a member of a group, the name of the group; otherwise empty.
        begin: when the span begins, or later when the first entry was written; None if nothing was ever recorded.
        end: when it ends, in UTC; all times are.
        releases: what became of each release that was decided in the span, in the order of `decided_at`.
        deployed_at: when each release was verified for the first time, oldest first.
        lead_time: from commits to their verification; a commit counts once in each environment.
        lead_time_releases: how many of the deployments have known commits.
        missing_releases: how many of them are not in this clone.
        failures: how many of `releases` failed, by reason.
        restore: the incidents that ended in the span.
        open_incidents: those that go on, the oldest first.
        unfinished: how many deployments began in the span and have no outcome: they go on, or were abandoned.
        incidents: those that ended in the span or go on, in the order in which they began.
        deliveries: the lead times by release and environment, oldest first.
    """

    name: str
    environments: tuple[str, ...]
    group: str = ""
    begin: datetime | None
    end: datetime
    releases: tuple[ReleaseValues, ...] = ()
    deployed_at: tuple[datetime, ...] = ()
    lead_time: Durations = field(factory=Durations)
    lead_time_releases: int = 0
    missing_releases: int = 0
    failures: Mapping[Failure, int] = field(factory=dict)
    restore: Durations = field(factory=Durations)
    open_incidents: tuple[Incident, ...] = ()
    unfinished: int = 0
    incidents: tuple[Incident, ...] = ()
    deliveries: tuple[Delivery, ...] = ()

    @property
    def days(self) -> float | None:
        """The length of the span in days; None if nothing was ever recorded."""
        return None if self.begin is None else (self.end - self.begin).total_seconds() / SECONDS_PER_DAY

    @property
    def deployments(self) -> int | None:
        """How many releases were verified for the first time; None if nothing was ever recorded."""
        return None if self.begin is None else len(self.deployed_at)

    @property
    def deployments_per_week(self) -> float | None:
        """The deployments of an average week; None for a span of less than a week."""
        if self.deployments is None or self.days is None or self.days < 7:
            return None
        return self.deployments * 7 / self.days

    @property
    def changes(self) -> int | None:
        """How many releases were decided in the span: verified or failed; None if nothing was ever recorded."""
        return None if self.begin is None else len(self.releases)

    @property
    def failed(self) -> int | None:
        """How many of them failed; None if nothing was ever recorded."""
        return None if self.begin is None else sum(self.failures.values())

    @property
    def change_failure_rate(self) -> float | None:
        """The part of `changes` that failed, from 0 to 1; None if there are none."""
        return sum(self.failures.values()) / len(self.releases) if self.releases else None


def durations(seconds: Iterable[float]) -> Durations:
    """Return how many durations there are, and their median."""
    values = sorted(seconds)
    return Durations(count=len(values), median_seconds=median(values) if values else None)


def measure(
    name: str,
    records: Sequence[EnvironmentChanges],
    deliveries: Sequence[Delivery],
    *,
    since: datetime,
    until: datetime,
) -> Metrics:
    """Return the metrics of a stage, group or environment.

    A release reaches a stage with its first verification in one of the stage's environments, and fails there if it
    fails in any of them. Lead times and incidents are those of every environment.

    Args:
        name: the name of the stage, group or environment.
        records: what the ledger says of each of its environments.
        deliveries: those of the same environments, of any time.
        since: when the span begins.
        until: when it ends: now.
    """
    environments = tuple(record.environment for record in records)
    begin = _begin(records, since)
    if begin is None:
        return Metrics(name=name, environments=environments, begin=None, end=until)
    changes = merge_changes(records)
    incidents = sorted(
        (incident for record in records for incident in record.incidents if (incident.ended_at or until) >= since),
        key=lambda incident: incident.begun_at,
    )
    own_deliveries = sorted(
        (each for each in deliveries if each.verified_at >= since), key=lambda each: each.verified_at
    )
    deployed = {change.digest: change.verified_at for change in changes if change.verified_at}
    deployed = {digest: moment for digest, moment in deployed.items() if moment >= since}
    known = {each.digest for each in own_deliveries if each.lead_seconds is not None}
    decided = [change for change in changes if change.decided_at is not None and change.decided_at >= since]
    return Metrics(
        name=name,
        environments=environments,
        begin=begin,
        end=until,
        releases=tuple(_release_values(sorted(decided, key=_decision_time), own_deliveries, incidents)),
        deployed_at=tuple(sorted(deployed.values())),
        lead_time=durations(chain.from_iterable(each.lead_seconds or () for each in own_deliveries)),
        lead_time_releases=len(deployed.keys() & known),
        missing_releases=len({each.digest for each in own_deliveries if each.is_missing}),
        failures=Counter(change.failure for change in decided if change.failure is not None),
        restore=durations(incident.seconds(until) for incident in incidents if incident.ended_at),
        open_incidents=tuple(incident for incident in incidents if incident.ended_at is None),
        unfinished=sum(change.decided_at is None and change.started_at >= since for change in changes),
        incidents=tuple(incidents),
        deliveries=tuple(own_deliveries),
    )


def merge_changes(records: Sequence[EnvironmentChanges]) -> tuple[Change, ...]:
    """Return the releases that were new to all of a stage's environments, each once, with the first of its times."""
    merged: dict[str, Change] = {}
    old_digests = {digest for record in records for digest in record.old_digests}
    for change in chain.from_iterable(record.changes for record in records):
        if change.digest in old_digests:
            continue
        known = merged.get(change.digest)
        merged[change.digest] = change if known is None else _merge(known, change)
    return tuple(merged.values())


def _merge(first: Change, second: Change) -> Change:
    failed = [change for change in (first, second) if change.failed_at is not None]
    verified = [change.verified_at for change in (first, second) if change.verified_at is not None]
    failure = min(failed, key=lambda change: change.failed_at or change.started_at, default=None)
    return evolve(
        first,
        started_at=min(first.started_at, second.started_at),
        verified_at=min(verified, default=None),
        failure=failure.failure if failure else None,
        failed_at=failure.failed_at if failure else None,
    )


def _begin(records: Sequence[EnvironmentChanges], since: datetime) -> datetime | None:
    """Return from when on the span is known; None if nothing was ever recorded."""
    begins = [max(since, record.first_at) for record in records if record.first_at is not None]
    return min(begins, default=None)


def _decision_time(change: Change) -> datetime:
    assert change.decided_at is not None
    return change.decided_at


def _release_values(
    changes: Iterable[Change], deliveries: Iterable[Delivery], incidents: Iterable[Incident]
) -> Iterator[ReleaseValues]:
    lead_seconds, lengths = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    for delivery in deliveries:
        lead_seconds[delivery.digest] += delivery.lead_seconds or ()
    for incident in incidents:
        lengths[incident.version].append(incident.seconds(incident.ended_at) if incident.ended_at else math.inf)
    for change in changes:
        longest = max(lengths[change.version], default=math.inf)
        yield ReleaseValues(
            version=change.version,
            decided_at=_decision_time(change),
            verified_at=change.verified_at,
            failure=change.failure,
            lead_time=durations(lead_seconds[change.digest]),
            restore_seconds=None if math.isinf(longest) else longest,
        )
