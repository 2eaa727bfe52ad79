"""What `rehearse` does: this app's own flows on a local cloud."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

from invoke.context import Context
from invoke.exceptions import Exit

from kaizen_tasks import wiring
from kaizen_tasks.adapters.build.select import detect_engine
from kaizen_tasks.adapters.host.scratch import scratch_folder
from kaizen_tasks.cli import json_output, params, stopped
from kaizen_tasks.cli.handlers.local import rehearsal_report
from kaizen_tasks.cli.handlers.local.demo import make_empty_folder
from kaizen_tasks.errors import ConfigurationError, Refused, UsageError
from kaizen_tasks.rehearsal import fingerprint, runner
from kaizen_tasks.wiring import Toolbox


def rehearse(c: Context, *, flow: str, keep: str, engine: str, json: bool) -> None:
    params.parse_engine(engine)
    out = sys.stderr if json else sys.stdout
    tools = wiring.toolbox(c.config, stream=out)
    if tools.dry:
        out.write(f"would rehearse {flow or 'the whole pipeline'} in a scratch clone; nothing has been started\n")
        return
    engine_name = _choose_engine(engine, tools, out)
    if keep:
        folder = _make_folder_outside_repo(Path(keep), tools)
        with stopped.fresh_start("the rehearsal", kept=folder):
            _rehearse(flow, engine_name, folder, tools, out, keep=True, json=json)
        return
    with stopped.fresh_start("the rehearsal", kept=None), scratch_folder("kaizen-rehearsal-") as scratch:
        _rehearse(flow, engine_name, scratch, tools, out, keep=False, json=json)


def _rehearse(flow: str, engine: str, work: Path, tools: Toolbox, out: TextIO, *, keep: bool, json: bool) -> None:
    """Rehearse, print the report, and exit as the flow did."""
    tools.settings.first_stage  # noqa: B018 - raises the error of an app without environments
    plan = runner.RehearsalPlan(
        settings=tools.settings, flow=" ".join(flow.split()), engine=engine, work=work, keep=keep, out=out
    )
    report = runner.run_rehearsal(plan)
    out.write(rehearsal_report.report_text(plan, report))
    if json:
        json_output.print_json(rehearsal_report.report_document(plan, report))
    if report.exit_code:
        raise Exit(report.command_runs[-1].error, code=report.exit_code)


def _choose_engine(requested: str, tools: Toolbox, out: TextIO) -> str:
    """Return the build engine: the requested, configured or first working one, else bundle where the app can be one.

    Raises:
        Refused: no engine of this machine can build the app.
    """
    rules = tools.settings.build
    rules = rules._replace(engine=requested) if requested != "auto" else rules
    if rules.engine == "bundle" and not rules.command:
        raise ConfigurationError(("build.command is missing: a bundle needs it as its entry point",))
    try:
        return detect_engine(rules).name
    except Refused as error:
        if rules.engine != "auto" or not rules.command:
            raise
        out.write(f"{error.message}: rehearsing with a bundle, without the Dockerfile\n")
        return "bundle"


def _make_folder_outside_repo(folder: Path, tools: Toolbox) -> Path:
    """Return an empty folder outside the repository, which a rehearsal must not change."""
    repo_folders = fingerprint.repo_folders(tools.settings.root)
    if any(folder.resolve().is_relative_to(repo_folder) for repo_folder in repo_folders):
        raise UsageError(f"--keep {folder}: is in the app's own repository", hint="name a folder outside of it")
    return make_empty_folder(folder)
