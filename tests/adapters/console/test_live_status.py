"""The screen of `status --watch`."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import evolve
from rich.console import Console

from kaizen_tasks.adapters.console import live_status
from kaizen_tasks.domain.health import VersionReport
from kaizen_tasks.domain.status import StatusView
from tests.adapters.console.test_tables import IN_SYNC, NOW

if TYPE_CHECKING:
    import pytest

    from kaizen_tasks.domain.status import EnvironmentStatus

DOWN = VersionReport(error="refuses the connection")


def named(name: str, row: EnvironmentStatus = IN_SYNC) -> EnvironmentStatus:
    """Return a row of an environment with another name."""
    running = row.version_report if row.version_report.error else evolve(row.version_report, environment=name)
    return evolve(row, environment=evolve(row.environment, name=name), version_report=running)


def drawn(rows: list[EnvironmentStatus], *, height: int) -> list[str]:
    """Return the lines of a screen of this height."""
    stream = io.StringIO()
    screen = live_status.LiveStatus(Console(file=stream, width=100, height=height))
    screen.update(StatusView(rows=rows), NOW, "web at noon")
    screen.console.print(screen)
    return [line.rstrip() for line in stream.getvalue().splitlines() if line.strip()]


def test_a_screen_that_is_high_enough_shows_all_rows_and_the_caption() -> None:
    lines = drawn([named("prod"), named("mark")], height=24)

    assert [line.split()[1] for line in lines[2:4]] == ["prod", "mark"]
    assert lines[4:] == ["web at noon"]


def test_a_low_screen_shows_drift_first_and_counts_hidden_rows() -> None:
    rows = [named(f"tenant{number}") for number in range(20)]
    rows[15] = named("tenant15", evolve(IN_SYNC, version_report=DOWN))

    lines = drawn(rows, height=12)

    assert [line.split()[1] for line in lines[2:7]] == ["tenant0", "tenant1", "tenant2", "tenant3", "tenant15"]
    assert lines[-2:] == [
        "! tenant15: the app refuses the connection",
        "15 more environments, 0 with drift; web at noon",
    ]


def test_hidden_drift_is_counted() -> None:
    rows = [named(f"tenant{number}", evolve(IN_SYNC, version_report=DOWN)) for number in range(20)]

    assert drawn(rows, height=6)[-1] == "20 more environments, 20 with drift; web at noon"


def test_without_rows_only_the_caption_is_shown() -> None:
    assert drawn([], height=24) == ["web at noon"]


def test_the_last_rows_stay_on_the_terminal_after_an_interrupt(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")

    with suppress(KeyboardInterrupt), live_status.live_screen() as screen:
        screen.update(StatusView(rows=[named("prod")]), NOW, "web at noon")
        raise KeyboardInterrupt

    assert [line for line in capsys.readouterr().out.splitlines() if "prod" in line]
