"""The decorator `flow`: makes a task of an app's own steps, for the app's `tasks.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaizen_tasks.cli import flags
from kaizen_tasks.cli.command import command

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.flows.step import Flow

FLOW_FLAGS = (flags.ENV, flags.RELEASE, flags.YES, flags.WAIT, flags.SKIP_HELD, flags.NO_ROLLBACK)


def flow(steps_for: Callable[[Environment, Settings], Flow]) -> Any:
    """Make an Invoke task that takes a release through steps, in every environment that `--env` names.

    It announces, respects holds, asks before protected environments, locks, rolls out with canaries first and exits
    with the codes of the command-line contract, as `deploy` does. Add it with `namespace.add_task`.

    Args:
        steps_for: returns the steps for one environment, in order; its name and its docstring become the task's.
    """
    name = steps_for.__name__.replace("_", "-")
    bound = {"steps_for": steps_for, "name": name}
    return command("deploy.run_own_flow", steps_for.__doc__, *FLOW_FLAGS, name=name, bound=bound)
