"""What a rehearsal has found, for people and for programs."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from kaizen_tasks.domain import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.rehearsal.runner import Performance, Plan, Report

Document = dict[str, Any]  # JSON, on its way out


def text(plan: Plan, report: Report) -> str:
    """Return the report for people."""
    return "".join(f"{line}\n" for line in ("", *_lines(plan, report)))


def _lines(plan: Plan, report: Report) -> Iterator[str]:
    for each in report.performances:
        yield from _performance(each)
    if report.refs:
        yield f"pushed to {plan.settings.release.remote}" if report.copy.remote else "in the clone: there is no remote"
        yield from (f"  {ref}" for ref in report.refs)
    yield from (f"would be refused: {refusal}" for refusal in report.copy.refusals)
    yield _verdict(report)
    if report.environ:
        yield from _what_next(plan, report)


def _performance(each: Performance) -> Iterator[str]:
    outcome = f"failed with exit code {each.code}" if each.code else "succeeded"
    yield f"inv {each.command} {outcome} after {duration.show(each.seconds)}"
    slow = sorted((step for step in each.steps if step.seconds), key=lambda step: step.seconds, reverse=True)
    if slow:
        yield f"  time  {', '.join(f'{step.step} {duration.show(step.seconds)}' for step in slow)}"
    yield from (f"  AWS   {name}{f' x{count}' if count > 1 else ''}" for name, count in each.changes.items())


def _verdict(report: Report) -> str:
    found = f"{report.witnessed:,} files and folders of the repository are as they were"
    if report.code:
        return f"{'It would fail' if report.began else 'The rehearsal could not begin'}. {found}."
    return f"It would {'succeed, once that is settled' if report.copy.refusals else 'succeed'}. {found}."


def _what_next(plan: Plan, report: Report) -> Iterator[str]:
    state = plan.work / "cloud"
    yield "Everything keeps running. To go on by hand:"
    yield f"  cd {shlex.quote(str(report.copy.app))} && . {shlex.quote(str(state / 'environ'))}"
    yield "To stop it:"
    yield f"  inv local.down --state {shlex.quote(str(state))}"


def document(plan: Plan, report: Report) -> Document:
    """Return the document of `rehearse --json`."""
    return {
        "app": plan.settings.app,
        "engine": plan.engine,
        "exit_code": report.code,
        "refusals": list(report.copy.refusals),
        "commands": [_command(each) for each in report.performances],
        "refs": list(report.refs),
        "unchanged": report.witnessed,
        "work": _work(plan, report) if report.environ else None,
    }


def _command(each: Performance) -> Document:
    return {
        "command": each.command,
        "exit_code": each.code,
        "error": each.error or None,
        "seconds": round(each.seconds, 3),
        "steps": [{"step": step.step, "verdict": step.verdict, "seconds": step.seconds} for step in each.steps],
        "changes": [{"what": name, "times": count} for name, count in each.changes.items()],
    }


def _work(plan: Plan, report: Report) -> Document:
    return {
        "repository": str(report.copy.app),
        "remote": str(report.copy.remote) if report.copy.remote else None,
        "state": str(plan.work / "cloud"),
        "environ": dict(report.environ),
    }
