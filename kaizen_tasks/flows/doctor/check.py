"""One look at one thing, which ends in findings whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import frozen

from kaizen_tasks.domain.check import Finding, Subject, Verdict
from kaizen_tasks.errors import KaizenError


@frozen(kw_only=True)
class Look:
    """Something to look at.

    Attributes:
        subject: what it is.
        see: looks, and says what it finds.
        unseen: what it means when nothing can be seen.
    """

    subject: Subject
    see: Callable[[Subject], Iterable[Finding]]
    unseen: Verdict = Verdict.PROBLEM

    def settle(self) -> tuple[Finding, ...]:
        """Return what is found; a failure is a finding too."""
        try:
            return tuple(self.see(self.subject))
        except KaizenError as error:
            return (Finding(subject=self.subject, verdict=self.unseen, what=error.what, fix=error.hint),)
