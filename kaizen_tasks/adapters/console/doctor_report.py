"""Prints the findings of `doctor` as a list."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from kaizen_tasks.adapters.console.safe_console import SafeConsole
from kaizen_tasks.domain.doctor import Finding, Verdict, findings_summary

PLAIN_WIDTH = 80  # columns when the output is not a terminal
FindingRow = tuple[Verdict, str, str, str]  # verdict, check, message, fix
VERDICT_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "red", Verdict.SKIPPED: "dim"}


def print_findings(findings: Sequence[Finding]) -> None:
    """Print every finding and, below it, its fix; the passed checks of an environment share one line."""
    console = SafeConsole(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    for environment, group in itertools.groupby(findings, key=lambda finding: finding.subject.environment):
        if environment:
            console.print(environment, style="bold")
        console.print(_table((_brief_rows if environment else _all_rows)(tuple(group))))
    console.print(findings_summary(findings))


def _table(rows: Iterable[FindingRow]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=9)
    table.add_column(width=13)
    table.add_column(overflow="fold")
    for verdict, check, what, fix in rows:
        table.add_row(Text(f"  {verdict}", VERDICT_STYLES[verdict]), Text(check), Text(what))
        if fix:
            table.add_row("", "", Text(f"→ {fix}", "bold"))
    return table


def _all_rows(findings: Sequence[Finding]) -> Iterable[FindingRow]:
    return ((finding.verdict, finding.subject.check, finding.message, finding.fix) for finding in findings)


def _brief_rows(findings: Sequence[Finding]) -> Iterable[FindingRow]:
    """Yield a row for each finding that is not ok, then one row with the names of all passed checks."""
    ok_checks = [finding.subject.check for finding in findings if finding.verdict is Verdict.OK]
    yield from _all_rows([finding for finding in findings if finding.verdict is not Verdict.OK])
    if ok_checks:
        yield Verdict.OK, "", ", ".join(ok_checks), ""
