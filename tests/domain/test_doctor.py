"""Findings and their summary."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.doctor import Finding, Subject, Verdict, count_findings, findings_summary

CLOCK = Subject("clock")
ALL = (CLOCK.ok("fine"), CLOCK.warning("slow", "set it"), CLOCK.problem("wrong", "set it"), CLOCK.skipped("unknown"))


def test_subject_makes_findings_of_each_verdict() -> None:
    assert [each.verdict for each in ALL] == [Verdict.OK, Verdict.WARNING, Verdict.PROBLEM, Verdict.SKIPPED]
    assert [each.fix for each in ALL] == ["", "set it", "set it", ""]
    assert {each.subject for each in ALL} == {CLOCK}


def test_findings_are_counted_by_verdict() -> None:
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
def test_summary_leaves_out_verdicts_without_findings(findings: tuple[Finding, ...], said: str) -> None:
    assert said == findings_summary(findings)
