"""What `promote` and `promote-STAGE` do."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import params
from kaizen_tasks.cli.options import env_flags, run_change
from kaizen_tasks.flows.promote.promotion import plan_promotion
from kaizen_tasks.flows.promote.rollout import RolloutOptions


def promote(
    c: Context,
    *,
    env: list[str],
    release: str,
    yes: bool,
    wait: str,
    skip_held: bool,
    no_rollback: bool,
    shard: str | None,
    without_evidence: str | None,
    stage_task: str = "",
) -> None:
    tools = wiring.toolbox(c.config)
    options = RolloutOptions(
        command=(stage_task,) if stage_task else ("promote", *env_flags(env)),
        auto_rollback=not no_rollback,
        skip_held=skip_held,
        shard=params.parse_optional_shard(shard),
        waiver=params.parse_reason("--without-evidence", without_evidence),
    )
    stage = params.resolve_stage(env, tools.settings)
    change = plan_promotion(stage, params.parse_release(release), options, tools)
    if change is not None:
        run_change(change, tools, yes=yes, wait=wait)
