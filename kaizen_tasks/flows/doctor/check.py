"""One look at one thing, which ends in findings whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import frozen

from kaizen_tasks.domain.check import Finding, Subject, Verdict
from kaizen_tasks.errors import KaizenError


@frozen(kw_only=True)
class Check:
    """Something to look at.

    Attributes:
        subject: what it is.
        probe: looks, and says what it finds.
        error_verdict: what it means when nothing can be seen.
    """

    subject: Subject
    probe: Callable[[Subject], Iterable[Finding]]
    error_verdict: Verdict = Verdict.PROBLEM

    def run(self) -> tuple[Finding, ...]:
        """Return what is found; a failure is a finding too."""
        try:
            return tuple(self.probe(self.subject))
        except KaizenError as error:
            return (Finding(subject=self.subject, verdict=self.error_verdict, message=error.message, fix=error.hint),)
