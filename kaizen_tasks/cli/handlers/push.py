"""What `push` does."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import params
from kaizen_tasks.cli.options import run_change
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.execution import Change, Execution, HoldPolicy, join_names
from kaizen_tasks.flows.release import pending
from kaizen_tasks.flows.runner import run_flow


def push(c: Context, *, env: list[str]) -> None:
    """Upload the image of the release in VERSION. It changes no service, so it needs no confirmation.

    Unless the release is tagged, its number is claimed first, under the lock of the first stage, whose releases could
    replace the claim until the image is there.
    """
    tools = wiring.toolbox(c.config)
    environments = params.resolve_stage(env, tools.settings).environments

    def push_one(environment: Environment, execution: Execution) -> None:
        run_flow(catalogue.push(environment), pending.current_release(tools), tools, execution.execute)

    def run(execution: Execution) -> None:
        execution.run_one_by_one(environments, push_one)

    first_stage = tools.settings.first_stage.environments
    change = Change(
        title=f"push to {join_names(environments)}",
        environments=tuple(dict.fromkeys((*first_stage, *environments))),
        run=run,
        hold_policy=HoldPolicy.IGNORE,
        asks=False,
    )
    run_change(change, tools)
