"""What `deploy`, `verify` and an app's own flows do."""

from __future__ import annotations

from collections.abc import Callable

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import params
from kaizen_tasks.cli.options import env_flags, requested_release, run_change
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.flows.execution import join_names
from kaizen_tasks.flows.promote.promotion import plan_deployment, plan_verification
from kaizen_tasks.flows.promote.rollout import Rollout, RolloutOptions
from kaizen_tasks.flows.promote.select import find_deployed_release
from kaizen_tasks.flows.step import Flow


def deploy(c: Context, *, env: list[str], release: str, yes: bool, wait: str, without_evidence: str | None) -> None:
    tools = wiring.toolbox(c.config)
    stage = params.resolve_stage(env, tools.settings)
    waiver = params.parse_reason("--without-evidence", without_evidence)
    options = RolloutOptions(command=("deploy", *env_flags(env)), waiver=waiver)
    run_change(plan_deployment(stage, requested_release(release, tools), options, tools), tools, yes=yes, wait=wait)


def verify(c: Context, *, env: list[str], release: str) -> None:
    tools = wiring.toolbox(c.config)
    stage = params.resolve_stage(env, tools.settings)
    options = RolloutOptions(command=("verify", *env_flags(env)), auto_rollback=False)
    deployed = None if release else find_deployed_release(stage, tools)
    target_release = deployed or requested_release(release, tools)
    run_change(plan_verification(stage, target_release, options, tools), tools)


def run_own_flow(
    c: Context,
    *,
    steps_for: Callable[[Environment, Settings], Flow],
    name: str,
    env: list[str],
    release: str,
    yes: bool,
    wait: str,
    skip_held: bool,
    no_rollback: bool,
) -> None:
    """Run a flow that the app defines in its own `tasks.py`, in every environment that `--env` names."""
    tools = wiring.toolbox(c.config)
    stage, target_release = params.resolve_stage(env, tools.settings), requested_release(release, tools)
    options = RolloutOptions(command=(name, *env_flags(env)), auto_rollback=not no_rollback, skip_held=skip_held)
    rollout = Rollout(
        stage=stage,
        release=target_release,
        flow_for=lambda environment: steps_for(environment, tools.settings),
        options=options,
    )
    change = rollout.as_change(f"{name} {target_release.name} in {join_names(stage.environments)}", tools)
    run_change(change, tools, yes=yes, wait=wait)
