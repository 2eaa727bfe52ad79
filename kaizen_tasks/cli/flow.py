"""For an app's own `tasks.py`: a task made of the steps that the tasks of this project are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaizen_tasks.cli.command import (
    ENV_HELP,
    NO_ROLLBACK_HELP,
    RELEASE_HELP,
    SKIP_HELD_HELP,
    WAIT_HELP,
    YES_HELP,
    command,
)
from kaizen_tasks.cli.options import FlowOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from invoke.context import Context

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.flows.step import Flow

FLOW_TASK_HELP = {
    "env": ENV_HELP,
    "release": RELEASE_HELP,
    "yes": YES_HELP,
    "wait": WAIT_HELP,
    "skip-held": SKIP_HELD_HELP,
    "no-rollback": NO_ROLLBACK_HELP,
}


def flow(steps_for: Callable[[Environment, Settings], Flow]) -> Any:
    """Make an Invoke task that takes a release through steps, in every environment that `--env` names.

    It announces, asks before protected environments, locks, heeds holds, rolls out in waves and ends with the exit
    codes of the command-line contract, as `deploy` does. Add it with `namespace.add_task`.

    Args:
        steps_for: returns the steps for one environment, in order; its name and its docstring become the task's.
    """
    name = steps_for.__name__.replace("_", "-")

    @command(name=name, iterable=["env"], help={**FLOW_TASK_HELP})
    def flow_task(
        c: Context,
        env: list[str],
        release: str = "",
        yes: bool = False,
        wait: str = "",
        skip_held: bool = False,
        no_rollback: bool = False,
    ) -> None:
        from kaizen_tasks.cli import prompts
        from kaizen_tasks.cli.handlers import promote
        from kaizen_tasks.flows.promote.rollout import Rollout
        from kaizen_tasks.wiring import toolbox

        tools = toolbox(c.config)
        planned_rollout = Rollout(
            stage=prompts.resolve_stage(env, tools.settings),
            release=promote.requested_release(release, tools),
            flow_for=lambda environment: steps_for(environment, tools.settings),
            resume_command=promote.command_line(name, *promote.env_flags(env)),
            auto_rollback=not no_rollback,
            skip_held=skip_held,
        )
        promote.run_locked_rollout(planned_rollout, None, tools, FlowOptions(yes=yes, wait=wait))

    flow_task.__doc__ = flow_task.body.__doc__ = steps_for.__doc__
    return flow_task
