"""What `doctor` has found, as a list for people."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING

from kaizen_tasks.domain.check import Verdict, summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

    from kaizen_tasks.domain.check import Finding

PLAIN_WIDTH = 80
"""Columns where there is no terminal to ask."""

Row = tuple[Verdict, str, str, str]
"""Verdict, check, what was seen, what to do."""

STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "red", Verdict.SKIPPED: "dim"}


def print_findings(findings: Sequence[Finding]) -> None:
    """Print every finding with its fix below it; all that is well in an environment takes one line."""
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    for environment, group in itertools.groupby(findings, key=lambda finding: finding.subject.environment):
        found = tuple(group)
        if environment:
            console.print(environment, style="bold", markup=False)
        console.print(_table(_brief(found) if environment else _rows(found)))
    console.print(summary(findings), markup=False)


def _table(rows: Iterable[Row]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=9)
    table.add_column(width=13)
    table.add_column(overflow="fold")
    for verdict, check, what, fix in rows:
        table.add_row(Text(f"  {verdict}", STYLES[verdict]), Text(check), Text(what))
        if fix:
            table.add_row("", "", Text(f"→ {fix}", "bold"))
    return table


def _rows(findings: Sequence[Finding]) -> Iterable[Row]:
    return ((each.verdict, each.subject.check, each.what, each.fix) for each in findings)


def _brief(findings: Sequence[Finding]) -> Iterable[Row]:
    """Yield what is not well; then one row for all the rest."""
    fine = [each.subject.check for each in findings if each.verdict is Verdict.OK]
    yield from _rows([each for each in findings if each.verdict is not Verdict.OK])
    if fine:
        yield Verdict.OK, "", ", ".join(fine), ""
