"""The deploy side: promotions along the pipeline, and deploy and verify for any environment."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from kaizen_tasks.cli import options
from kaizen_tasks.cli.command import ENV, NO_ROLLBACK, RELEASE, SHARD, SKIP_HELD, WAIT, WITHOUT_EVIDENCE, YES, command
from kaizen_tasks.cli.options import Asked

if TYPE_CHECKING:
    from invoke.context import Context

    from kaizen_tasks.domain.environment import Stage
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.promote.rollout import FlowFor, Rollout
    from kaizen_tasks.wiring import Toolbox

PROMOTION = {
    "release": f"{RELEASE}; without it, the one that was verified last in the stage before",
    "yes": YES,
    "wait": WAIT,
    "skip-held": SKIP_HELD,
    "no-rollback": NO_ROLLBACK,
    "shard": SHARD,
    "without-evidence": WITHOUT_EVIDENCE,
}


def promote_task(stage: str) -> Any:
    """Make the task that promotes to a later stage."""

    @command(name=f"promote-{stage}", help={**PROMOTION})
    def promote_stage(
        c: Context,
        release: str = "",
        yes: bool = False,
        wait: str = "",
        skip_held: bool = False,
        no_rollback: bool = False,
        shard: str | None = None,
        without_evidence: str | None = None,
    ) -> None:
        from kaizen_tasks.cli import prompts
        from kaizen_tasks.wiring import toolbox

        tools = toolbox(c.config)
        asked = Asked(
            yes=yes,
            wait=wait,
            skip_held=skip_held,
            go_back=not no_rollback,
            shard=prompts.shard(shard),
            without_evidence=prompts.reason("--without-evidence", without_evidence),
        )
        _promote(tools.settings.stage(stage), release, (f"promote-{stage}",), tools, asked)

    doc = f"Promote to {stage}: the bytes that were verified in the stage before."
    promote_stage.__doc__ = promote_stage.body.__doc__ = doc
    return promote_stage


@command(iterable=["env"], help={"env": ENV, **PROMOTION})
def promote(
    c: Context,
    env: list[str],
    release: str = "",
    yes: bool = False,
    wait: str = "",
    skip_held: bool = False,
    no_rollback: bool = False,
    shard: str | None = None,
    without_evidence: str | None = None,
) -> None:
    """Promote to any environments: the bytes that were verified in the stage before."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    asked = Asked(
        yes=yes,
        wait=wait,
        skip_held=skip_held,
        go_back=not no_rollback,
        shard=prompts.shard(shard),
        without_evidence=prompts.reason("--without-evidence", without_evidence),
    )
    _promote(prompts.stage(env, tools.settings), release, ("promote", *envs(env)), tools, asked)


def _promote(whole: Stage, wanted: str, words: tuple[str, ...], tools: Toolbox, asked: Asked) -> None:
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.errors import UsageError
    from kaizen_tasks.flows.promote.rollout import Rollout

    before = tools.settings.stage_before(whole)
    if before is None:
        first = tools.settings.first_stage.name
        raise UsageError(f"{whole.name} is the first stage", hint=f"release to it: inv release-{first}")
    stage = prompts.part(whole, asked.shard, tools)
    if not stage.environments:
        return
    release = _promotable(before, wanted, tools, asked)
    if release.version.prerelease and not tools.dry:
        prompts.agree(f"{release.name} is a pre-release; promote it to {stage.name}", yes=asked.yes)
    if asked.shard:
        _let_canaries_bake(whole, release, tools)
    rollout = Rollout(
        stage=stage,
        release=release,
        flow_for=_promotion(before, release, tools),
        again=again(*words, "--release", release.name, *asked.again),
        go_back=asked.go_back,
        skip_held=asked.skip_held,
        sharded=asked.shard is not None,
    )
    take(rollout, before, tools, asked)


def _promotable(before: Stage, wanted: str, tools: Toolbox, asked: Asked) -> Release:
    """Return the release to promote, once the account is known to be the right one."""
    from attrs import evolve

    from kaizen_tasks.domain import version as versions
    from kaizen_tasks.flows.promote import select

    version = versions.parse(wanted, where="--release") if wanted else None
    tools.identity.account()
    if asked.without_evidence:
        return evolve(select.serving_in(before, version, tools), waiver=asked.without_evidence)
    return select.verified_in(before, version, tools)


