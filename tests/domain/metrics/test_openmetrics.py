"""The metrics as the parser of Prometheus' own client reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.metrics.changes import Failure, Incident
from kaizen_tasks.domain.metrics.openmetrics import to_openmetrics
from kaizen_tasks.domain.metrics.summary import Durations, Metrics, ReleaseValues
from tests.domain.metrics.ledgers import moment
from tests.support import openmetrics

if TYPE_CHECKING:
    from prometheus_client import Metric

RELEASE = ReleaseValues(
    version="v1",
    decided_at=moment("3-00:00"),
    verified_at=moment("3-00:00"),
    failure=None,
    lead_time=Durations(count=2, median_seconds=60),
)
PROD = Metrics(
    name="prod",
    environments=("prod",),
    begin=moment("0-00:00"),
    end=moment("7-00:00"),
    releases=(RELEASE, evolve(RELEASE, failure=Failure.ROLLBACK)),
    deployed_at=(moment("3-00:00"), moment("4-00:00")),
    lead_time=Durations(count=4, median_seconds=90.5),
    lead_time_releases=2,
    failures={Failure.ROLLBACK: 1},
    restore=Durations(count=1, median_seconds=600),
)
NOTHING = Metrics(name="prod", environments=("prod",), begin=None, end=moment("7-00:00"))


def parsed(*metrics: Metrics, app: str = "coach") -> dict[str, Metric]:
    return openmetrics.parse(to_openmetrics(app, metrics))


def values(families: dict[str, Metric], name: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a family by the values of their labels."""
    return {tuple(sample.labels.values()): sample.value for sample in families[name].samples}


def test_every_metric_is_a_gauge_with_its_labels_and_unit() -> None:
    families = parsed(PROD)

    assert {family.type for family in families.values()} == {"gauge"}
    assert values(families, "kaizen_stage_span_seconds") == {("coach", "prod"): 604_800}
    assert values(families, "kaizen_stage_deployments") == {("coach", "prod"): 2}
    assert values(families, "kaizen_stage_lead_time_seconds") == {("coach", "prod"): 90.5}
    assert values(families, "kaizen_stage_change_failure_ratio") == {("coach", "prod"): 0.5}
    assert values(families, "kaizen_stage_restore_time_seconds") == {("coach", "prod"): 600}
    assert families["kaizen_stage_lead_time_seconds"].unit == "seconds"
    assert families["kaizen_stage_change_failure_ratio"].unit == "ratio"
    assert families["kaizen_stage_deployments"].unit == ""


def test_failures_are_told_apart_by_reason() -> None:
    found = values(parsed(PROD), "kaizen_stage_failed_changes")

    assert {reason: value for (_, _, reason), value in found.items()} == {
        "verification": 0,
        "rollback": 1,
        "hotfix": 0,
        "deployment": 0,
    }


def test_members_of_groups_have_metrics_of_their_own_so_that_a_sum_counts_nothing_twice() -> None:
    families = parsed(evolve(PROD, name="beta"), evolve(PROD, name="mark", group="beta"))

    assert values(families, "kaizen_stage_deployments") == {("coach", "beta"): 2}
    assert values(families, "kaizen_environment_deployments") == {("coach", "beta", "mark"): 2}


def test_what_is_unknown_has_no_sample() -> None:
    assert to_openmetrics("coach", [NOTHING]) == "# EOF\n"
    families = parsed(evolve(PROD, lead_time=Durations(), lead_time_releases=0, releases=(), failures={}))
    assert not families.keys() & {
        "kaizen_stage_lead_time_seconds",
        "kaizen_stage_lead_time_commits",
        "kaizen_stage_change_failure_ratio",
        "kaizen_stage_open_incident_seconds",
    }


def test_age_of_the_oldest_open_incident() -> None:
    incidents = tuple(
        Incident(environment="prod", version="v1", failure=Failure.ROLLBACK, begun_at=moment(begin))
        for begin in ("5-00:00", "6-00:00")
    )

    families = parsed(evolve(PROD, open_incidents=incidents))

    assert values(families, "kaizen_stage_open_incidents") == {("coach", "prod"): 2}
    assert values(families, "kaizen_stage_open_incident_seconds") == {("coach", "prod"): 2 * 86_400}


@given(st.text(), st.text())
def test_any_name_is_read_back(app: str, name: str) -> None:
    families = parsed(evolve(PROD, name=name), app=app)

    assert values(families, "kaizen_stage_deployments") == {(app, name): 2}
