"""What a look at the world has found, and what to do about it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable


class Verdict(StrEnum):
    """How bad it is; only a problem keeps a release from working."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@frozen(kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what was looked at.
        verdict: how bad it is.
        message: what was seen; of something skipped, why it could not be.
        fix: what to do about it, in words or as a command; empty when there is nothing to do.
    """

    subject: Subject
    verdict: Verdict
    message: str
    fix: str = ""


@frozen
class Subject:
    """Names something to look at.

    Attributes:
        check: `repository`, `clock`.
        environment: the environment that it belongs to; empty when it belongs to the whole app.
    """

    check: str
    environment: str = ""

    def ok(self, message: str) -> Finding:
        """Say that it is as it should be."""
        return Finding(subject=self, verdict=Verdict.OK, message=message)

    def warning(self, message: str, fix: str) -> Finding:
        """Say that a release works, but that this should be put right."""
        return Finding(subject=self, verdict=Verdict.WARNING, message=message, fix=fix)

    def problem(self, message: str, fix: str) -> Finding:
        """Say that a release will not work."""
        return Finding(subject=self, verdict=Verdict.PROBLEM, message=message, fix=fix)

    def skipped(self, message: str, fix: str = "") -> Finding:
        """Say why it could not be looked at."""
        return Finding(subject=self, verdict=Verdict.SKIPPED, message=message, fix=fix)


def count_findings(findings: Iterable[Finding], verdict: Verdict) -> int:
    """Return how many findings have a verdict."""
    return sum(finding.verdict is verdict for finding in findings)


def findings_summary(findings: Iterable[Finding]) -> str:
    """Say how many findings there are of each kind: `2 problems, 1 warning, 30 ok`."""
    all_findings = tuple(findings)
    counts = (
        _pluralize(count_findings(all_findings, Verdict.PROBLEM), "problem"),
        _pluralize(count_findings(all_findings, Verdict.WARNING), "warning"),
        f"{count_findings(all_findings, Verdict.OK)} ok",
        f"{count_findings(all_findings, Verdict.SKIPPED)} skipped",
    )
    return ", ".join(text for text in counts if not text.startswith("0 "))


def _pluralize(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
