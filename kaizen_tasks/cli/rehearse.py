"""`inv rehearse`: this app's own flows on a local cloud."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from kaizen_tasks.cli.command import JSON_HELP, command

if TYPE_CHECKING:
    from pathlib import Path

    from invoke.context import Context

    from kaizen_tasks.wiring import Toolbox


@command(
    help={
        "flow": "release-staging, promote-prod, 'rollback --env mark'; without it, the release and every promotion",
        "keep": "leave everything running, in this folder",
        "engine": "auto, docker, podman, buildah or bundle; auto is what the configuration says",
        "json": JSON_HELP,
    },
)
def rehearse(c: Context, flow: str = "", keep: str = "", engine: str = "auto", json: bool = False) -> None:
    """Take this app through a flow in a scratch clone on a local cloud, and say what would happen on AWS."""
    import tempfile
    from pathlib import Path

    from kaizen_tasks.wiring import toolbox

    out = sys.stderr if json else sys.stdout
    tools = toolbox(c.config, stream=out)
    if tools.dry:
        out.write(f"would rehearse {flow or 'the whole pipeline'} in a scratch clone; changes nothing here\n")
        return
    engine_name = _choose_engine(engine, tools, out)
    if keep:
        _rehearse(flow, engine_name, _make_folder_outside_repo(Path(keep), tools), tools, out, keep=True, json=json)
        return
    with tempfile.TemporaryDirectory(prefix="kaizen-rehearsal-") as folder:
        _rehearse(flow, engine_name, Path(folder).resolve(), tools, out, keep=False, json=json)


def _rehearse(flow: str, engine: str, work: Path, tools: Toolbox, out: TextIO, *, keep: bool, json: bool) -> None:
    """Rehearse, report, and end as the flow has ended."""
    from invoke.exceptions import Exit

    from kaizen_tasks.cli import json_output, rehearsal_report
    from kaizen_tasks.rehearsal import runner

    tools.settings.first_stage  # noqa: B018 - says what is missing when there is nothing to deploy to
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
    """Return what builds: as asked, as configured, what works here, or a bundle where the app can be one.

    Raises:
        Refused: nothing on this machine builds the app; the error says what to install.
    """
    from attrs import evolve

    from kaizen_tasks.adapters.build.select import detect_engine
    from kaizen_tasks.errors import ConfigurationError, Refused

    rules = tools.settings.build
    rules = evolve(rules, engine=requested) if requested != "auto" else rules
    if rules.engine == "bundle" and not rules.command:
        raise ConfigurationError(("build.command is missing: a bundle needs an entry point",))
    try:
        return detect_engine(rules).name
    except Refused as error:
        if rules.engine != "auto" or not rules.command:
            raise
        out.write(f"{error.message}: a bundle is rehearsed, and the Dockerfile is not\n")
        return "bundle"


def _make_folder_outside_repo(folder: Path, tools: Toolbox) -> Path:
    """Return an empty folder outside the repository, in which it would be a change."""
    from kaizen_tasks.cli.demo import make_empty_folder
    from kaizen_tasks.errors import UsageError
    from kaizen_tasks.rehearsal import fingerprint

    if any(
        folder.resolve().is_relative_to(repo_folder) for repo_folder in fingerprint.repo_folders(tools.settings.root)
    ):
        raise UsageError(f"--keep {folder}: lies in the app's own repository", hint="name a folder outside of it")
    return make_empty_folder(folder)
