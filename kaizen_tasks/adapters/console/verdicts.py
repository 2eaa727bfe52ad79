"""The words of the left column: what became of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import StepLabel

CHECK_STEPS = ("preflight", "evidence")
"""Steps that check and never act: passing them again is not work that was done before."""


def verdict(label: StepLabel, decision: Decision, *, dry: bool) -> str:
    """Return the verdict for a decision: `ok`, `already done`, `begin`, `would` or `refused`."""
    match decision:
        case Done():
            return "ok" if label.step in CHECK_STEPS else "already done"
        case Act():
            return "would" if dry else "begin"
        case Refuse():
            return "refused"


def decision_text(decision: Decision) -> str:
    """Return a decision's reason, or what will happen."""
    match decision:
        case Done(reason=text) | Act(description=text):
            return text
        case Refuse(reasons=reasons):
            return "; ".join(reasons)
