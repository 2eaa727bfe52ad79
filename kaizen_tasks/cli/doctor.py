"""`inv doctor`: whether everything that a release needs is there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from kaizen_tasks.cli.command import JSON, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke.context import Context

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.check import Finding


@command(help={"json": JSON})
def doctor(c: Context, json: bool = False) -> None:
    """Check everything that a release needs, and say what to do about what is missing."""
    from kaizen_tasks.adapters.console import doctor_report
    from kaizen_tasks.cli import json_output
    from kaizen_tasks.flows.doctor import examine
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config, stream=sys.stderr if json else sys.stdout)
    findings = examine(tools)
    if json:
        json_output.print_json(_document(tools.settings, findings))
    else:
        doctor_report.print_findings(findings)
    _refuse(findings)


def _document(settings: Settings, findings: Sequence[Finding]) -> dict[str, Any]:
    from kaizen_tasks.domain.check import Verdict, count

    return {
        "app": settings.app,
        "problems": count(findings, Verdict.PROBLEM),
        "warnings": count(findings, Verdict.WARNING),
        "findings": [
            {
                "environment": finding.subject.environment or None,
                "check": finding.subject.check,
                "verdict": str(finding.verdict),
                "what": finding.what,
                "fix": finding.fix or None,
            }
            for finding in findings
        ],
    }


def _refuse(findings: Sequence[Finding]) -> None:
    from kaizen_tasks.domain.check import Verdict, count
    from kaizen_tasks.errors import Refused

    problems = count(findings, Verdict.PROBLEM)
    if problems:
        what = "1 problem keeps" if problems == 1 else f"{problems} problems keep"
        raise Refused(f"{what} a release from working", hint="mend what is listed above, then run inv doctor again")
