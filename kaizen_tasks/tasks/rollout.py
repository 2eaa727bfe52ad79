"""The deploy side: promotions along the pipeline, and deploy and verify for any environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaizen_tasks.tasks import executing
from kaizen_tasks.tasks.boundary import ENV, NO_ROLLBACK, RELEASE, SKIP_HELD, WAIT, YES, command
from kaizen_tasks.tasks.executing import Asked

if TYPE_CHECKING:
    from invoke.context import Context

    from kaizen_tasks.domain.environment import Stage
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.rollout import Rollout
    from kaizen_tasks.wiring import Toolbox

PROMOTION = {
    "release": f"{RELEASE}; without it, the one that was verified last in the stage before",
    "yes": YES,
    "wait": WAIT,
    "skip-held": SKIP_HELD,
    "no-rollback": NO_ROLLBACK,
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
    ) -> None:
        from kaizen_tasks.wiring import toolbox

        tools = toolbox(c.config)
        asked = Asked(yes=yes, wait=wait, skip_held=skip_held, go_back=not no_rollback)
        _promote(tools.settings.stage(stage), release, f"inv promote-{stage}", tools, asked)

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
) -> None:
    """Promote to any environments: the bytes that were verified in the stage before."""
    from kaizen_tasks.tasks import asking
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    asked = Asked(yes=yes, wait=wait, skip_held=skip_held, go_back=not no_rollback)
    _promote(asking.stage(env, tools.settings), release, _again("promote", env), tools, asked)


def _promote(stage: Stage, wanted: str, again: str, tools: Toolbox, asked: Asked) -> None:
    from kaizen_tasks.domain import version as versions
    from kaizen_tasks.errors import UsageError
    from kaizen_tasks.flows import catalogue, promotable
    from kaizen_tasks.flows.rollout import Rollout
    from kaizen_tasks.tasks import asking

    before = tools.settings.stage_before(stage)
    if before is None:
        first = tools.settings.first_stage.name
        raise UsageError(f"{stage.name} is the first stage", hint=f"release to it: inv release-{first}")
    version = versions.parse(wanted, where="--release") if wanted else None
    tools.identity.account()
    release = promotable.verified_in(before, version, tools)
    if release.version.prerelease and not tools.dry:
        asking.agree(f"{release.name} is a pre-release; promote it to {stage.name}", yes=asked.yes)
    rollout = Rollout(
        stage=stage,
        release=release,
        flow_for=lambda environment: catalogue.promotion(environment, before=before),
        again=f"{again} --release {release.name}",
        go_back=asked.go_back,
        skip_held=asked.skip_held,
    )
    _roll_out(rollout, tools, asked)


def _roll_out(rollout: Rollout, tools: Toolbox, asked: Asked) -> None:
    from kaizen_tasks.flows.rollout import roll_out
    from kaizen_tasks.tasks import asking

    environments = rollout.stage.environments
    asking.announce(rollout.release.name, environments, tools)
    asking.confirm(environments, tools, yes=asked.yes)
    with executing.alone(environments, tools, wait=asked.wait) as execute:
        roll_out(rollout, tools, execute)


@command(iterable=["env"], help={"env": ENV, "release": RELEASE, "yes": YES, "wait": WAIT})
def deploy(c: Context, env: list[str], release: str = "", yes: bool = False, wait: str = "") -> None:
    """Bring a release into service: copy by digest if needed, point :latest, start, wait."""
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.rollout import Rollout
    from kaizen_tasks.tasks import asking
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = asking.stage(env, tools.settings)
    source = (tools.settings.stage_before(stage) or stage).environments[0]
    rollout = Rollout(
        stage=stage,
        release=_wanted(release, tools),
        flow_for=lambda environment: catalogue.deployment(environment, source=source),
        again=_again("deploy", env),
    )
    _roll_out(rollout, tools, Asked(yes=yes, wait=wait))


@command(iterable=["env"], help={"env": ENV, "release": RELEASE})
def verify(c: Context, env: list[str], release: str = "") -> None:
    """Ask the running app until it proves the version, then run the smoke checks."""
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.rollout import Rollout, roll_out
    from kaizen_tasks.tasks import asking
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    rollout = Rollout(
        stage=asking.stage(env, tools.settings),
        release=_wanted(release, tools),
        flow_for=catalogue.verification,
        again=_again("verify", env),
        go_back=False,
        heed_holds=False,
    )
    asking.announce(rollout.release.name, rollout.stage.environments, tools)
    roll_out(rollout, tools, executing.executor(tools))


def _again(verb: str, env: list[str]) -> str:
    return " ".join((f"inv {verb}", *(f"--env {name}" for name in env)))


def _wanted(name: str, tools: Toolbox) -> Release:
    """Return the release that `--release` names, or the one that VERSION says."""
    from kaizen_tasks.domain import version as versions
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows import documents

    return Release(version=versions.parse(name, where="--release") if name else documents.version(tools))
