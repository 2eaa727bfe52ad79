"""The release side: bump, commit, build, push, tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.cli import options
from kaizen_tasks.cli.command import ENV, FORCE, PART, SKIP_DOCS, TO, command

if TYPE_CHECKING:
    from invoke.context import Context

    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.wiring import Toolbox


def _run(flow: Flow, tools: Toolbox) -> None:
    """Run a flow on the release that VERSION names."""
    from kaizen_tasks.cli.options import executor
    from kaizen_tasks.flows.release import pending
    from kaizen_tasks.flows.runner import run

    run(flow, pending.current(tools), tools, executor(tools))


@command(help={"part": PART, "to": TO, "force": FORCE})
def bump(c: Context, part: str = "auto", to: str = "", force: bool = False) -> None:
    """Write the next version into VERSION."""
    from kaizen_tasks.cli.options import executor
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.release import files
    from kaizen_tasks.flows.runner import run
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    step = options.bump(part, to, force=force, settled=False)
    run((step,), Release(version=files.version(tools)), tools, executor(tools))


@command(help={"part": PART, "to": TO, "push": "send branch and tag too", "skip-docs": SKIP_DOCS, "force": FORCE})
def cut(
    c: Context, part: str = "auto", to: str = "", push: bool = False, skip_docs: str = "", force: bool = False
) -> None:
    """Release a library: bump, changelog, commit and tag, all or nothing."""
    from kaizen_tasks.cli.options import executor
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.release import files
    from kaizen_tasks.flows.runner import run
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config, draft=True)
    step, start = options.bump(part, to, force=force), Release(version=files.version(tools))
    tools.reporter.heading(f"{tools.settings.app} {step.wanted(start, tools).name}")
    run(catalogue.cut(step, push=push, skip_docs=skip_docs), start, tools, executor(tools))


@command()
def commit(c: Context) -> None:
    """Make the release commit: HEAD plus VERSION and CHANGELOG.md, nothing else."""
    from kaizen_tasks.cli.options import executor
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.release import files
    from kaizen_tasks.flows.runner import run
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    run(catalogue.commit(), Release(version=files.version(tools)), tools, executor(tools))


@command()
def build(c: Context) -> None:
    """Build the image of the release commit, from a clean export."""
    from kaizen_tasks.flows.steps import Build
    from kaizen_tasks.wiring import toolbox

    _run((Build(),), toolbox(c.config))


@command(iterable=["env"], help={"env": ENV})
def push(c: Context, env: list[str]) -> None:
    """Upload :vX.Y.Z into an environment's repository; never replace other bytes."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows.steps import Push
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = prompts.stage(env, tools.settings)
    prompts.announce("push", stage.environments, tools)
    _run(tuple(Push(environment=environment) for environment in stage.environments), tools)


@command()
def tag(c: Context) -> None:
    """Tag the release commit, and push tag and branch atomically."""
    from kaizen_tasks.flows.steps import Tag
    from kaizen_tasks.wiring import toolbox

    _run((Tag(),), toolbox(c.config))
