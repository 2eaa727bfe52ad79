"""The release side: bump, commit, build, push, tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.cli.command import ENV_HELP, FORCE_HELP, PART_HELP, SKIP_DOCS_HELP, TO_HELP, command
from kaizen_tasks.cli.options import make_bump

if TYPE_CHECKING:
    from invoke.context import Context

    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.wiring import Toolbox


def _run(flow: Flow, tools: Toolbox) -> None:
    """Run a flow on the release that VERSION names."""
    from kaizen_tasks.cli.options import choose_executor
    from kaizen_tasks.flows.release import pending
    from kaizen_tasks.flows.runner import run_flow

    run_flow(flow, pending.current_release(tools), tools, choose_executor(tools))


@command(help={"part": PART_HELP, "to": TO_HELP, "force": FORCE_HELP})
def bump(c: Context, part: str = "auto", to: str = "", force: bool = False) -> None:
    """Write the next version into VERSION."""
    from kaizen_tasks.cli.options import choose_executor
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.release import files
    from kaizen_tasks.flows.runner import run_flow
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    step = make_bump(part, to, force=force, settled=False)
    run_flow((step,), Release(version=files.read_version(tools)), tools, choose_executor(tools))


@command(
    help={
        "part": PART_HELP,
        "to": TO_HELP,
        "push": "send branch and tag too",
        "skip-docs": SKIP_DOCS_HELP,
        "force": FORCE_HELP,
    }
)
def cut(
    c: Context, part: str = "auto", to: str = "", push: bool = False, skip_docs: str = "", force: bool = False
) -> None:
    """Release a library: bump, changelog, commit and tag, all or nothing."""
    from kaizen_tasks.cli.options import choose_executor
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.release import files
    from kaizen_tasks.flows.runner import run_flow
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config, draft=True)
    step, starting_release = make_bump(part, to, force=force), Release(version=files.read_version(tools))
    tools.reporter.heading(f"{tools.settings.app} {step.target_release(starting_release, tools).name}")
    run_flow(catalogue.cut(step, push=push, skip_docs=skip_docs), starting_release, tools, choose_executor(tools))


@command()
def commit(c: Context) -> None:
    """Make the release commit: HEAD plus VERSION and CHANGELOG.md, nothing else."""
    from kaizen_tasks.cli.options import choose_executor
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.release import files
    from kaizen_tasks.flows.runner import run_flow
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    run_flow(catalogue.commit(), Release(version=files.read_version(tools)), tools, choose_executor(tools))


@command()
def build(c: Context) -> None:
    """Build the image of the release commit, from a clean export."""
    from kaizen_tasks.flows.steps import Build
    from kaizen_tasks.wiring import toolbox

    _run((Build(),), toolbox(c.config))


@command(iterable=["env"], help={"env": ENV_HELP})
def push(c: Context, env: list[str]) -> None:
    """Upload :vX.Y.Z into an environment's repository; never replace other bytes."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows.steps import Push
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = prompts.resolve_stage(env, tools.settings)
    prompts.print_header("push", stage.environments, tools)
    _run(tuple(Push(environment=environment) for environment in stage.environments), tools)


@command()
def tag(c: Context) -> None:
    """Tag the release commit, and push tag and branch atomically."""
    from kaizen_tasks.flows.steps import Tag
    from kaizen_tasks.wiring import toolbox

    _run((Tag(),), toolbox(c.config))
