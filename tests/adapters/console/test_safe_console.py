"""The console prints its own colours, and nothing that others want a terminal to obey."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.live import Live
from rich.table import Table
from rich.text import Text
from semver import Version

from kaizen_tasks.adapters.console import tables
from kaizen_tasks.adapters.console.events import EventType, RunEvent
from kaizen_tasks.adapters.console.reporter import create_reporter
from kaizen_tasks.adapters.console.safe_console import SafeConsole
from kaizen_tasks.domain.decision import Act
from kaizen_tasks.domain.release import Release, StepLabel

HOSTILE = "\x1b]0;owned\x9b2J\u202e"
SHOWN = "?]0;owned?2J?"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("CI", "")
    return Terminal()


def test_texts_and_cells_are_sanitised_and_own_styles_are_kept(terminal: Terminal) -> None:
    table = Table()
    table.add_column(HOSTILE)
    table.add_row(HOSTILE)

    console = SafeConsole(terminal, width=80)
    console.print(table)
    console.print(Text(HOSTILE, "red"))
    console.print(HOSTILE, "[bold]not markup[/bold]")

    output = terminal.getvalue()
    assert output.count(SHOWN) == 4
    assert f"\x1b[31m{SHOWN}\x1b[0m" in output
    assert "[bold]not markup[/bold]" in output
    assert not {"\x9b", "\u202e"} & {*output}
    assert "\x1b]" not in output


def test_live_display_still_moves_the_cursor(terminal: Terminal) -> None:
    console = SafeConsole(terminal, width=80)
    with Live(Text(HOSTILE), console=console, auto_refresh=False) as live:
        live.update(Text("next"), refresh=True)

    output = terminal.getvalue()
    assert "\x1b[2K" in output
    assert SHOWN in output
    assert "\x1b]" not in output


@pytest.mark.parametrize("interactive", [True, False])
def test_reporter_shows_every_text_on_one_line(terminal: Terminal, interactive: bool) -> None:
    stream = terminal if interactive else io.StringIO()
    reporter = create_reporter(stream, dry=False)
    label = StepLabel("deploy", f"prod{HOSTILE}")

    reporter.heading(f"{HOSTILE}\nheading")
    reporter.note(f"{HOSTILE}\n::add-mask::x")
    reporter.decided(label, Act(HOSTILE, Release(version=Version(1))))
    reporter.progress(label, HOSTILE)
    reporter.checked(label, HOSTILE, ok=True)
    reporter.succeeded(label, HOSTILE, 1.0)

    output = stream.getvalue()
    assert "owned" in output
    assert "\n::" not in output
    assert "\x1b]" not in output
    assert not {"\x9b", "\u202e"} & {*output}


def test_event_file_has_the_text_as_it_is() -> None:
    event = RunEvent(type=EventType.NOTE, time=datetime(2026, 1, 1, tzinfo=UTC), text=f"{HOSTILE}\x7f")

    assert RunEvent.parse(event.line) == event
    assert event.line.rstrip("\n").isprintable()


def test_tables_are_printed_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_all(HOSTILE)

    assert capsys.readouterr().out.strip() == SHOWN


def test_cell_is_one_line(terminal: Terminal) -> None:
    table = Table(box=None)
    table.add_row("one\n::error::two")
    SafeConsole(terminal, width=80).print(table)

    assert "one?::error::two" in terminal.getvalue()


def test_text_of_others_is_no_command_to_a_ci_service() -> None:
    log = io.StringIO()
    console = SafeConsole(log, width=80)

    console.print("  ::add-mask::x", "##[group]y")

    assert log.getvalue() == "  : :add-mask::x # #[group]y\n"
