"""The deploy side: promotions along the pipeline, and deploy and verify for any environment."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from kaizen_tasks.cli.command import (
    ENV_HELP,
    NO_ROLLBACK_HELP,
    RELEASE_HELP,
    SHARD_HELP,
    SKIP_HELD_HELP,
    WAIT_HELP,
    WITHOUT_EVIDENCE_HELP,
    YES_HELP,
    command,
)
from kaizen_tasks.cli.options import FlowOptions, choose_executor, locked_execution

if TYPE_CHECKING:
    from invoke.context import Context

    from kaizen_tasks.domain.environment import Stage
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.promote.rollout import FlowFactory, Rollout
    from kaizen_tasks.wiring import Toolbox

PROMOTE_TASK_HELP = {
    "release": f"{RELEASE_HELP}; without it, the one that was verified last in the stage before",
    "yes": YES_HELP,
    "wait": WAIT_HELP,
    "skip-held": SKIP_HELD_HELP,
    "no-rollback": NO_ROLLBACK_HELP,
    "shard": SHARD_HELP,
    "without-evidence": WITHOUT_EVIDENCE_HELP,
}


def promote_task(stage: str) -> Any:
    """Make the task that promotes to a later stage."""

    @command(name=f"promote-{stage}", help={**PROMOTE_TASK_HELP})
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
        options = FlowOptions(
            yes=yes,
            wait=wait,
            skip_held=skip_held,
            auto_rollback=not no_rollback,
            shard=prompts.parse_optional_shard(shard),
            without_evidence=prompts.parse_reason("--without-evidence", without_evidence),
        )
        _promote(tools.settings.stage(stage), release, (f"promote-{stage}",), tools, options)

    doc = f"Promote to {stage}: the bytes that were verified in the stage before."
    promote_stage.__doc__ = promote_stage.body.__doc__ = doc
    return promote_stage


@command(iterable=["env"], help={"env": ENV_HELP, **PROMOTE_TASK_HELP})
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
    options = FlowOptions(
        yes=yes,
        wait=wait,
        skip_held=skip_held,
        auto_rollback=not no_rollback,
        shard=prompts.parse_optional_shard(shard),
        without_evidence=prompts.parse_reason("--without-evidence", without_evidence),
    )
    _promote(prompts.resolve_stage(env, tools.settings), release, ("promote", *env_flags(env)), tools, options)


def _promote(
    full_stage: Stage, release_name: str, command_words: tuple[str, ...], tools: Toolbox, options: FlowOptions
) -> None:
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.errors import UsageError
    from kaizen_tasks.flows.promote.rollout import Rollout

    source_stage = tools.settings.stage_before(full_stage)
    if source_stage is None:
        first_stage_name = tools.settings.first_stage.name
        raise UsageError(f"{full_stage.name} is the first stage", hint=f"release to it: inv release-{first_stage_name}")
    stage = prompts.select_shard(full_stage, options.shard, tools)
    if not stage.environments:
        return
    release = _choose_release(source_stage, release_name, tools, options)
    if release.version.prerelease and not tools.dry:
        prompts.confirm_yes_no(f"{release.name} is a pre-release; promote it to {stage.name}", yes=options.yes)
    if options.shard:
        _wait_for_canary_bake(full_stage, release, tools)
    rollout = Rollout(
        stage=stage,
        release=release,
        flow_for=_promotion_flow(source_stage, release, tools),
        resume_command=command_line(*command_words, "--release", release.name, *options.repeated_flags),
        auto_rollback=options.auto_rollback,
        skip_held=options.skip_held,
        is_shard=options.shard is not None,
    )
    run_locked_rollout(rollout, source_stage, tools, options)


def _choose_release(source_stage: Stage, release_name: str, tools: Toolbox, options: FlowOptions) -> Release:
    """Return the release to promote, once the account is known to be the right one."""
    from attrs import evolve

    from kaizen_tasks.domain import version as versions
    from kaizen_tasks.flows.promote import select

    version = versions.parse_version(release_name, origin="--release") if release_name else None
    tools.identity.account_id()
    if options.without_evidence:
        return evolve(select.find_serving_release(source_stage, version, tools), waiver=options.without_evidence)
    return select.find_verified_release(source_stage, version, tools)


def _promotion_flow(source_stage: Stage, release: Release, tools: Toolbox) -> FlowFactory:
    """Return the flow of each environment: with evidence from the stage before, or from wherever the image is."""
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.promote import select

    if not release.waiver:
        return lambda environment: catalogue.promotion(environment, before=source_stage)
    source, _ = select.find_image_source(source_stage, release.name, tools)
    return lambda environment: catalogue.copy_deploy_verify(environment, source=source)


def _wait_for_canary_bake(full_stage: Stage, release: Release, tools: Toolbox) -> None:
    """Wait until the canaries, which come before every shard, have run for as long as is configured."""
    from kaizen_tasks.domain import duration
    from kaizen_tasks.flows.promote import shards

    remaining_seconds = shards.remaining_bake_seconds(full_stage, release, tools)
    if remaining_seconds > 0 and not tools.dry:
        tools.reporter.note(f"waiting {duration.format_duration(remaining_seconds)} for the canaries to bake")
        tools.clock.sleep(remaining_seconds)


def run_locked_rollout(rollout: Rollout, source_stage: Stage | None, tools: Toolbox, options: FlowOptions) -> None:
    """Say what goes where, look for its evidence in the stage before if there is one, ask, and do it."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows.promote import select
    from kaizen_tasks.flows.promote.rollout import run_rollout

    environments = rollout.stage.environments
    prompts.print_header(rollout.release.name, environments, tools)
    if options.without_evidence:
        tools.reporter.note(f"without evidence, for the ledger: {options.without_evidence}")
    elif source_stage is not None:
        select.require_evidence(environments, source_stage, rollout.release, tools)
    prompts.confirm_protected(environments, tools, yes=options.yes)
    evidence_environments = source_stage.environments if source_stage else ()
    with locked_execution(
        environments, tools, wait=options.wait, evidence_environments=evidence_environments
    ) as execute:
        run_rollout(rollout, tools, execute)


