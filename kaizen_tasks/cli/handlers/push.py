"""What `push` does."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import params
from kaizen_tasks.cli.options import run_change
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.flows.execution import Change, Execution, HoldPolicy, join_names
from kaizen_tasks.flows.release import pending
from kaizen_tasks.flows.runner import run_flow
from kaizen_tasks.flows.steps.build import Push


def push(c: Context, *, env: list[str]) -> None:
    """Upload the image of the release in VERSION. It changes no service, so it needs no confirmation and no lock."""
    tools = wiring.toolbox(c.config)
    environments = params.resolve_stage(env, tools.settings).environments

    def push_one(environment: Environment, execution: Execution) -> None:
        run_flow((Push(environment=environment),), pending.current_release(tools), tools, execution.execute)

    change = Change(
        title=f"push to {join_names(environments)}",
        environments=environments,
        run=lambda execution: execution.run_one_by_one(environments, push_one),
        hold_policy=HoldPolicy.IGNORE,
        asks=False,
        locks=False,
    )
    run_change(change, tools)
