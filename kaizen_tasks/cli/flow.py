"""For an app's own `tasks.py`: a task made of the steps that the tasks of this project are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaizen_tasks.cli.command import ENV, NO_ROLLBACK, RELEASE, SKIP_HELD, WAIT, YES, command
from kaizen_tasks.cli.options import Asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from invoke.context import Context

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.flows.step import Flow

HELP = {
    "env": ENV,
    "release": RELEASE,
    "yes": YES,
    "wait": WAIT,
    "skip-held": SKIP_HELD,
    "no-rollback": NO_ROLLBACK,
}


def flow(steps_for: Callable[[Environment, Settings], Flow]) -> Any:
    """Make an Invoke task that takes a release through steps, in every environment that `--env` names.

    It announces, asks before protected environments, locks, heeds holds, rolls out in waves and ends with the exit
    codes of the command-line contract, as `deploy` does. Add it with `namespace.add_task`.

    Args:
        steps_for: returns the steps for one environment, in order; its name and its docstring become the task's.
    """
    name = steps_for.__name__.replace("_", "-")

    @command(name=name, iterable=["env"], help={**HELP})
    def own(
        c: Context,
        env: list[str],
        release: str = "",
        yes: bool = False,
        wait: str = "",
        skip_held: bool = False,
        no_rollback: bool = False,
    ) -> None:
        from kaizen_tasks.cli import promote, prompts
        from kaizen_tasks.flows.promote.rollout import Rollout
        from kaizen_tasks.wiring import toolbox

        tools = toolbox(c.config)
        planned = Rollout(
            stage=prompts.stage(env, tools.settings),
            release=promote.named(release, tools),
            flow_for=lambda environment: steps_for(environment, tools.settings),
            again=promote.again(name, *promote.envs(env)),
            go_back=not no_rollback,
            skip_held=skip_held,
        )
        promote.take(planned, None, tools, Asked(yes=yes, wait=wait))

    own.__doc__ = own.body.__doc__ = steps_for.__doc__
    return own
