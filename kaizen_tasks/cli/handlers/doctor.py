"""What `doctor` does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.adapters.console import doctor_report
from kaizen_tasks.cli import json_output
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.doctor import Finding, Verdict, count_findings
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.doctor import run_checks


def doctor(c: Context, *, json: bool) -> None:
    tools = wiring.toolbox(c.config, stream=sys.stderr if json else sys.stdout)
    findings = run_checks(tools)
    if json:
        json_output.print_json(_findings_document(tools.settings, findings))
    else:
        doctor_report.print_findings(findings)
    _require_no_problems(findings)


def _findings_document(settings: Settings, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "app": settings.app,
        "problems": count_findings(findings, Verdict.PROBLEM),
        "warnings": count_findings(findings, Verdict.WARNING),
        "findings": [
            {
                "environment": finding.subject.environment or None,
                "check": finding.subject.check,
                "verdict": str(finding.verdict),
                "what": finding.message,
                "fix": finding.fix or None,
            }
            for finding in findings
        ],
    }


def _require_no_problems(findings: Sequence[Finding]) -> None:
    problem_count = count_findings(findings, Verdict.PROBLEM)
    if problem_count:
        subject = "1 problem keeps" if problem_count == 1 else f"{problem_count} problems keep"
        raise Refused(f"{subject} a release from working", hint="fix what is listed above, then run inv doctor again")
