"""The metrics of a stage or an environment by calendar week, for charts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TypeVar

from attrs import frozen

from kaizen_tasks.domain.metrics.summary import Durations, Metrics, durations

Item = TypeVar("Item")
ONE_WEEK = timedelta(weeks=1)


@frozen(kw_only=True)
class Week:
    """One calendar week. The first and the last week of a span have only those of their days that are in it.

    Attributes:
        begin: Monday, 00:00 UTC.
        deployments: how many releases were verified for the first time.
        changes: how many releases were first known to work or to fail.
        failed: how many of these failed, then or later.
        lead_time: from commits to their verification, of the releases that were verified in the week.
        restore: the incidents that ended in the week.
    """

    begin: datetime
    deployments: int
    changes: int
    failed: int
    lead_time: Durations
    restore: Durations


def by_week(metrics: Metrics) -> tuple[Week, ...]:
    """Return the weeks of the span, oldest first, from the first that the ledger knows; weeks without a release too."""
    if metrics.begin is None:
        return ()
    first = _monday(metrics.begin)
    count = (_monday(metrics.end) - first) // ONE_WEEK + 1
    deployments = _group(metrics.deployed_at, lambda moment: moment, first)
    decided = _group(metrics.releases, lambda release: release.decided_at, first)
    ended = _group(metrics.incidents, lambda incident: incident.ended_at, first)
    arrived = _group(metrics.deliveries, lambda delivery: delivery.verified_at, first)
    return tuple(
        Week(
            begin=first + number * ONE_WEEK,
            deployments=len(deployments[number]),
            changes=len(decided[number]),
            failed=sum(release.failure is not None for release in decided[number]),
            lead_time=durations(chain.from_iterable(delivery.lead_seconds or () for delivery in arrived[number])),
            restore=durations(incident.seconds(metrics.end) for incident in ended[number]),
        )
        for number in range(count)
    )


def _group(
    items: Iterable[Item], moment_of: Callable[[Item], datetime | None], first: datetime
) -> defaultdict[int, list[Item]]:
    """Return the items of each week by its number; without those that have no time.

    Args:
        items: what to group.
        moment_of: returns the time of an item.
        first: when the week 0 begins.
    """
    weeks: defaultdict[int, list[Item]] = defaultdict(list)
    for item in items:
        if (moment := moment_of(item)) is not None:
            weeks[(moment - first) // ONE_WEEK].append(item)
    return weeks


def _monday(moment: datetime) -> datetime:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())
