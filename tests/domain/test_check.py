"""Findings, and how they are counted."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.check import Finding, Subject, Verdict, count_findings, findings_summary

CLOCK = Subject("clock")
ALL = (CLOCK.ok("fine"), CLOCK.warning("slow", "set it"), CLOCK.problem("wrong", "set it"), CLOCK.skipped("unknown"))


def test_a_subject_says_what_was_found_of_it() -> None:
    """Every verdict has its own word, and only trouble has a fix."""
    assert [each.verdict for each in ALL] == [Verdict.OK, Verdict.WARNING, Verdict.PROBLEM, Verdict.SKIPPED]
    assert [each.fix for each in ALL] == ["", "set it", "set it", ""]
    assert {each.subject for each in ALL} == {CLOCK}


def test_counts_by_verdict() -> None:
    """One of each is one of each."""
    assert [count_findings((*ALL, *ALL), verdict) for verdict in Verdict] == [2, 2, 2, 2]


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        (ALL, "1 problem, 1 warning, 1 ok, 1 skipped"),
        (ALL[:1] * 10, "10 ok"),
        (ALL[1:3] * 10, "10 problems, 10 warnings"),
        ((), ""),
    ],
)
def test_summarises_only_what_there_is(findings: tuple[Finding, ...], said: str) -> None:
    """A kind that did not occur is left out; ten are not mistaken for none."""
    assert said == findings_summary(findings)
