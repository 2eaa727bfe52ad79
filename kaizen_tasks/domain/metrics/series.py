"""The metrics of a stage or an environment by calendar week, for charts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain

from attrs import frozen

from kaizen_tasks.domain.metrics.summary import Durations, Metrics, durations

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
    return tuple(_week(metrics, first + number * ONE_WEEK) for number in range(count))


def _monday(moment: datetime) -> datetime:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def _week(metrics: Metrics, begin: datetime) -> Week:
    def is_in(moment: datetime | None) -> bool:
        return moment is not None and begin <= moment < begin + ONE_WEEK

    decided = [release for release in metrics.releases if is_in(release.decided_at)]
    ended = [incident for incident in metrics.incidents if is_in(incident.ended_at)]
    arrived = [delivery.lead_seconds or () for delivery in metrics.deliveries if is_in(delivery.verified_at)]
    return Week(
        begin=begin,
        deployments=sum(is_in(moment) for moment in metrics.deployed_at),
        changes=len(decided),
        failed=sum(release.failure is not None for release in decided),
        lead_time=durations(chain.from_iterable(arrived)),
        restore=durations(incident.seconds(metrics.end) for incident in ended),
    )
