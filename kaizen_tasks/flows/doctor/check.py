"""A check of `inv doctor`: its result is findings, also when it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import frozen

from kaizen_tasks.domain.doctor import Finding, Subject, Verdict
from kaizen_tasks.errors import KaizenError, Unsupported


@frozen(kw_only=True)
class Check:
    """One check of one subject.

    Attributes:
        subject: what is checked.
        probe: checks the subject and returns the findings.
        error_verdict: the verdict when the probe raises.
        before_changes: the gravest verdict that the check has before a change of environments; None where it is not
            asked before one. A warning does not refuse the change.
    """

    subject: Subject
    probe: Callable[[Subject], Iterable[Finding]]
    error_verdict: Verdict = Verdict.PROBLEM
    before_changes: Verdict | None = None

    def run(self) -> tuple[Finding, ...]:
        """Return the findings of the probe, or one finding with its error."""
        try:
            return tuple(self.probe(self.subject))
        except Unsupported as error:
            return (self.subject.skipped(error.message),)
        except KaizenError as error:
            return (Finding(subject=self.subject, verdict=self.error_verdict, message=error.message, fix=error.hint),)
