"""The deploy side: the flows of the pipeline, and deploy, verify and promote for any environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaizen_tasks.tasks import executing
from kaizen_tasks.tasks.boundary import ENV, FORCE, NO_ROLLBACK, PART, RELEASE, SKIP_DOCS, TO, YES, command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoke.context import Context

    from kaizen_tasks.domain.environment import Stage
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.rollout import Rollout
    from kaizen_tasks.flows.steps import Bump
    from kaizen_tasks.wiring import Toolbox


def pipeline_tasks(pipeline: tuple[str, ...], *, typed: tuple[str, ...]) -> Iterator[Any]:
    """Make `release-<first stage>`, a `promote-<stage>` for every later one, and one for each other that was typed."""
    names = [f"{'promote' if position else 'release'}-{stage}" for position, stage in enumerate(pipeline)]
    for name in dict.fromkeys((*names, *typed)):
        verb, _, stage = name.partition("-")
        yield _release_task(stage) if verb == "release" else _promote_task(stage)


def _release_task(stage: str) -> Any:
    @command(
        name=f"release-{stage}",
        help={
            "part": PART,
            "to": TO,
            "yes": YES,
            "skip-docs": SKIP_DOCS,
            "force": FORCE,
            "no-rollback": NO_ROLLBACK,
        },
    )
    def release(
        c: Context,
        part: str = "auto",
        to: str = "",
        yes: bool = False,
        skip_docs: str = "",
        force: bool = False,
        no_rollback: bool = False,
    ) -> None:
        from kaizen_tasks.wiring import toolbox

        step = executing.bump(part, to, force=force)
        tools = toolbox(c.config, draft=True)
        _release(stage, step, tools, yes=yes, skip_docs=skip_docs, go_back=not no_rollback)

    release.__doc__ = release.body.__doc__ = f"Release to {stage}: from the commit to a verified service and a tag."
    return release


def _release(name: str, bump: Bump, tools: Toolbox, *, yes: bool, skip_docs: str, go_back: bool) -> None:
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.errors import UsageError
    from kaizen_tasks.flows import catalogue, documents
    from kaizen_tasks.flows.recovery import run_or_go_back
    from kaizen_tasks.tasks import asking

    stage = tools.settings.first_stage
    if tools.settings.stage(name) != stage:
        raise UsageError(f"{name} is not the first stage of the pipeline", hint=f"inv release-{stage.name}")
    start = Release(version=documents.version(tools))
    asking.announce(bump.wanted(start, tools).name, stage.environments, tools)
    asking.confirm(stage.environments, tools, yes=yes)
    flow = catalogue.release(bump, stage, skip_docs=skip_docs)
    run_or_go_back(flow, start, tools, executing.executor(tools), go_back=go_back)


def _promote_task(stage: str) -> Any:
    @command(name=f"promote-{stage}", help={"release": RELEASE, "yes": YES, "no-rollback": NO_ROLLBACK})
    def promote_stage(c: Context, release: str = "", yes: bool = False, no_rollback: bool = False) -> None:
        from kaizen_tasks.wiring import toolbox

        tools = toolbox(c.config)
        again = f"inv promote-{stage}"
        _promote(tools, tools.settings.stage(stage), release, again=again, yes=yes, go_back=not no_rollback)

    doc = f"Promote to {stage}: the bytes that were verified in the stage before."
    promote_stage.__doc__ = promote_stage.body.__doc__ = doc
    return promote_stage


@command(iterable=["env"], help={"env": ENV, "release": RELEASE, "yes": YES, "no-rollback": NO_ROLLBACK})
def promote(c: Context, env: list[str], release: str = "", yes: bool = False, no_rollback: bool = False) -> None:
    """Promote to any environments: the bytes that were verified in the stage before."""
    from kaizen_tasks.tasks import asking
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    stage = asking.stage(env, tools.settings)
    _promote(tools, stage, release, again=_again("promote", env), yes=yes, go_back=not no_rollback)


def _promote(tools: Toolbox, stage: Stage, wanted: str, *, again: str, yes: bool, go_back: bool) -> None:
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
        asking.agree(f"{release.name} is a pre-release; promote it to {stage.name}", yes=yes)
    rollout = Rollout(
        stage=stage,
        release=release,
        flow_for=lambda environment: catalogue.promotion(environment, before=before),
        again=f"{again} --release {release.name}",
        go_back=go_back,
    )
    _roll_out(rollout, tools, yes=yes)


def _roll_out(rollout: Rollout, tools: Toolbox, *, yes: bool) -> None:
    from kaizen_tasks.flows.rollout import roll_out
    from kaizen_tasks.tasks import asking

    asking.announce(rollout.release.name, rollout.stage.environments, tools)
    asking.confirm(rollout.stage.environments, tools, yes=yes)
    roll_out(rollout, tools, executing.executor(tools))


@command(iterable=["env"], help={"env": ENV, "release": RELEASE, "yes": YES})
def deploy(c: Context, env: list[str], release: str = "", yes: bool = False) -> None:
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
    _roll_out(rollout, tools, yes=yes)


@command(iterable=["env"], help={"env": ENV, "release": RELEASE})
def verify(c: Context, env: list[str], release: str = "") -> None:
    """Ask the running app until it proves the version, then run the smoke checks."""
    from kaizen_tasks.flows import catalogue
    from kaizen_tasks.flows.rollout import Rollout
    from kaizen_tasks.tasks import asking
    from kaizen_tasks.wiring import toolbox

    tools = toolbox(c.config)
    rollout = Rollout(
        stage=asking.stage(env, tools.settings),
        release=_wanted(release, tools),
        flow_for=catalogue.verification,
        again=_again("verify", env),
        go_back=False,
    )
    _roll_out(rollout, tools, yes=True)


def _again(verb: str, env: list[str]) -> str:
    return " ".join((f"inv {verb}", *(f"--env {name}" for name in env)))


def _wanted(name: str, tools: Toolbox) -> Release:
    """Return the release that `--release` names, or the one that VERSION says."""
    from kaizen_tasks.domain import version as versions
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows import documents

    return Release(version=versions.parse(name, where="--release") if name else documents.version(tools))
