"""Splits a rollout over several machines: the environments of a shard, and the canaries that come before all shards."""

from __future__ import annotations

from kaizen_tasks.domain.environment import Environment, Stage
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.rollout import Shard
from kaizen_tasks.domain.text import duration
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.flows.execution import join_names
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.ledger.verifications import age_and_actor
from kaizen_tasks.flows.locking.session import lock_status
from kaizen_tasks.ports.tools import Tools


def shard_stage(stage: Stage, shard: Shard) -> Stage:
    """Return a stage of those environments of a stage that belong to a shard, in their order; it may be empty."""
    environments = tuple(environment for environment in stage.environments if shard.contains(environment.name))
    return Stage(name=f"{stage.name} shard {shard}", environments=environments)


def select_shard(full_stage: Stage, shard: Shard | None, tools: Tools) -> Stage:
    """Report and return the environments of a shard as a stage; without a shard, return the full stage."""
    if shard is None:
        return full_stage
    stage = shard_stage(full_stage, shard)
    names = join_names(stage.environments) or "none, so there is nothing to do"
    proportion = f"{len(stage.environments)} of {len(full_stage.environments)} environments"
    tools.reporter.note(f"shard {shard} of {full_stage.name} ({proportion}): {names}")
    return stage


def wait_for_canary_bake(stage: Stage, release: Release, tools: Tools) -> None:
    """Wait until the canaries, which come before every shard, have run for the time `rollout.bake`.

    The ledger is read again after each wait: a canary that was given another release meanwhile proves nothing.

    Raises:
        Refused: a canary has not verified the release, or no longer has it.
    """
    while (remaining_seconds := remaining_bake_seconds(stage, release, tools)) > 0:
        tools.reporter.note(f"waiting {duration.format_duration(remaining_seconds)} for the canaries to bake")
        tools.clock.sleep(remaining_seconds)


def remaining_bake_seconds(stage: Stage, release: Release, tools: Tools) -> float:
    """Return the seconds that the canaries must still run before any shard may start.

    Shards know of each other only through the ledger, so no shard contains the canaries: they are promoted first.

    Args:
        stage: the full stage.
        release: the release that is promoted to the stage.
        tools: the ports.

    Raises:
        Refused: a canary has not verified the release.
    """
    latest = {canary.name: entries.read_latest_entry(canary, tools) for canary in _canaries(stage, tools)}
    proofs = {name: entry for name, entry in latest.items() if entry and _is_proof(entry, release)}
    unproven = {name: entry for name, entry in latest.items() if name not in proofs}
    if unproven:
        env_flags = " ".join(f"--env {name}" for name in unproven)
        descriptions = ", ".join(_describe_unproven(name, entry, tools) for name, entry in unproven.items())
        raise Refused(
            f"{stage.name}: {release.name} is not verified in the canary yet: {descriptions}",
            state=NOTHING_CHANGED,
            hint=f"inv promote {env_flags} --release {release.name}, then run the same command again",
        )
    now, bake = tools.clock.now(), tools.settings.rollout.bake
    return max((bake - (now - proof.at).total_seconds() for proof in proofs.values()), default=0.0)


def _canaries(stage: Stage, tools: Tools) -> tuple[Environment, ...]:
    """Return the canaries of a stage: the first environments that are not held, as many as configured."""
    if len(stage.environments) == 1:
        return ()
    statuses = lock_status((environment.name for environment in stage.environments), tools)
    held = {status.environment for status in statuses if status.hold}
    unheld = [environment for environment in stage.environments if environment.name not in held]
    return tuple(unheld[: tools.settings.rollout.canary])


def _is_proof(latest_entry: LedgerEntry, release: Release) -> bool:
    """Return whether a canary's newest entry says that the release is verified there, and nothing happened since."""
    return latest_entry.event is Event.VERIFIED and latest_entry.digest == release.digest


def _describe_unproven(name: str, latest_entry: LedgerEntry | None, tools: Tools) -> str:
    """Return the name of a canary, with what happened there last."""
    if latest_entry is None:
        return name
    return f"{name} ({latest_entry.version} {latest_entry.event} {age_and_actor(latest_entry, tools)})"
