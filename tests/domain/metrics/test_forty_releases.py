"""The metrics of 40 releases, each number computed by hand from the script in `forty_releases`.

The span is five weeks: from the begin of day 5 to that of day 40.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kaizen_tasks.domain.metrics.changes import Failure, read_changes
from kaizen_tasks.domain.metrics.lead_time import find_deliveries
from kaizen_tasks.domain.metrics.series import by_week
from kaizen_tasks.domain.metrics.summary import Metrics, measure
from tests.domain.metrics import forty_releases
from tests.domain.metrics.ledgers import commit, moment

SINCE, UNTIL = moment("5-00:00"), moment("40-00:00")
MINUTE, HOUR, DAY = 60, 3600, 86_400
BETA = ("mark", "shane", "dom")


@pytest.fixture(scope="module")
def measured() -> dict[str, Metrics]:
    histories, commits = forty_releases.histories(), forty_releases.commits()
    records = {
        name: read_changes(
            name, entries, hotfixes={commit(forty_releases.HOTFIX)} if name == "prod" else frozenset[str]()
        )
        for name, entries in histories.items()
    }

    def of(name: str, environments: Sequence[str]) -> Metrics:
        deliveries = [
            delivery for environment in environments for delivery in find_deliveries(records[environment], commits)
        ]
        return measure(name, [records[each] for each in environments], deliveries, since=SINCE, until=UNTIL)

    return {**{name: of(name, [name]) for name in histories}, "beta": of("beta", BETA)}


@pytest.mark.parametrize(
    ("name", "deployments", "per_week"),
    [
        # Days 5 to 39 are 35 releases; v1.0.7 and v1.0.13 failed, and v1.0.23 was abandoned: 35 - 3 in 5 weeks.
        ("staging", 32, 32 / 5),
        # v1.0.6, 8, …, 38 are 17; all but v1.0.38 were verified, and so were the hotfix and, late, v1.0.4: 17 - 1 + 2.
        ("prod", 18, 18 / 5),
        # v1.0.8, 12, …, 36, each once for all three tenants.
        ("beta", 8, 8 / 5),
        ("mark", 8, 8 / 5),
        # Without v1.0.12, which failed, and v1.0.36, which was not finished: 8 - 2.
        ("shane", 6, 6 / 5),
        # Without v1.0.20, during which it was held: 8 - 1.
        ("dom", 7, 7 / 5),
    ],
)
def test_deployment_frequency(measured: dict[str, Metrics], name: str, deployments: int, per_week: float) -> None:
    found = measured[name]

    assert (found.begin, found.end, found.days) == (SINCE, UNTIL, 35)
    assert found.deployments == deployments
    assert found.deployments_per_week == pytest.approx(per_week)


@pytest.mark.parametrize(
    ("name", "changes", "failures", "rate", "unfinished"),
    [
        # 32 verified and 2 failed; v1.0.23 has no outcome.
        ("staging", 34, {Failure.VERIFICATION: 1, Failure.DEPLOYMENT: 1}, 2 / 34, 1),
        # v1.0.6, 8, …, 38 are 17, and the hotfix. v1.0.10 was rolled back, v1.0.16 and v1.0.38 failed verification,
        # and the hotfix came 8 hours after v1.0.28. The failure of v1.0.4 was before the span.
        ("prod", 18, {Failure.ROLLBACK: 1, Failure.VERIFICATION: 2, Failure.HOTFIX: 1}, 4 / 18, 0),
        # v1.0.12 failed for one of three tenants; v1.0.36 is verified for the others.
        ("beta", 8, {Failure.VERIFICATION: 1}, 1 / 8, 0),
        ("mark", 8, {}, 0, 0),
        ("shane", 7, {Failure.VERIFICATION: 1}, 1 / 7, 1),
        ("dom", 7, {}, 0, 0),
    ],
)
def test_change_failure_rate(
    measured: dict[str, Metrics], name: str, changes: int, failures: dict[Failure, int], rate: float, unfinished: int
) -> None:
    found = measured[name]

    assert (found.changes, found.failures, found.failed) == (changes, failures, sum(failures.values()))
    assert found.change_failure_rate == pytest.approx(rate)
    assert found.unfinished == unfinished


@pytest.mark.parametrize(
    ("name", "releases", "commits", "median"),
    [
        # Verified at 09:10: 1h10m after 31 commits (of 32 releases without the late v1.0.19), and 3h10m after 31 and
        # after one of v1.0.19. 64 commits of the 32 releases' own days, 2 each of the days 7, 13 and 23, and the fix:
        # 31 + 32 + 8 = 71, of which the 36th in order is one of those of 3h10m.
        ("staging", 32, 71, 3 * HOUR + 10 * MINUTE),
        # v1.0.4, verified 12h20m late: 16h30m, 18h30m, 40h30m, 42h30m. v1.0.6, 8, …, 36 without 16: 15 releases of
        # 4h10m, 6h10m, 28h10m and 30h10m; v1.0.16, half an hour late: 4h40m, 6h40m, 28h40m, 30h40m; the fix: 1h10m.
        # 4 + 60 + 4 + 1 = 69; in order: 1h10m, 15 x 4h10m, 4h40m, 15 x 6h10m, 6h40m, 16h30m are 34; then 18h30m.
        ("prod", 18, 69, 18 * HOUR + 30 * MINUTE),
        # 15:10: 7h10m and 9h10m after the commits of the day itself, and so many days more after the earlier ones:
        # 8 releases of 2 commits of their own day, 16; of the day before, 16; so the 35th of 12 + 7 x 8 + 1 = 69 is
        # one of two days before.
        ("mark", 8, 69, 2 * DAY + 7 * HOUR + 10 * MINUTE),
        # 15:30, 7 releases, of which v1.0.24 has 8 days: 14, 14, then 7 of 2 days and 7h30m: the 35th of 69.
        ("dom", 7, 69, 2 * DAY + 7 * HOUR + 30 * MINUTE),
        # 6 releases, 12 + 16 + 3 x 8 + 9 = 61 commits: 12, 12, 6 of 2 days and 7h30m, then 6 of 2 days and 9h30m: the
        # 31st is one of these.
        ("shane", 6, 61, 2 * DAY + 9 * HOUR + 30 * MINUTE),
        # 69 + 69 + 61 = 199: 42 of the day itself, 42 of the day before, 8 of 2 days and 7h10m for mark, and 13 of 2
        # days and 7h30m for the others: the 100th is the 8th of these.
        ("beta", 8, 199, 2 * DAY + 7 * HOUR + 30 * MINUTE),
    ],
)
def test_lead_time(measured: dict[str, Metrics], name: str, releases: int, commits: int, median: float) -> None:
    found = measured[name]

    assert (found.lead_time_releases, found.missing_releases) == (releases, 0)
    assert (found.lead_time.count, found.lead_time.median_seconds) == (commits, median)


@pytest.mark.parametrize(
    ("name", "restored", "median"),
    [
        # v1.0.7 served from 09:05, v1.0.6 again at 09:20.
        ("staging", 1, 15 * MINUTE),
        # v1.0.4, begun before the span: 12:05 to 00:30, 12h25m. v1.0.10: 12:05 to 18:10, 6h05m. v1.0.16: 12:05 to
        # 12:40, 35m. v1.0.28: 12:05 to 20:10, 8h05m. Between 6h05m and 8h05m are 7h05m. v1.0.38 is not restored.
        ("prod", 4, 7 * HOUR + 5 * MINUTE),
        # v1.0.12 served shane from 15:15, v1.0.8 again at 15:45.
        ("beta", 1, 30 * MINUTE),
        ("shane", 1, 30 * MINUTE),
        ("mark", 0, None),
        ("dom", 0, None),
    ],
)
def test_time_to_restore(measured: dict[str, Metrics], name: str, restored: int, median: float | None) -> None:
    found = measured[name]

    assert (found.restore.count, found.restore.median_seconds) == (restored, median)


def test_incident_that_goes_on_is_told_apart(measured: dict[str, Metrics]) -> None:
    (incident,) = measured["prod"].open_incidents

    assert (incident.version, incident.begun_at) == ("v1.0.38", moment("38-12:05"))
    assert incident.seconds(UNTIL) == 11 * HOUR + 55 * MINUTE + DAY
    assert not any(measured[name].open_incidents for name in ("staging", "beta", "mark", "shane", "dom"))


def test_weeks_of_staging(measured: dict[str, Metrics]) -> None:
    """Day 5 is a Sunday, and day 39 a Saturday: the first week has one day of the span, the last one six."""
    weeks = by_week(measured["staging"])

    assert [f"{week.begin:%d %b}" for week in weeks] == ["31 Aug", "07 Sep", "14 Sep", "21 Sep", "28 Sep", "05 Oct"]
    # Days 5 | 6 to 12 without 7 | 13 to 19 without 13 | 20 to 26 without 23 | 27 to 33 | 34 to 39.
    assert [week.deployments for week in weeks] == [1, 6, 6, 6, 7, 6]
    assert [week.changes for week in weeks] == [1, 7, 7, 6, 7, 6]
    assert [week.failed for week in weeks] == [0, 1, 1, 0, 0, 0]
    assert [week.restore.median_seconds for week in weeks] == [None, 15 * MINUTE, None, None, None, None]
    # Two commits a release; day 8 has those of day 7 as well, 14 those of 13, 24 those of 23, and 29 the fix.
    assert [week.lead_time.count for week in weeks] == [2, 14, 14, 14, 15, 12]


def test_releases_of_prod(measured: dict[str, Metrics]) -> None:
    releases = {release.version: release for release in measured["prod"].releases}

    assert list(releases)[:3] == ["v1.0.6", "v1.0.8", "v1.0.10"]
    assert releases["v1.0.10"].failure is Failure.ROLLBACK
    assert releases["v1.0.10"].restore_seconds == 6 * HOUR + 5 * MINUTE
    assert releases["v1.0.38"].verified_at is None
    assert releases["v1.0.38"].restore_seconds is None
    # 4h10m, 6h10m, 28h10m and 30h10m
    assert releases["v1.0.36"].lead_time.median_seconds == 17 * HOUR + 10 * MINUTE
    assert releases["v1.0.28"].failure is Failure.HOTFIX
    assert releases[forty_releases.HOTFIX].lead_time.median_seconds == HOUR + 10 * MINUTE
