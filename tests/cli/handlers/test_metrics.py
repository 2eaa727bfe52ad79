"""What `metrics` prints, in each format."""

from __future__ import annotations

import json

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from kaizen_tasks import wiring
from kaizen_tasks.cli import commands
from tests.fakes.tools import FakeTools
from tests.flows.views.test_metrics import forty
from tests.support import openmetrics


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> FakeTools:
    """The tools of an app with the scripted history of 40 releases."""
    made = forty()
    monkeypatch.setattr(wiring, "toolbox", lambda _config, **_: made)
    return made


def shown(capsys: pytest.CaptureFixture[str], **flags: object) -> str:
    commands.metrics.body(Context(), **flags)
    return capsys.readouterr().out


@pytest.mark.usefixtures("tools")
def test_document_has_the_numbers_of_every_stage(capsys: pytest.CaptureFixture[str]) -> None:
    """They are derived in `tests/domain/metrics/test_forty_releases.py`."""
    document = json.loads(shown(capsys, since="2026-09-06", json=True))

    prod = document["metrics"]["prod"]
    assert list(document["metrics"]) == ["staging", "prod", "beta", "mark", "shane", "dom"]
    assert (document["since"], document["missing"]) == ("2026-09-06T00:00:00+00:00", [])
    assert prod["deployments"] == {"count": 18, "per_week": 3.6}
    assert prod["lead_time"] == {"median_seconds": 66_600, "commits": 69, "deployments": 18}
    assert (prod["change_failure"]["failed"], prod["change_failure"]["changes"]) == (4, 18)
    assert prod["change_failure"]["reasons"] == {"verification": 2, "rollback": 1, "hotfix": 1, "deployment": 0}
    assert (prod["restore"]["median_seconds"], prod["restore"]["incidents"]) == (25_500, 4)
    assert prod["restore"]["open"] == [
        {
            "environment": "prod",
            "version": "v1.0.38",
            "reason": "verification",
            "since": "2026-10-09T12:05:00+00:00",
            "seconds": 129_300,
        }
    ]
    assert document["metrics"]["mark"]["group"] == "beta"
    assert [week["deployments"] for week in document["metrics"]["staging"]["weeks"]] == [1, 6, 6, 6, 7, 6]


def test_document_says_null_where_nothing_is_known(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "toolbox", lambda _config, **_: FakeTools())

    found = json.loads(shown(capsys, env=["prod"], json=True))["metrics"]["prod"]

    assert found["deployments"] == {"count": None, "per_week": None}
    assert found["lead_time"] == {"median_seconds": None, "commits": None, "deployments": None}
    assert found["change_failure"] == {"rate": None, "changes": None, "failed": None, "reasons": None}
    assert found["restore"] == {"median_seconds": None, "incidents": None, "open": []}
    assert (found["begin"], found["unfinished"], found["weeks"], found["releases"]) == (None, None, [], [])


def test_openmetrics_has_nothing_else_on_stdout(capsys: pytest.CaptureFixture[str], tools: FakeTools) -> None:
    tools.scm.shallow = True

    text = shown(capsys, since="35d", format="openmetrics")

    families = openmetrics.parse(text)
    samples = families["kaizen_stage_deployments"].samples
    assert {sample.labels["stage"]: sample.value for sample in samples} == {"staging": 32, "prod": 18, "beta": 8}
    assert "kaizen_stage_lead_time_seconds" not in families
    assert tools.reporter.lines[-1].startswith("this clone is shallow")


@pytest.mark.usefixtures("tools")
def test_ninety_days_are_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys).startswith("web: 2026-07-13 00:00 to 2026-10-11 00:00 UTC, 90d")


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"since": "tomorrow"}, "--since tomorrow: neither a length of time nor an ISO date or time"),
        ({"since": "2026-12-01"}, "--since 2026-12-01: that is in the future"),
        ({"format": "prometheus"}, "--format prometheus: no such format"),
        ({"format": "openmetrics", "json": True}, "--json goes without --format openmetrics"),
        ({"env": ["prd"]}, "'prd' is neither an environment nor a group"),
    ],
)
def test_wrong_flags_are_usage_errors(flags: dict[str, object], says: str) -> None:
    with pytest.raises(Exit, match=says) as left:
        commands.metrics.body(Context(), **flags)

    assert left.value.code == 2
