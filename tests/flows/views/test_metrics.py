"""Collecting the metrics from the ledger and git."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.metrics.changes import Failure
from kaizen_tasks.errors import Refused, UsageError
from kaizen_tasks.flows.views import metrics
from tests.domain.metrics import forty_releases
from tests.domain.metrics.ledgers import moment
from tests.fakes.clock import START, FakeClock
from tests.fakes.tools import FakeTools, settings
from tests.flows.release.test_release import release

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kaizen_tasks.domain.git.commit import Commit


def set_history(tools: FakeTools, commits: Mapping[str, Commit]) -> None:
    """Make a clone know some commits and no others."""

    def history(tips: Iterable[str], *, version_file: str) -> Mapping[str, Commit]:  # noqa: ARG001
        return commits

    tools.scm.history = history  # type: ignore[method-assign]


def forty() -> FakeTools:
    """Return the tools of an app with the scripted history of 40 releases, at its end."""
    tools = FakeTools(clock=FakeClock(moment("40-00:00")))
    for entries in forty_releases.histories().values():
        for entry in reversed(entries):
            tools.ledger.append(entry)
    set_history(tools, forty_releases.commits())
    return tools


def collect(tools: FakeTools, *names: str) -> metrics.MetricsReport:
    return metrics.collect_metrics(metrics.find_scopes(names, tools), tools, since=moment("5-00:00"))


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ((), ["staging", "prod", "beta", "mark", "shane", "dom"]),
        (("prod",), ["prod"]),
        (("beta",), ["beta", "mark", "shane", "dom"]),
        (("dom", "beta"), ["dom", "beta", "mark", "shane"]),
    ],
)
def test_every_stage_and_each_tenant_is_measured(names: tuple[str, ...], shown: list[str]) -> None:
    assert [scope.name for scope in metrics.find_scopes(names, FakeTools())] == shown


def test_groups_and_environments_outside_of_the_pipeline_come_last() -> None:
    environments: dict[str, object] = {name: {} for name in ("staging", "demo", "mark", "dom")}
    tools = FakeTools(
        settings=settings(pipeline=["staging"], environments=environments, groups={"beta": ["mark", "dom"]})
    )

    scopes = metrics.find_scopes((), tools)

    assert [scope.name for scope in scopes] == ["staging", "beta", "mark", "dom", "demo"]
    assert [scope.group for scope in scopes] == ["", "", "beta", "beta", ""]


def test_unknown_name_is_an_error() -> None:
    with pytest.raises(UsageError, match="'prd' is neither"):
        metrics.find_scopes(("prd",), FakeTools())


def test_metrics_of_a_history_are_those_of_its_script() -> None:
    """The numbers are derived in `tests/domain/metrics/test_forty_releases.py`."""
    report = collect(forty())

    found = {each.name: each for each in report.metrics}
    assert {name: each.deployments for name, each in found.items()} == {
        "staging": 32,
        "prod": 18,
        "beta": 8,
        "mark": 8,
        "shane": 6,
        "dom": 7,
    }
    assert found["prod"].failures == {Failure.ROLLBACK: 1, Failure.VERIFICATION: 2, Failure.HOTFIX: 1}
    assert found["prod"].lead_time.median_seconds == 18.5 * 3600
    assert found["prod"].restore.count == 4
    assert (report.since, report.until, report.problems) == (moment("5-00:00"), moment("40-00:00"), ())


def test_metrics_of_one_environment_are_the_same_without_the_others() -> None:
    """Nor does it matter that a release never reached that environment and has no tag, as v1.0.7 of staging."""
    tools = forty()

    everything = collect(tools).metrics
    for each in everything:
        assert collect(tools, each.name).metrics[0] == evolve(each, group="")


def test_nothing_recorded_is_unknown_and_not_zero() -> None:
    (found,) = collect(FakeTools(), "prod").metrics

    assert (found.begin, found.deployments, found.changes, found.failed) == (None, None, None, None)
    assert (found.change_failure_rate, found.lead_time.median_seconds, found.deployments_per_week) == (None, None, None)


def test_span_begins_with_the_ledger_if_that_is_younger() -> None:
    tools = FakeTools()
    release(tools)
    tools.clock.advance(14 * 86_400)

    report = metrics.collect_metrics(metrics.find_scopes(("staging",), tools), tools, since=START - timedelta(days=90))

    (found,) = report.metrics
    assert found.begin == tools.ledger.all_entries[0].at
    assert found.deployments_per_week == pytest.approx(0.5, rel=0.01)


def test_quiet_span_knows_what_served_when_it_began() -> None:
    """The last release was verified long before, and is rolled back in the span."""
    tools = FakeTools(clock=FakeClock(moment("200-00:00")))
    oldest, *_, newest = reversed(forty_releases.histories()["staging"])
    for entry in reversed(forty_releases.histories()["staging"]):
        tools.ledger.append(entry)
    for event, at in (("rollback", "190-09:00"), ("started", "190-09:01"), ("verified", "190-09:30")):
        tools.ledger.append(evolve(oldest, event=type(newest.event)(event), at=moment(at)))

    report = metrics.collect_metrics(metrics.find_scopes(("staging",), tools), tools, since=moment("150-00:00"))

    (found,) = report.metrics
    assert (found.deployments, found.changes, found.restore.median_seconds) == (0, 0, 30 * 60)


def test_long_history_before_a_span_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = forty()
    monkeypatch.setattr(type(tools.ledger), "entries", lambda *_, **__: pytest.fail("read again"))
    scopes = metrics.find_scopes(("staging",), tools)
    environments = scopes[0].environments

    monkeypatch.setattr(
        type(tools.ledger),
        "entries_since",
        lambda self, name, since: tuple(
            e for e in reversed(self.all_entries) if e.environment == name and e.at >= since
        ),
    )
    entries = metrics.read_context(environments, tools, since=moment("35-00:00"))["staging"]

    assert entries[-1].at == moment("5-09:00")


class TestGit:
    def test_shallow_clone_leaves_lead_times_unknown(self) -> None:
        tools = forty()
        tools.scm.shallow = True

        report = collect(tools, "prod")

        assert report.problems == (
            "this clone is shallow, so lead times and hotfixes are unknown: git fetch --unshallow",
        )
        assert (report.metrics[0].lead_time.median_seconds, report.metrics[0].deployments) == (None, 18)

    def test_releases_that_are_not_in_this_clone_are_counted(self) -> None:
        tools = forty()
        commits = {name: each for name, each in forty_releases.commits().items() if each.at < moment("38-00:00")}
        set_history(tools, commits)

        report = collect(tools, "staging")

        assert report.problems == (
            "2 releases are not in this clone, so lead times and hotfixes are unknown for them: git fetch --all --tags",
        )
        assert (report.metrics[0].lead_time_releases, report.metrics[0].missing_releases) == (30, 2)

    def test_folder_without_a_repository_leaves_lead_times_unknown(self) -> None:
        tools = forty()

        def refuse() -> bool:
            raise Refused("/app is not in a git repository")

        tools.scm.is_shallow = refuse  # type: ignore[method-assign]

        report = collect(tools, "prod")

        assert report.problems == ("/app is not in a git repository, so lead times and hotfixes are unknown",)

    def test_hotfix_of_another_environment_is_an_ordinary_release(self) -> None:
        tools = forty()
        commits = {
            name: evolve(each, environment="mark" if each.environment else "")
            for name, each in forty_releases.commits().items()
        }
        set_history(tools, commits)

        assert Failure.HOTFIX not in collect(tools, "prod").metrics[0].failures