def _promotion(before: Stage, release: Release, tools: Toolbox) -> FlowFor:
    """Return the flow of each environment: with evidence from the stage before, or from wherever the image is."""
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.promote import select

    if not release.waiver:
        return lambda environment: catalogue.promotion(environment, before=before)
    source, _ = select.holder(before, release.name, tools)
    return lambda environment: catalogue.rollout(environment, source=source)


def _let_canaries_bake(whole: Stage, release: Release, tools: Toolbox) -> None:
    """Wait until the canaries, which come before every shard, have run for as long as is configured."""
    from kaizen_tasks.domain import duration
    from kaizen_tasks.flows.promote import shards

    left = shards.bake_left(whole, release, tools)
    if left > 0 and not tools.dry:
        tools.reporter.note(f"waiting {duration.show(left)} for the canaries to bake")
        tools.clock.sleep(left)


def take(rollout: Rollout, before: Stage | None, tools: Toolbox, asked: Asked) -> None:
    """Say what goes where, look for its evidence in the stage before if there is one, ask, and do it."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows.promote import select
    from kaizen_tasks.flows.promote.rollout import roll_out

    environments = rollout.stage.environments
    prompts.announce(rollout.release.name, environments, tools)
    if asked.without_evidence:
        tools.reporter.note(f"without evidence, for the ledger: {asked.without_evidence}")
    elif before is not None:
        select.demand(environments, before, rollout.release, tools)
    prompts.confirm(environments, tools, yes=asked.yes)
    evidence = before.environments if before else ()
    with options.alone(environments, tools, wait=asked.wait, evidence=evidence) as execute:
        roll_out(rollout, tools, execute)


@command(
    iterable=["env"],
    help={"env": ENV, "release": RELEASE, "yes": YES, "wait": WAIT, "without-evidence": WITHOUT_EVIDENCE},
)
def deploy(
    c: Context,
    env: list[str],
    release: str = "",
    yes: bool = False,
    wait: str = "",
    without_evidence: str | None = None,
) -> None:
    """Bring a release into service: copy by digest if needed, point :latest, start, wait."""
    from attrs import evolve

    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows.promote.rollout import Rollout
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = prompts.stage(env, tools.settings)
    asked = Asked(yes=yes, wait=wait, without_evidence=prompts.reason("--without-evidence", without_evidence))
    before = tools.settings.stage_before(stage)
    wanted = evolve(named(release, tools), waiver=asked.without_evidence)
    tools.identity.account()
    rollout = Rollout(
        stage=stage,
        release=wanted,
        flow_for=_deployment(stage, before, wanted, tools),
        again=again("deploy", *envs(env), *asked.again),
    )
    take(rollout, before, tools, asked)


def _deployment(stage: Stage, before: Stage | None, release: Release, tools: Toolbox) -> FlowFor:
    """Return the flow of each environment: from its own stage's repository, or as a promotion gets the image."""
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.promote import select

    if before is None:
        return lambda environment: catalogue.deployment(environment, source=stage.environments[0])
    if not release.waiver:
        return lambda each: catalogue.deployment(each, source=before.environments[0], before=before)
    source, _ = select.holder(before, release.name, tools)
    return lambda environment: catalogue.deployment(environment, source=source)


@command(iterable=["env"], help={"env": ENV, "release": RELEASE})
def verify(c: Context, env: list[str], release: str = "") -> None:
    """Ask the running app until it proves the version, then run the smoke checks."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.promote.rollout import Rollout, roll_out
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    rollout = Rollout(
        stage=prompts.stage(env, tools.settings),
        release=named(release, tools),
        flow_for=catalogue.verification,
        again=again("verify", *envs(env)),
        go_back=False,
        heed_holds=False,
    )
    prompts.announce(rollout.release.name, rollout.stage.environments, tools)
    roll_out(rollout, tools, options.executor(tools))


def envs(env: list[str]) -> tuple[str, ...]:
    """Return the words that name environments on a command line."""
    return tuple(word for name in env for word in ("--env", name))


def again(*words: str) -> str:
    """Return a command as it is typed."""
    return shlex.join(("inv", *words))


def named(name: str, tools: Toolbox) -> Release:
    """Return the release that `--release` names, or the one that VERSION says."""
    from kaizen_tasks.domain import version as versions
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.release import files

    return Release(version=versions.parse(name, where="--release") if name else files.version(tools))
