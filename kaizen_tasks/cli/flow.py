"""The decorator `flow`: makes a task of an app's own steps, for the app's `tasks.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import ENV_HELP, NO_ROLLBACK_HELP, RELEASE_HELP, SKIP_HELD_HELP, WAIT_HELP, YES_HELP

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.flows.step import Flow

FLOW_HELP = {
    "env": ENV_HELP,
    "release": RELEASE_HELP,
    "yes": YES_HELP,
    "wait": WAIT_HELP,
    "skip-held": SKIP_HELD_HELP,
    "no-rollback": NO_ROLLBACK_HELP,
}


def flow(steps_for: Callable[[Environment, Settings], Flow]) -> Any:
    """Make an Invoke task that takes a release through steps, in every environment that `--env` names.

    It announces, respects holds, asks before protected environments, locks, rolls out with canaries first and exits
    with the codes of the command-line contract, as `deploy` does. Add it with `namespace.add_task`.

    Args:
        steps_for: returns the steps for one environment, in order; its name and its docstring become the task's.
    """

    def flow_task(
        c: Context,
        env: list[str],
        release: str = "",
        yes: bool = False,
        wait: str = "",
        skip_held: bool = False,
        no_rollback: bool = False,
    ) -> None: ...

    name = steps_for.__name__.replace("_", "-")
    flow_task.__doc__ = steps_for.__doc__
    return command(
        handler="deploy.run_own_flow",
        bound={"steps_for": steps_for, "name": name},
        name=name,
        iterable=["env"],
        help={**FLOW_HELP},
    )(flow_task)
