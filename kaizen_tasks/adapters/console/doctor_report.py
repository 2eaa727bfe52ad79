"""Prints the findings of `doctor` as a list."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from rich.text import Text

from kaizen_tasks.adapters.console.layout.wrapped_text import hanging_lines, wrap_words
from kaizen_tasks.adapters.console.safe_console import SafeConsole, report_console
from kaizen_tasks.adapters.host.program_path import typeable
from kaizen_tasks.domain.doctor import Finding, Verdict, findings_summary
from kaizen_tasks.domain.text.printable import printable

LOG_WIDTH = 80  # columns in a log
LABEL_WIDTHS = (13, 20)  # columns for names of checks: at least, and at most
FindingRow = tuple[Verdict, str, str, str]  # verdict, check, message, fix
VERDICT_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "red", Verdict.SKIPPED: "dim"}


def print_findings(findings: Sequence[Finding]) -> None:
    """Print every finding and, below it, its fix; the passed checks of an environment share one line.

    A fix of several findings is printed once, below all of them, with the names of what it is for.
    """
    console = report_console(LOG_WIDTH)
    shared_fixes = _shared_fixes(findings)
    least, most = LABEL_WIDTHS
    width = min(max((least, *(len(finding.subject.check) for finding in findings))), most)
    for environment, group in itertools.groupby(findings, key=lambda finding: finding.subject.environment):
        if environment:
            console.print(environment, style="bold")
        for verdict, check, what, fix in (_brief_rows if environment else _all_rows)(tuple(group)):
            _print_hanging(console, f"  {verdict:<9}{check:<{width}}  ", what, VERDICT_STYLES[verdict])
            if fix and fix not in shared_fixes:
                _print_hanging(console, f"{'':<{width + 13}}→ ", fix, "bold", whole=True)
    for fix, names in shared_fixes.items():
        console.print(
            Text("\n".join(wrap_words(f"→ {', '.join(names)}: {fix}", console.width)), "bold"), soft_wrap=True
        )
    console.print(findings_summary(findings))


def _print_hanging(console: SafeConsole, head: str, text: str, style: str, *, whole: bool = False) -> None:
    """Print a text beside its head, of which the verdict has the style; or the `whole` text."""
    lines = Text("\n".join(hanging_lines(head, printable(text), console.width)))
    lines.stylize(style, 0, len(lines) if whole else len(f"  {Verdict.PROBLEM}  "))
    console.print(lines, soft_wrap=True)


def _shared_fixes(findings: Sequence[Finding]) -> dict[str, tuple[str, ...]]:
    """Return the fixes of several findings, each with the names of their environments or checks."""
    names_by_fix: dict[str, list[str]] = {}
    for finding in findings:
        if finding.fix:
            names_by_fix.setdefault(_fix_text(finding), []).append(finding.subject.environment or finding.subject.check)
    return {
        typeable(printable(fix)): tuple(dict.fromkeys(names)) for fix, names in names_by_fix.items() if len(names) > 1
    }


def _fix_text(finding: Finding) -> str:
    return typeable(printable(finding.fix))


def _all_rows(findings: Sequence[Finding]) -> Iterable[FindingRow]:
    return ((finding.verdict, finding.subject.check, finding.message, _fix_text(finding)) for finding in findings)


def _brief_rows(findings: Sequence[Finding]) -> Iterable[FindingRow]:
    """Yield a row for each finding that is not ok, then one row with the names of all passed checks."""
    ok_checks = [finding.subject.check for finding in findings if finding.verdict is Verdict.OK]
    yield from _all_rows([finding for finding in findings if finding.verdict is not Verdict.OK])
    if ok_checks:
        yield Verdict.OK, "", ", ".join(ok_checks), ""
