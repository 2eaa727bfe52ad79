"""The table of the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.adapters.console.metrics_table import print_metrics
from tests.domain.metrics.ledgers import moment
from tests.fakes.tools import FakeTools
from tests.flows.views.test_metrics import collect, forty

if TYPE_CHECKING:
    from kaizen_tasks.flows.views.metrics import MetricsReport


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def printed(report: MetricsReport, capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_metrics("coach", report.since, report.until, report.metrics, report.problems)
    return capsys.readouterr().out.splitlines()


def test_table_fits_60_columns_and_says_of_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    """The numbers are derived in `tests/domain/metrics/test_forty_releases.py`."""
    lines = printed(collect(forty()), capsys)

    assert lines[0] == "coach: 2026-09-06 00:00 to 2026-10-11 00:00 UTC, 35d"
    assert [line.split(maxsplit=3) for line in lines[4:10]] == [
        ["staging", "32", "6.4", "3h 10m (71)   2 of 34  15m (1)"],
        ["prod", "18", "3.6", "18h 30m (69)  4 of 18  7h 5m (4)"],
        ["beta", "8", "1.6", "2d 7h (199)   1 of 8   30m (1)"],
        ["mark", "8", "1.6", "2d 7h (69)    0 of 8   -"],
        ["shane", "6", "1.2", "2d 9h (61)    1 of 7   30m (1)"],
        ["dom", "7", "1.4", "2d 7h (69)    0 of 7   -"],
    ]
    assert lines[12:] == [
        "! prod: v1.0.38 failed, and no release was verified since (1d 11h)",
        "no outcome of 1 deployment (staging)",
    ]
    assert max(map(len, lines[:10])) <= 60


def test_nothing_recorded_is_said_and_not_zero(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(collect(FakeTools(), "prod"), capsys)

    assert lines[4].split() == ["prod", "?", "?", "?", "?", "?"]
    assert lines[-1] == "nothing was ever recorded (prod)"


def test_unknown_lead_time_is_said_and_not_zero(capsys: pytest.CaptureFixture[str]) -> None:
    tools = forty()
    tools.scm.shallow = True

    lines = printed(collect(tools, "prod"), capsys)

    assert lines[4].split() == ["prod", "18", "3.6", "?", "3", "of", "18", "6h", "5m", "(3)"]
    assert "lead times of 0 of 18 releases (prod)" in lines
    assert lines[-1] == "! this clone is shallow, so lead times and hotfixes are unknown: git fetch --unshallow"


def test_ledger_that_is_younger_than_the_span_says_since_when(capsys: pytest.CaptureFixture[str]) -> None:
    tools = forty()
    tools.ledger.all_entries = [entry for entry in tools.ledger.all_entries if entry.at >= moment("20-00:00")]

    lines = printed(collect(tools, "prod"), capsys)

    assert "recorded since 2026-09-21 12:00 (prod)" in lines


def test_stages_of_which_the_same_is_to_be_said_share_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    tools = forty()
    tools.ledger.all_entries = [entry for entry in tools.ledger.all_entries if entry.at >= moment("8-00:00")]

    lines = printed(collect(tools, "mark", "dom", "prod"), capsys)

    assert "recorded since 2026-09-09 15:00 (mark); 2026-09-09 15:11 (dom); 2026-09-09 12:00 (prod)" in lines
    assert "lead times of 7 of 8 releases (mark); 6 of 7 releases (dom); 15 of 16 releases (prod)" in lines
