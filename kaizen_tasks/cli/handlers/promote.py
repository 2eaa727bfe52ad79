"""What `promote` and `promote-STAGE` do."""

from __future__ import annotations

from typing import TypedDict, Unpack

from invoke.context import Context

from kaizen_tasks import wiring
from kaizen_tasks.cli import params
from kaizen_tasks.cli.options import env_flags, run_change
from kaizen_tasks.flows.promote.promotion import RolloutOptions, plan_promotion


class PromoteFlags(TypedDict):
    """The flags that both tasks have."""

    release: str
    yes: bool
    wait: str
    skip_held: bool
    no_rollback: bool
    shard: str | None
    without_evidence: str | None


def promote_stage(c: Context, *, stage: str, **flags: Unpack[PromoteFlags]) -> None:
    """Promote to a later stage."""
    _promote(c, [stage], (f"promote-{stage}",), **flags)


def promote(c: Context, *, env: list[str], **flags: Unpack[PromoteFlags]) -> None:
    """Promote to any environments."""
    _promote(c, env, ("promote", *env_flags(env)), **flags)


def _promote(c: Context, names: list[str], command: tuple[str, ...], **flags: Unpack[PromoteFlags]) -> None:
    tools = wiring.toolbox(c.config)
    options = RolloutOptions(
        command=command,
        auto_rollback=not flags["no_rollback"],
        skip_held=flags["skip_held"],
        shard=params.parse_optional_shard(flags["shard"]),
        waiver=params.parse_reason("--without-evidence", flags["without_evidence"]),
    )
    stage = params.resolve_stage(names, tools.settings)
    change = plan_promotion(stage, params.parse_release(flags["release"]), options, tools)
    if change is not None:
        run_change(change, tools, yes=flags["yes"], wait=flags["wait"])
