"""Lays out the results of all benchmarks as one table, for a terminal and as Markdown."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.results import Row

COLUMNS = ("work", "measure", "floors and peers", "goal", "measured", "")
WIDTH_IN_LOGS = 160
TITLE = "# Measurements\n\n`nox -s bench -- --markdown FILE` writes this page. "


def print_table(rows: Sequence[Row], *, machine: str, busy: bool) -> None:
    """Print the table, as wide as the terminal."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH_IN_LOGS
    table = Table(*COLUMNS, show_lines=True, highlight=False)
    for row in rows:
        table.add_row(*_cells(row, busy=busy))
    console = Console(width=width, markup=False, highlight=False)
    console.print(_head(machine, busy=busy))
    console.print(table)


def markdown(rows: Sequence[Row], *, machine: str, busy: bool) -> str:
    """Return a page with the table."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *(_cells(row, busy=busy) for row in rows)]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{TITLE}{_head(machine, busy=busy)}\n\n{table}"


def _head(machine: str, *, busy: bool) -> str:
    return f"{machine}{'; beside one busy loop, where goals against floors need not hold' if busy else ''}."


def _cells(row: Row, *, busy: bool) -> tuple[str, ...]:
    verdict = row.verdict(busy=busy).value
    if not isinstance(row, Result):
        return (row.work, row.reason, "", "", "", verdict)
    beside = "; ".join(filter(None, (", ".join(map(str, row.beside)), row.note)))
    return (
        row.work,
        row.measure,
        beside,
        f"{row.amount(row.goal)} ({row.kind.value})",
        row.amount(row.measured),
        verdict,
    )
