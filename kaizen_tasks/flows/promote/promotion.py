"""Plans the commands that bring a release into service: promote, deploy, verify, and an app's own flows."""

from __future__ import annotations

from attrs import evolve
from semver import Version

from kaizen_tasks.domain.environment import Environment, Stage
from kaizen_tasks.domain.line import Line
from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import UsageError
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.accounts import require_accounts
from kaizen_tasks.flows.commands.released import with_commands
from kaizen_tasks.flows.execution import Change, HoldPolicy, join_names
from kaizen_tasks.flows.promote import lines, select, shards
from kaizen_tasks.flows.promote.rollout import FlowFactory, Rollout, RolloutOptions
from kaizen_tasks.ports.tools import CommandTools, Tools


def plan_promotion(
    full_stage: Stage, version: Version | None, options: RolloutOptions, tools: CommandTools
) -> Change | None:
    """Return the change that promotes to a stage, or None when its shard has no environments.

    Args:
        full_stage: the stage with the environments of all shards.
        version: what to promote; None means the release that was verified last in the stage before.
        options: what the flags ask for.
        tools: the ports.

    Raises:
        UsageError: the stage is the first one, or evidence is waived and no release is named.
        Refused: the stage before has no such release.
    """
    line = lines.line_of_stage(full_stage, version, tools)
    source_stage = lines.source_stage(full_stage, line, tools)
    if source_stage is None:
        first_stage_name = tools.settings.first_stage.name
        raise UsageError(f"{full_stage.name} is the first stage", hint=f"release to it: inv release-{first_stage_name}")
    shard_stage = shards.select_shard(full_stage, options.shard, tools)
    if not shard_stage.environments:
        return None
    require_accounts((*source_stage.environments, *shard_stage.environments), tools)
    release = _choose_release(source_stage, version, options, tools, line=line)
    stage = with_commands(lines.accepting_environments(shard_stage, release.version, tools), release, tools)
    rollout = Rollout(
        stage=stage,
        release=release,
        flow_for=_promotion_flow(source_stage, release, tools),
        options=evolve(options, command=(*options.command, "--release", release.name)),
    )

    def check_evidence(environments: tuple[Environment, ...]) -> None:
        _check_evidence(environments, source_stage, release, tools)
        if options.shard and not tools.dry:
            shards.wait_for_canary_bake(lines.without_other_lines(full_stage, release.version, tools), release, tools)

    return evolve(
        rollout.as_change(f"promote {release.name} to {join_names(stage.environments)}", tools),
        check_evidence=check_evidence,
        evidence_environments=source_stage.environments,
        question=f"{release.name} is a pre-release; promote it to {stage.name}" if release.version.prerelease else "",
    )


def plan_deployment(stage: Stage, release: Release, options: RolloutOptions, tools: Tools) -> Change:
    """Return the change that deploys a release to a stage; evidence comes from the stage before, if there is one."""
    require_accounts(stage.environments, tools)
    if tools.settings.stage_before(stage) is not None:
        stage = lines.accepting_environments(stage, release.version, tools)
    line = lines.line_of_stage(stage, release.version, tools)
    source_stage = lines.source_stage(stage, line, tools)
    target_release = evolve(release, waiver=options.waiver)
    stage = with_commands(stage, release, tools)
    flow_for = _deployment_flow(stage, source_stage, target_release, tools)
    rollout = Rollout(stage=stage, release=target_release, flow_for=flow_for, options=options)
    return evolve(
        rollout.as_change(f"deploy {release.name} to {join_names(stage.environments)}", tools),
        check_evidence=lambda environments: _check_evidence(environments, source_stage, target_release, tools),
        evidence_environments=source_stage.environments if source_stage else (),
        verifies=False,
    )


def plan_verification(stage: Stage, release: Release, options: RolloutOptions, tools: Tools) -> Change:
    """Return the change that verifies a release; it deploys nothing, so it needs no confirmation, holds or locks."""
    rollout = Rollout(stage=stage, release=release, flow_for=catalogue.verify_only, options=options)
    return evolve(
        rollout.as_change(f"verify {release.name} in {join_names(stage.environments)}", tools),
        hold_policy=HoldPolicy.IGNORE,
        asks=False,
        locks=False,
    )


def _check_evidence(
    environments: tuple[Environment, ...], source_stage: Stage | None, release: Release, tools: Tools
) -> None:
    if release.waiver:
        tools.reporter.note(f"without evidence, for the ledger: {release.waiver}")
    elif source_stage is not None:
        select.require_evidence(environments, source_stage, release, tools)


def _choose_release(
    source_stage: Stage, version: Version | None, options: RolloutOptions, tools: CommandTools, *, line: Line | None
) -> Release:
    if options.waiver:
        if version is None:  # the release that someone means may not be the one that is serving
            raise UsageError("--without-evidence needs a release", hint="name it: --release vX.Y.Z")
        return evolve(select.find_named_release(source_stage, version, tools), waiver=options.waiver)
    return select.find_verified_release(source_stage, version, tools, line=line)


def _promotion_flow(source_stage: Stage, release: Release, tools: Tools) -> FlowFactory:
    """Return the factory of flows: with evidence from the stage before or, if waived, with the image from anywhere."""
    if not release.waiver:
        return lambda environment: catalogue.promotion(environment, before=source_stage)
    source, _ = select.find_image_source(source_stage, release.name, tools)
    return lambda environment: catalogue.copy_deploy_verify(environment, source=source)


def _deployment_flow(stage: Stage, source_stage: Stage | None, release: Release, tools: Tools) -> FlowFactory:
    """Return the factory of flows: the image comes from the first stage itself, or as in a promotion."""
    if source_stage is None:
        return lambda environment: catalogue.deployment(environment, source=stage.environments[0])
    if not release.waiver:
        source_environment = source_stage.environments[0]
        return lambda environment: catalogue.deployment(environment, source=source_environment, before=source_stage)
    source, _ = select.find_image_source(source_stage, release.name, tools)
    return lambda environment: catalogue.deployment(environment, source=source)
