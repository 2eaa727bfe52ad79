"""Findings of checks, and how to fix what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from attrs import frozen


class Verdict(StrEnum):
    """Severity of a finding; only a problem prevents a release."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@frozen(kw_only=True)
class Finding:
    """The result of one check.

    Attributes:
        subject: what was checked.
        verdict: severity of the finding.
        message: what was found, or why the check was skipped.
        fix: how to fix the problem, in words or as a command; empty when there is nothing to do.
    """

    subject: Subject
    verdict: Verdict
    message: str
    fix: str = ""


@frozen
class Subject:
    """The subject of a finding: a check, and the environment that is checked.

    Attributes:
        check: name of the check: `repository`, `clock`.
        environment: the environment's name; empty for a check of the whole app.
    """

    check: str
    environment: str = ""

    def ok(self, message: str) -> Finding:
        """Return the finding that the check passed."""
        return Finding(subject=self, verdict=Verdict.OK, message=message)

    def warning(self, message: str, fix: str) -> Finding:
        """Return a warning: something to fix that does not prevent a release."""
        return Finding(subject=self, verdict=Verdict.WARNING, message=message, fix=fix)

    def problem(self, message: str, fix: str) -> Finding:
        """Return a finding that prevents a release."""
        return Finding(subject=self, verdict=Verdict.PROBLEM, message=message, fix=fix)

    def skipped(self, message: str, fix: str = "") -> Finding:
        """Return the finding that the check was skipped; `message` is the reason."""
        return Finding(subject=self, verdict=Verdict.SKIPPED, message=message, fix=fix)


def count_findings(findings: Iterable[Finding], verdict: Verdict) -> int:
    """Return the number of findings with a verdict."""
    return sum(finding.verdict is verdict for finding in findings)


def findings_summary(findings: Iterable[Finding]) -> str:
    """Return the number of findings of each severity: `2 problems, 1 warning, 30 ok`."""
    counts = Counter(finding.verdict for finding in findings)
    plural_verdicts = {verdict for verdict in (Verdict.PROBLEM, Verdict.WARNING) if counts[verdict] != 1}
    order = (Verdict.PROBLEM, Verdict.WARNING, Verdict.OK, Verdict.SKIPPED)
    return ", ".join(f"{counts[each]} {each}{'s' if each in plural_verdicts else ''}" for each in order if counts[each])
