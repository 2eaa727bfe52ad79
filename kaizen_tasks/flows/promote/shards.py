"""What a machine that takes one shard of a rollout has to know of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain.environment import Stage
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.locking.session import lock_status

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.ledger import LedgerEntry
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.domain.rollout import Shard
    from kaizen_tasks.ports.tools import Tools


def shard_stage(stage: Stage, shard: Shard) -> Stage:
    """Return the environments of a stage that belong to a shard, in their order; there may be none."""
    environments = tuple(environment for environment in stage.environments if shard.contains(environment.name))
    return Stage(name=f"{stage.name} shard {shard}", environments=environments)


def remaining_bake_seconds(stage: Stage, release: Release, tools: Tools) -> float:
    """Return the seconds for which the canaries have to run on before any shard may begin.

    Shards know of each other through the ledger alone. So none of them has the canaries: those come before all.

    Args:
        stage: the stage of which shards are taken.
        release: what goes there.
        tools: the outside world.

    Raises:
        Refused: a canary has not proven the release.
    """
    proofs = {canary.name: _canary_proof(canary, release, tools) for canary in _canaries(stage, tools)}
    unverified_canaries = [name for name, proof in proofs.items() if proof is None]
    if unverified_canaries:
        env_flags = " ".join(f"--env {name}" for name in unverified_canaries)
        raise Refused(
            f"{stage.name}: no shard begins before the canary has proven {release.name}: {', '.join(unverified_canaries)}",
            state=NOTHING_CHANGED,
            hint=f"inv promote {env_flags} --release {release.name}, then the same command again",
        )
    now, bake = tools.clock.now(), tools.settings.rollout.bake
    return max((bake - (now - proof.at).total_seconds() for proof in proofs.values() if proof), default=0.0)


def _canaries(stage: Stage, tools: Tools) -> tuple[Environment, ...]:
    """Return the first wave of a stage: of what nobody holds, as many as are configured."""
    if len(stage.environments) == 1:
        return ()
    held_names = {
        candidate.environment
        for candidate in lock_status((candidate.name for candidate in stage.environments), tools)
        if candidate.hold
    }
    unheld_environments = [candidate for candidate in stage.environments if candidate.name not in held_names]
    return tuple(unheld_environments[: tools.settings.rollout.canary])


def _canary_proof(environment: Environment, release: Release, tools: Tools) -> LedgerEntry | None:
    latest_entry = entries.read_latest_entry(environment, tools)
    is_proven = (
        latest_entry is not None and latest_entry.event is Event.VERIFIED and latest_entry.digest == release.digest
    )
    return latest_entry if is_proven else None
