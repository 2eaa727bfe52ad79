"""What `bump`, `cut`, `commit`, `build` and `tag` do."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli.params import parse_bump
from kaizen_tasks.domain.release import Release
from kaizen_tasks.flows import catalogue, steps
from kaizen_tasks.flows.release import files, pending
from kaizen_tasks.flows.runner import choose_executor, run_flow
from kaizen_tasks.flows.step import Flow
from kaizen_tasks.wiring import Toolbox


def bump(c: Context, *, part: str, to: str, force: bool) -> None:
    tools = wiring.toolbox(c.config)
    step = parse_bump(part, to, force=force, accept_released=False, ask_remote=bool(tools.settings.pipeline))
    release = _run_on_version_file((step,), tools)
    if release.commit and not tools.dry:
        run_flow((steps.FastForward(),), release, tools)


def cut(c: Context, *, part: str, to: str, push: bool, skip_docs: str, force: bool) -> None:
    tools = wiring.toolbox(c.config, draft=True)
    step = parse_bump(part, to, force=force, ask_remote=False)
    starting_release = Release(version=files.read_version(tools))
    tools.reporter.heading(f"{tools.settings.app}: cut {step.target_release(starting_release, tools).name}")
    flow = catalogue.cut(step, push=push, skip_docs=skip_docs)
    run_flow(flow, starting_release, tools, choose_executor(dry=tools.dry))


def commit(c: Context) -> None:
    _run_on_version_file(catalogue.commit(), wiring.toolbox(c.config))


def build(c: Context) -> None:
    _run_on_pending_release((steps.Build(),), wiring.toolbox(c.config))


def tag(c: Context) -> None:
    _run_on_pending_release((steps.Tag(),), wiring.toolbox(c.config))


def _run_on_version_file(flow: Flow, tools: Toolbox) -> Release:
    """Run a flow on the release that VERSION names, which may have no commit yet; return the release."""
    return run_flow(flow, Release(version=files.read_version(tools)), tools, choose_executor(dry=tools.dry))


def _run_on_pending_release(flow: Flow, tools: Toolbox) -> None:
    """Run a flow on the release that VERSION names, with its commit."""
    run_flow(flow, pending.current_release(tools), tools, choose_executor(dry=tools.dry))
