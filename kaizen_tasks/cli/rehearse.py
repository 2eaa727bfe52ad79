"""`inv rehearse`: this app's own flows on a local cloud."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from kaizen_tasks.cli.command import JSON, command

if TYPE_CHECKING:
    from pathlib import Path

    from invoke.context import Context

    from kaizen_tasks.wiring import Toolbox


@command(
    help={
        "flow": "release-staging, promote-prod, 'rollback --env mark'; without it, the release and every promotion",
        "keep": "leave everything running, in this folder",
        "engine": "auto, docker, podman, buildah or bundle; auto is what the configuration says",
        "json": JSON,
    },
)
def rehearse(c: Context, flow: str = "", keep: str = "", engine: str = "auto", json: bool = False) -> None:
    """Take this app through a flow in a scratch clone on a local cloud, and say what would happen on AWS."""
    import tempfile
    from pathlib import Path

    from kaizen_tasks.wiring import toolbox

    people = sys.stderr if json else sys.stdout
    tools = toolbox(c.config, stream=people)
    if tools.dry:
        people.write(f"would rehearse {flow or 'the whole pipeline'} in a scratch clone; changes nothing here\n")
        return
    chosen = _engine(engine, tools, people)
    if keep:
        _rehearse(flow, chosen, _apart(Path(keep), tools), tools, people, kept=True, json=json)
        return
    with tempfile.TemporaryDirectory(prefix="kaizen-rehearsal-") as folder:
        _rehearse(flow, chosen, Path(folder).resolve(), tools, people, kept=False, json=json)


def _rehearse(flow: str, engine: str, work: Path, tools: Toolbox, people: TextIO, *, kept: bool, json: bool) -> None:
    """Rehearse, report, and end as the flow has ended."""
    from invoke.exceptions import Exit

    from kaizen_tasks.cli import json_output, rehearsal_report
    from kaizen_tasks.rehearsal import runner

    tools.settings.first_stage  # noqa: B018 - says what is missing when there is nothing to deploy to
    plan = runner.Plan(
        settings=tools.settings, flow=" ".join(flow.split()), engine=engine, work=work, keep=kept, people=people
    )
    report = runner.run(plan)
    people.write(rehearsal_report.text(plan, report))
    if json:
        json_output.print_json(rehearsal_report.document(plan, report))
    if report.code:
        raise Exit(report.performances[-1].error, code=report.code)


def _engine(wanted: str, tools: Toolbox, people: TextIO) -> str:
    """Return what builds: as asked, as configured, what works here, or a bundle where the app can be one.

    Raises:
        Refused: nothing on this machine builds the app; the error says what to install.
    """
    from attrs import evolve

    from kaizen_tasks.adapters.host.local_host import LocalMachine
    from kaizen_tasks.errors import ConfigurationError, Refused

    rules = tools.settings.build
    rules = evolve(rules, engine=wanted) if wanted != "auto" else rules
    if rules.engine == "bundle" and not rules.command:
        raise ConfigurationError(("build.command is missing: a bundle needs an entry point",))
    try:
        return LocalMachine(rules).engine().name
    except Refused as error:
        if rules.engine != "auto" or not rules.command:
            raise
        people.write(f"{error.what}: a bundle is rehearsed, and the Dockerfile is not\n")
        return "bundle"


def _apart(folder: Path, tools: Toolbox) -> Path:
    """Return an empty folder outside the repository, in which it would be a change."""
    from kaizen_tasks.cli.demo import empty
    from kaizen_tasks.errors import UsageError
    from kaizen_tasks.rehearsal import fingerprint

    if any(folder.resolve().is_relative_to(place) for place in fingerprint.folders(tools.settings.root)):
        raise UsageError(f"--keep {folder}: lies in the app's own repository", hint="name a folder outside of it")
    return empty(folder)
