"""What `rehearse` does: this app's own flows on a local cloud."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TextIO

from invoke.context import Context
from invoke.exceptions import Exit

from kaizen_tasks import wiring
from kaizen_tasks.adapters.build.select import detect_engine
from kaizen_tasks.adapters.host.scratch import scratch_folder
from kaizen_tasks.adapters.init.scan_repo import scan_repo
from kaizen_tasks.cli import json_output, params, stopped
from kaizen_tasks.cli.error_text import text_of_output
from kaizen_tasks.cli.handlers.local import rehearsal_report
from kaizen_tasks.cli.handlers.local.demo import make_empty_folder
from kaizen_tasks.domain.build.stand_in import STAND_IN
from kaizen_tasks.domain.init.proposal import detect_environments
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.errors import KaizenError, UsageError
from kaizen_tasks.rehearsal import fingerprint, flow_check, runner
from kaizen_tasks.rehearsal.commands import print_line
from kaizen_tasks.rehearsal.plan import RehearsalPlan
from kaizen_tasks.rehearsal.services import stand_ins
from kaizen_tasks.wiring import Toolbox


def rehearse(c: Context, *, flow: str, like: str, keep: str, engine: str, json: bool) -> None:
    params.parse_engine(engine)
    out = sys.stderr if json else sys.stdout
    tools = wiring.toolbox(c.config, stream=out)
    if tools.dry:
        out.write(f"would rehearse {flow or 'the whole pipeline'} in a scratch clone; nothing has been started\n")
        return
    plan = partial(_make_plan, tools, flow, like, engine, out)
    if keep:
        folder = _make_folder_outside_repo(Path(keep), tools)
        with stopped.fresh_start("the rehearsal", kept=folder):
            _rehearse(plan(folder, keep=True), json=json)
        return
    with stopped.fresh_start("the rehearsal", kept=None), scratch_folder("kaizen-rehearsal-") as scratch:
        _rehearse(plan(scratch, keep=False), json=json)


def _make_plan(
    tools: Toolbox, flow: str, like: str, engine: str, out: TextIO, work: Path, *, keep: bool
) -> RehearsalPlan:
    """Return the plan; an engine that was not asked for, and does not work here, is replaced by stand-in images.

    Raises:
        Refused: the requested engine does not work here.
        UsageError: the app has no environments.
    """
    tools.settings.first_stage  # noqa: B018 - raises the error of an app without environments
    flow_check.check_values(flow, tools.settings)
    environment = params.resolve_environment(like, tools.settings) if like else None
    insists = engine != "auto"
    reason = "" if insists else stand_ins.find_obstacle(tools.settings)
    if reason:
        print_line(out, f"rehearsing with a stand-in image, which only answers: {reason}")
    rules = tools.settings.build._replace(engine=engine) if insists else tools.settings.build
    return RehearsalPlan(
        settings=tools.settings,
        flow=" ".join(flow.split()),
        like=environment,
        engine=STAND_IN if reason else detect_engine(rules).name,
        stand_in_reason=reason,
        foreign_platform=_find_foreign_platform(tools, out),
        insists=insists,
        work=work,
        keep=keep,
        out=out,
    )


def _find_foreign_platform(tools: Toolbox, out: TextIO) -> str:
    """Return what the app runs on according to its files if these tasks do not deploy to it, and say so; else empty."""
    foreign = detect_environments(scan_repo(tools.settings.root)).foreign_platform
    if foreign is None:
        return ""
    print_line(out, f"this app runs on {foreign}, to which these tasks do not deploy: a rehearsal says nothing of it")
    return str(foreign)


def _rehearse(plan: RehearsalPlan, *, json: bool) -> None:
    """Rehearse, print the report, and exit as the flow did."""
    report = runner.run_rehearsal(plan)
    print_line(plan.out, rehearsal_report.report_text(report))
    if json:
        json_output.print_json(rehearsal_report.report_document(report))
    if report.exit_code:
        raise Exit(text_of_output(report.command_runs[-1].error), code=report.exit_code)
    if report.changed:
        raise KaizenError(
            f"your repository changed during the rehearsal: {list_names(report.changed)}",
            state="the report above stands: a rehearsal changes nothing there, and another program may have",
            hint="rehearse again while nothing else works in the repository",
        )


def _make_folder_outside_repo(folder: Path, tools: Toolbox) -> Path:
    """Return an empty folder outside the repository, which a rehearsal must not change."""
    repo_folders = fingerprint.repo_folders(tools.settings.root)
    if any(folder.resolve().is_relative_to(repo_folder) for repo_folder in repo_folders):
        raise UsageError(f"--keep {folder}: is in the app's own repository", hint="name a folder outside of it")
    return make_empty_folder(folder)
