"""Tables that fit a terminal of any width."""

from __future__ import annotations

import io
import os

import pytest
from rich.cells import cell_len
from rich.text import Text

from kaizen_tasks.adapters.console.layout.fitting_table import FittingTable
from kaizen_tasks.adapters.console.safe_console import SafeConsole


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def table(*, name: str = "mark", actor: str = "ada@laptop") -> FittingTable:
    """Return a table as `history` prints it, whose first row has a remark."""
    new = FittingTable("when (UTC)", "environment", "release", "commit", "outcome", "took", "by")
    for version in ("v0.2.0", "v0.1.0"):
        new.add_row("2026-11-20 12:00", name, version, "0791d95", "verified", "2.2s", actor)
    new.remarks[0] = "the app was too slow after the update of the base image, see https://tickets.example/812"
    return new


def lines(new: FittingTable, width: int | None) -> list[str]:
    """Return what a terminal of a width shows, or a log."""
    stream = io.StringIO() if width is None else Terminal()
    console = SafeConsole(stream, width=width or (None if os.environ.get("COLUMNS") else 100))
    for line in new.lines(console):
        console.print(line, soft_wrap=True)
    return [Text.from_ansi(line).plain for line in stream.getvalue().splitlines()]


@pytest.fixture(autouse=True)
def _no_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the width of the terminal that may run these tests."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.mark.parametrize("width", [40, 50, 60, 72, 80, 120, 200])
@pytest.mark.parametrize(
    ("name", "actor"),
    [
        ("mark", "ada@laptop"),
        ("a-tenant-with-a-long-name", "firstname.lastname@their-laptop"),
        ("mark", "山田太郎さん@東京の机"),
    ],
)
def test_no_line_is_wider_than_the_terminal(width: int, name: str, actor: str) -> None:
    shown = lines(table(name=name, actor=actor), width)

    assert [line for line in shown if cell_len(line) > width] == []
    assert sum(name in line for line in shown) == 2
    assert sum(actor in line for line in shown) == 2
    assert any("https://tickets.example/812" in line for line in shown)


def test_columns_that_matter_least_are_left_out_first() -> None:
    assert lines(table(), 80)[0].split("  ")[0:1] == ["when (UTC)"]
    assert "commit" in lines(table(), 80)[0]
    assert "commit" not in lines(table(), 70)[0]
    assert "took" in lines(table(), 70)[0]
    assert "took" not in lines(table(), 60)[0]


def test_where_that_is_not_enough_each_row_is_an_item_of_a_list() -> None:
    assert lines(table(), 40) == [
        "2026-11-20 12:00  mark",
        "    release v0.2.0, commit 0791d95,",
        "    outcome verified, took 2.2s, by",
        "    ada@laptop",
        "    the app was too slow after the",
        "      update of the base image, see",
        "      https://tickets.example/812",
        "2026-11-20 12:00  mark",
        "    release v0.1.0, commit 0791d95,",
        "    outcome verified, took 2.2s, by",
        "    ada@laptop",
    ]


def test_word_that_is_longer_than_the_terminal_is_left_to_it() -> None:
    actor = "a" * 50

    assert sum(actor in line for line in lines(table(actor=actor), 40)) == 2


def test_log_has_every_column_however_wide_it_is() -> None:
    shown = lines(table(name="n" * 63, actor="a" * 63), None)

    assert shown[0].split() == ["when", "(UTC)", "environment", "release", "commit", "outcome", "took", "by"]
    assert shown[2].endswith("a" * 63)
    assert shown[3].startswith("    the app was too slow")
    assert shown[3].endswith("https://tickets.example/812")


def test_width_that_columns_says_holds_for_a_log_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")

    shown = lines(table(), None)

    assert "took" not in shown[0]
    assert max(map(len, shown)) <= 60
