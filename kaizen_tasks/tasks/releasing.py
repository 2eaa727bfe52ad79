"""The release side: bump, commit, build, push, tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.tasks.boundary import ENV, PART, TO, command

if TYPE_CHECKING:
    from invoke.context import Context

    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.wiring import Toolbox


def _run(flow: Flow, tools: Toolbox) -> None:
    """Run a flow on the release that VERSION names."""
    from kaizen_tasks.flows import pending
    from kaizen_tasks.flows.runner import run
    from kaizen_tasks.tasks.executing import executor

    run(flow, pending.current(tools), tools, executor(tools))


@command(help={"part": PART, "to": TO})
def bump(c: Context, part: str = "auto", to: str = "") -> None:
    """Write the next version into VERSION."""
    from kaizen_tasks.domain import version as versions
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows import documents
    from kaizen_tasks.flows.runner import run
    from kaizen_tasks.flows.steps import Bump
    from kaizen_tasks.tasks.executing import executor
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    step = Bump(part=versions.parse_part(part), to=versions.parse(to, where="--to") if to else None)
    run((step,), Release(version=documents.version(tools)), tools, executor(tools))


@command()
def commit(c: Context) -> None:
    """Make the release commit: HEAD plus VERSION and CHANGELOG.md, nothing else."""
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows import catalogue, documents
    from kaizen_tasks.flows.runner import run
    from kaizen_tasks.tasks.executing import executor
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    run(catalogue.commit(), Release(version=documents.version(tools)), tools, executor(tools))


@command()
def build(c: Context) -> None:
    """Build the image of the release commit, from a clean export."""
    from kaizen_tasks.flows.steps import Build
    from kaizen_tasks.wiring import toolbox

    _run((Build(),), toolbox(c.config))


@command(iterable=["env"], help={"env": ENV})
def push(c: Context, env: list[str]) -> None:
    """Upload :vX.Y.Z into an environment's repository; never replace other bytes."""
    from kaizen_tasks.flows.steps import Push
    from kaizen_tasks.tasks import asking
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = asking.stage(env, tools.settings)
    asking.announce("push", stage.environments, tools)
    _run(tuple(Push(environment=environment) for environment in stage.environments), tools)


@command()
def tag(c: Context) -> None:
    """Tag the release commit, and push tag and branch atomically."""
    from kaizen_tasks.flows.steps import Tag
    from kaizen_tasks.wiring import toolbox

    _run((Tag(),), toolbox(c.config))
