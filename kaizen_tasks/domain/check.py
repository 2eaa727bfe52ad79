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
        what: what was seen; of something skipped, why it could not be.
        fix: what to do about it, in words or as a command; empty when there is nothing to do.
    """

    subject: Subject
    verdict: Verdict
    what: str
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

    def ok(self, what: str) -> Finding:
        """Say that it is as it should be."""
        return Finding(subject=self, verdict=Verdict.OK, what=what)

    def warning(self, what: str, fix: str) -> Finding:
        """Say that a release works, but that this should be put right."""
        return Finding(subject=self, verdict=Verdict.WARNING, what=what, fix=fix)

    def problem(self, what: str, fix: str) -> Finding:
        """Say that a release will not work."""
        return Finding(subject=self, verdict=Verdict.PROBLEM, what=what, fix=fix)

    def skipped(self, what: str, fix: str = "") -> Finding:
        """Say why it could not be looked at."""
        return Finding(subject=self, verdict=Verdict.SKIPPED, what=what, fix=fix)


def count(findings: Iterable[Finding], verdict: Verdict) -> int:
    """Return how many findings have a verdict."""
    return sum(finding.verdict is verdict for finding in findings)


def summary(findings: Iterable[Finding]) -> str:
    """Say how many findings there are of each kind: `2 problems, 1 warning, 30 ok`."""
    found = tuple(findings)
    counts = (
        _counted(count(found, Verdict.PROBLEM), "problem"),
        _counted(count(found, Verdict.WARNING), "warning"),
        f"{count(found, Verdict.OK)} ok",
        f"{count(found, Verdict.SKIPPED)} skipped",
    )
    return ", ".join(each for each in counts if not each.startswith("0 "))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
