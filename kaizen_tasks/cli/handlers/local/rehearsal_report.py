"""The report of a rehearsal, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kaizen_tasks.domain.text import duration
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.errors import DeployFailed, VerifyFailed
from kaizen_tasks.rehearsal.local_cloud import cloud as clouds
from kaizen_tasks.rehearsal.runner import CommandRun, RehearsalReport

Document = dict[str, Any]  # JSON, on its way out

SHOWN_CHANGES = 20
"""Changes of AWS that the report lists for each command."""

SHOWN_SECONDS, SHOWN_STEPS = 0.1, 6
"""Which steps the report lists with their times: those that took as long, and so many of them; `--json` has all."""


def report_text(report: RehearsalReport) -> str:
    """Return the report as text, without what was printed before the first command."""
    return "\n".join(("", *_report_lines(report)))


def _report_lines(report: RehearsalReport) -> Iterator[str]:
    for command_run in report.command_runs:
        yield from _command_lines(command_run)
    if report.refs:
        yield f"pushed to {report.clone.remote_name}" if report.clone.remote else "in the clone: there is no remote"
        yield from (f"  {ref}" for ref in report.refs)
    yield from (f"would be refused: {refusal}" for refusal in report.clone.refusals)
    yield from (f"not proven: {text}" for text in report.unproven)
    if report.plan.stand_in_reason:
        yield "the image was a stand-in, for the reason above"
    if report.exit_code in {DeployFailed.exit_code, VerifyFailed.exit_code}:
        yield "an app gets what it needs to start from [rehearse] in kaizen.toml: env, secrets, port, start_timeout"
    yield _verdict_line(report)
    if report.environ:
        yield clouds.next_steps(report.clone.app_folder, report.plan.state / clouds.ENV_FILE_NAME)


def _command_lines(command_run: CommandRun) -> Iterator[str]:
    outcome = f"failed with exit code {command_run.exit_code}" if command_run.exit_code else "succeeded"
    yield f"inv {command_run.command} {outcome} after {duration.format_duration(command_run.seconds)}"
    slow_steps = [step for step in command_run.steps if (step.seconds or 0) >= SHOWN_SECONDS]
    slow_steps.sort(key=lambda step: step.seconds or 0, reverse=True)
    if slow_steps:
        texts = (f"{step.label} {duration.format_duration(step.seconds or 0)}" for step in slow_steps)
        yield f"  time  {list_names([*texts], limit=SHOWN_STEPS)}"
    changes = [f"{name}{f' x{count}' if count > 1 else ''}" for name, count in command_run.changes.items()]
    yield from (f"  AWS   {change}" for change in changes[:SHOWN_CHANGES])
    if len(changes) > SHOWN_CHANGES:
        yield f"  AWS   and {len(changes) - SHOWN_CHANGES} more, which --json lists"


def _verdict_line(report: RehearsalReport) -> str:
    return f"{_verdict(report)}. {_unchanged_note(report)}"


def _verdict(report: RehearsalReport) -> str:
    if report.exit_code:
        return "It would fail"
    outcome = "Once that is settled, it would succeed" if report.clone.refusals else "It would succeed"
    if platform := report.plan.foreign_platform:
        return f"{outcome} on {report.plan.platforms}; this app runs on {platform}, for which that says nothing"
    return f"{outcome}, as far as stand-ins show" if report.unproven else outcome


def _unchanged_note(report: RehearsalReport) -> str:
    if report.changed:
        return f"Of the repository's files and refs, {len(report.changed):,} have changed meanwhile."
    return f"{report.compared_count:,} files and refs of the repository are unchanged."


def report_document(report: RehearsalReport) -> Document:
    """Return the document of `rehearse --json`."""
    return {
        "app": report.plan.settings.app,
        "engine": report.plan.engine,
        "stand_in": report.plan.stand_in_reason or None,
        "exit_code": report.exit_code,
        "refusals": list(report.clone.refusals),
        "commands": [_command_document(command_run) for command_run in report.command_runs],
        "refs": list(report.refs),
        "not_proven": list(report.unproven),
        "unchanged": report.compared_count - len(report.changed),
        "changed": list(report.changed),
        "work": _work_document(report) if report.environ else None,
    }


def _command_document(command_run: CommandRun) -> Document:
    return {
        "command": command_run.command,
        "exit_code": command_run.exit_code,
        "error": command_run.error or None,
        "seconds": round(command_run.seconds, 3),
        "steps": [
            {"step": str(step.label), "verdict": step.verdict, "seconds": step.seconds or 0}
            for step in command_run.steps
        ],
        "changes": [{"what": name, "times": count} for name, count in command_run.changes.items()],
    }


def _work_document(report: RehearsalReport) -> Document:
    return {
        "repository": str(report.clone.app_folder),
        "remote": str(report.clone.remote) if report.clone.remote else None,
        "state": str(report.plan.state),
        "environ": dict(report.environ),
    }
