"""The flows that make a release: `release-<first stage>` and `hotfix`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaizen_tasks.cli.command import (
    FORCE_HELP,
    NO_ROLLBACK_HELP,
    PART_HELP,
    SKIP_DOCS_HELP,
    TO_HELP,
    WAIT_HELP,
    YES_HELP,
    command,
)
from kaizen_tasks.cli.options import FlowOptions, choose_executor, locked_execution, make_bump

if TYPE_CHECKING:
    from invoke.context import Context

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.flows.steps import Bump
    from kaizen_tasks.wiring import Toolbox

RELEASE_TASK_HELP = {
    "part": PART_HELP,
    "to": TO_HELP,
    "yes": YES_HELP,
    "skip-docs": SKIP_DOCS_HELP,
    "force": FORCE_HELP,
    "wait": WAIT_HELP,
    "no-rollback": NO_ROLLBACK_HELP,
}


def release_task(stage: str) -> Any:
    """Make the task that releases to the first stage."""

    @command(name=f"release-{stage}", help={**RELEASE_TASK_HELP})
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
        first_stage = prompts.require_first_stage(stage, tools.settings)
        step = make_bump(part, to, force=force)
        options = FlowOptions(yes=yes, wait=wait, auto_rollback=not no_rollback)
        _run(catalogue.release(step, first_stage, skip_docs=skip_docs), step, first_stage.environments, tools, options)

    release.__doc__ = release.body.__doc__ = f"Release to {stage}: from the commit to a verified service and a tag."
    return release


@command(help={"env": "the environment", "reason": "why, for the hold that it leaves", **RELEASE_TASK_HELP})
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
    environment = prompts.resolve_environment(env, tools.settings)
    step = make_bump(part, to, force=force, hotfix=True)
    flow = catalogue.hotfix(step, environment, reason=reason or "hotfix", skip_docs=skip_docs)
    options = FlowOptions(yes=yes, wait=wait, auto_rollback=not no_rollback)
    _run(flow, step, (environment,), tools, options)


def _run(flow: Flow, bump: Bump, environments: tuple[Environment, ...], tools: Toolbox, options: FlowOptions) -> None:
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.locking import session
    from kaizen_tasks.flows.release import files
    from kaizen_tasks.flows.rollback.automatic import run_with_auto_rollback

    starting_release = Release(version=files.read_version(tools))
    prompts.print_header(bump.target_release(starting_release, tools).name, environments, tools)
    _run_early_preflight(flow, starting_release, tools)
    if not bump.hotfix:
        for environment in environments:
            session.require_no_hold(environment.name, tools)
    prompts.confirm_protected(environments, tools, yes=options.yes)
    with locked_execution(environments, tools, wait=options.wait) as execute:
        run_with_auto_rollback(flow, starting_release, tools, execute, auto_rollback=options.auto_rollback)


def _run_early_preflight(flow: Flow, starting_release: Release, tools: Toolbox) -> None:
    """Let preflight refuse before anybody is asked or locked out, where it is bound to; else it looks once, locked.

    Raises:
        Refused: with everything that stands in the way.
    """
    from kaizen_tasks.flows.runner import run_flow
    from kaizen_tasks.flows.steps import Preflight

    preflights = tuple(step for step in flow if isinstance(step, Preflight))
    if any(step.is_blocked_locally(tools) for step in preflights):
        run_flow(preflights, starting_release, tools, choose_executor(tools))
