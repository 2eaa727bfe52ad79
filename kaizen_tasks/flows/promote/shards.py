"""What a machine that takes one shard of a rollout has to know of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain.environment import Stage
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.locking.session import look

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.ledger import Entry
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.domain.rollout import Shard
    from kaizen_tasks.ports.tools import Tools


def part(stage: Stage, shard: Shard) -> Stage:
    """Return the environments of a stage that belong to a shard, in their order; there may be none."""
    environments = tuple(each for each in stage.environments if shard.has(each.name))
    return Stage(name=f"{stage.name} shard {shard}", environments=environments)


def bake_left(whole: Stage, release: Release, tools: Tools) -> float:
    """Return the seconds for which the canaries have to run on before any shard may begin.

    Shards know of each other through the ledger alone. So none of them has the canaries: those come before all.

    Args:
        whole: the stage of which shards are taken.
        release: what goes there.
        tools: the outside world.

    Raises:
        Refused: a canary has not proven the release.
    """
    proofs = {canary.name: _proof(canary, release, tools) for canary in _canaries(whole, tools)}
    lacking = [name for name, proof in proofs.items() if proof is None]
    if lacking:
        envs = " ".join(f"--env {name}" for name in lacking)
        raise Refused(
            f"{whole.name}: no shard begins before the canary has proven {release.name}: {', '.join(lacking)}",
            state="nothing has been changed",
            hint=f"inv promote {envs} --release {release.name}, then the same command again",
        )
    now, bake = tools.clock.now(), tools.settings.rollout.bake
    return max((bake - (now - proof.at).total_seconds() for proof in proofs.values() if proof), default=0.0)


def _canaries(whole: Stage, tools: Tools) -> tuple[Environment, ...]:
    """Return the first wave of a stage: of what nobody holds, as many as are configured."""
    if len(whole.environments) == 1:
        return ()
    held = {each.environment for each in look((each.name for each in whole.environments), tools) if each.hold}
    free = [each for each in whole.environments if each.name not in held]
    return tuple(free[: tools.settings.rollout.canary])


def _proof(environment: Environment, release: Release, tools: Tools) -> Entry | None:
    newest = entries.newest(environment, tools)
    proven = newest is not None and newest.event is Event.VERIFIED and newest.digest == release.digest
    return newest if proven else None
