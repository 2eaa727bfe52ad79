"""The flows that make a release: `release-<first stage>` and `hotfix`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaizen_tasks.cli import options
from kaizen_tasks.cli.command import FORCE, NO_ROLLBACK, PART, SKIP_DOCS, TO, WAIT, YES, command

if TYPE_CHECKING:
    from invoke.context import Context

    from kaizen_tasks.cli.options import Asked
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.flows.steps import Bump
    from kaizen_tasks.wiring import Toolbox

HELP = {
    "part": PART,
    "to": TO,
    "yes": YES,
    "skip-docs": SKIP_DOCS,
    "force": FORCE,
    "wait": WAIT,
    "no-rollback": NO_ROLLBACK,
}


def release_task(stage: str) -> Any:
    """Make the task that releases to the first stage."""

    @command(name=f"release-{stage}", help={**HELP})
    def release(
        c: Context,
        part: str = "auto",
        to: str = "",
        yes: bool = False,
        skip_docs: str = "",
        force: bool = False,
        wait: str = "",
        no_rollback: bool = False,
    ) -> None:
        from kaizen_tasks.cli import prompts
        from kaizen_tasks.flows import catalogue
        from kaizen_tasks.wiring import toolbox

        tools = toolbox(c.config, draft=True)
        first = prompts.first_stage(stage, tools.settings)
        step = options.bump(part, to, force=force)
        asked = options.Asked(yes=yes, wait=wait, go_back=not no_rollback)
        _run(catalogue.release(step, first, skip_docs=skip_docs), step, first.environments, tools, asked)

    release.__doc__ = release.body.__doc__ = f"Release to {stage}: from the commit to a verified service and a tag."
    return release


@command(help={"env": "the environment", "reason": "why, for the hold that it leaves", **HELP})
def hotfix(
    c: Context,
    env: str = "",
    reason: str = "",
    part: str = "auto",
    to: str = "",
    yes: bool = False,
    skip_docs: str = "",
    force: bool = False,
    wait: str = "",
    no_rollback: bool = False,
) -> None:
    """Release straight to one environment from a hotfix branch, then hold it."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config, draft=True)
    environment = prompts.environment(env, tools.settings)
    step = options.bump(part, to, force=force, hotfix=True)
    flow = catalogue.hotfix(step, environment, reason=reason or "hotfix", skip_docs=skip_docs)
    asked = options.Asked(yes=yes, wait=wait, go_back=not no_rollback)
    _run(flow, step, (environment,), tools, asked)


def _run(flow: Flow, bump: Bump, environments: tuple[Environment, ...], tools: Toolbox, asked: Asked) -> None:
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.locking import session
    from kaizen_tasks.flows.release import files
    from kaizen_tasks.flows.rollback.automatic import run_or_go_back

    start = Release(version=files.version(tools))
    prompts.announce(bump.wanted(start, tools).name, environments, tools)
    _refuse_early(flow, start, tools)
    if not bump.hotfix:
        for environment in environments:
            session.heed(environment.name, tools)
    prompts.confirm(environments, tools, yes=asked.yes)
    with options.alone(environments, tools, wait=asked.wait) as execute:
        run_or_go_back(flow, start, tools, execute, go_back=asked.go_back)


def _refuse_early(flow: Flow, start: Release, tools: Toolbox) -> None:
    """Let preflight refuse before anybody is asked or locked out, where it is bound to; else it looks once, locked.

    Raises:
        Refused: with everything that stands in the way.
    """
    from kaizen_tasks.flows.runner import run
    from kaizen_tasks.flows.steps import Preflight

    preflights = tuple(step for step in flow if isinstance(step, Preflight))
    if any(step.foresees(tools) for step in preflights):
        run(preflights, start, tools, options.executor(tools))
