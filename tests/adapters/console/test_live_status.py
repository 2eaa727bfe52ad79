"""Status that is watched."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import evolve
from rich.console import Console

from kaizen_tasks.adapters.console import live_status
from kaizen_tasks.domain.health import VersionReport
from tests.adapters.console.test_tables import WELL

if TYPE_CHECKING:
    import pytest

    from kaizen_tasks.domain.status import EnvironmentStatus

DOWN = VersionReport(error="refuses the connection")


def named(name: str, row: EnvironmentStatus = WELL) -> EnvironmentStatus:
    """Return a row under another name, and as well there as before."""
    running = row.version_report if row.version_report.error else evolve(row.version_report, environment=name)
    return evolve(row, environment=evolve(row.environment, name=name), version_report=running)


def drawn(rows: list[EnvironmentStatus], *, height: int) -> list[str]:
    """Return the lines of a screen that is as high as said."""
    stream = io.StringIO()
    screen = live_status.LiveStatus(Console(file=stream, width=100, height=height))
    screen.update(rows, "web at noon")
    screen.console.print(screen)
    return [line.rstrip() for line in stream.getvalue().splitlines() if line.strip()]


def test_a_screen_that_is_high_enough_shows_everything() -> None:
    """In the configured order, with the time below."""
    lines = drawn([named("prod"), named("mark")], height=24)

    assert [line.split()[1] for line in lines[2:4]] == ["prod", "mark"]
    assert lines[4:] == ["web at noon"]


def test_on_a_low_screen_drift_is_seen_first() -> None:
    """And how much is not seen is said."""
    rows = [named(f"tenant{number}") for number in range(20)]
    rows[15] = named("tenant15", evolve(WELL, version_report=DOWN))

    lines = drawn(rows, height=12)

    assert [line.split()[1] for line in lines[2:7]] == ["tenant0", "tenant1", "tenant2", "tenant3", "tenant15"]
    assert lines[-2:] == [
        "! tenant15: the app refuses the connection",
        "15 more environments, 0 with drift; web at noon",
    ]


def test_drift_that_has_no_room_is_counted() -> None:
    """However low the screen is."""
    rows = [named(f"tenant{number}", evolve(WELL, version_report=DOWN)) for number in range(20)]

    assert drawn(rows, height=6)[-1] == "20 more environments, 20 with drift; web at noon"


def test_before_the_first_look_is_over_it_says_that_it_looks() -> None:
    """An empty table would say that there is nothing."""
    assert drawn([], height=24) == ["web at noon"]


def test_the_last_rows_stay_when_it_ends(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """However it ends."""
    monkeypatch.setenv("TERM", "dumb")

    with suppress(KeyboardInterrupt), live_status.live_screen() as screen:
        screen.update([named("prod")], "web at noon")
        raise KeyboardInterrupt

    assert [line for line in capsys.readouterr().out.splitlines() if "prod" in line]