@command(
    iterable=["env"],
    help={
        "env": ENV_HELP,
        "release": RELEASE_HELP,
        "yes": YES_HELP,
        "wait": WAIT_HELP,
        "without-evidence": WITHOUT_EVIDENCE_HELP,
    },
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
    stage = prompts.resolve_stage(env, tools.settings)
    options = FlowOptions(
        yes=yes, wait=wait, without_evidence=prompts.parse_reason("--without-evidence", without_evidence)
    )
    source_stage = tools.settings.stage_before(stage)
    target_release = evolve(requested_release(release, tools), waiver=options.without_evidence)
    tools.identity.account_id()
    rollout = Rollout(
        stage=stage,
        release=target_release,
        flow_for=_deployment_flow(stage, source_stage, target_release, tools),
        resume_command=command_line("deploy", *env_flags(env), *options.repeated_flags),
    )
    run_locked_rollout(rollout, source_stage, tools, options)


def _deployment_flow(stage: Stage, source_stage: Stage | None, release: Release, tools: Toolbox) -> FlowFactory:
    """Return the flow of each environment: from its own stage's repository, or as a promotion gets the image."""
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.promote import select

    if source_stage is None:
        return lambda environment: catalogue.deployment(environment, source=stage.environments[0])
    if not release.waiver:
        return lambda environment: catalogue.deployment(
            environment, source=source_stage.environments[0], before=source_stage
        )
    source, _ = select.find_image_source(source_stage, release.name, tools)
    return lambda environment: catalogue.deployment(environment, source=source)


@command(iterable=["env"], help={"env": ENV_HELP, "release": RELEASE_HELP})
def verify(c: Context, env: list[str], release: str = "") -> None:
    """Ask the running app until it proves the version, then run the smoke checks."""
    from kaizen_tasks.cli import prompts
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.promote.rollout import Rollout, run_rollout
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    rollout = Rollout(
        stage=prompts.resolve_stage(env, tools.settings),
        release=requested_release(release, tools),
        flow_for=catalogue.verify_only,
        resume_command=command_line("verify", *env_flags(env)),
        auto_rollback=False,
        respect_holds=False,
    )
    prompts.print_header(rollout.release.name, rollout.stage.environments, tools)
    run_rollout(rollout, tools, choose_executor(tools))


def env_flags(names: list[str]) -> tuple[str, ...]:
    """Return the words that name environments on a command line."""
    return tuple(word for name in names for word in ("--env", name))


def command_line(*words: str) -> str:
    """Return a command as it is typed."""
    return shlex.join(("inv", *words))


def requested_release(release_name: str, tools: Toolbox) -> Release:
    """Return the release that `--release` names, or the one that VERSION says."""
    from kaizen_tasks.domain import version as versions
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.release import files

    return Release(
        version=versions.parse_version(release_name, origin="--release") if release_name else files.read_version(tools)
    )
