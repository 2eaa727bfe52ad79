"""Plans the commands that make a release and bring it into service: `release-STAGE` and `hotfix`."""

from __future__ import annotations

from kaizen_tasks.domain.environment import Environment, Stage
from kaizen_tasks.domain.release import Release
from kaizen_tasks.flows import catalogue
from kaizen_tasks.flows.execution import Change, Execution, HoldPolicy, join_names
from kaizen_tasks.flows.outcome import Outcome, end_of_holds, next_promotion, serving
from kaizen_tasks.flows.release import files
from kaizen_tasks.flows.rollback.automatic import run_with_auto_rollback
from kaizen_tasks.flows.runner import run_flow
from kaizen_tasks.flows.step import Flow
from kaizen_tasks.flows.steps import Bump
from kaizen_tasks.flows.steps.preflight import Preflight
from kaizen_tasks.ports.tools import Tools


def plan_release(bump: Bump, stage: Stage, tools: Tools, *, skip_docs: str, auto_rollback: bool) -> Change:
    """Return the change that releases to the first stage; it is refused if an environment of the stage is held.

    Args:
        bump: the step that chooses the version.
        stage: the first stage.
        tools: the ports.
        skip_docs: why the documentation checklist does not apply; empty when it does.
        auto_rollback: whether an environment that fails verification gets its last verified release again.
    """
    starting_release = Release(version=files.read_version(tools))
    flow = catalogue.release(bump, stage, skip_docs=skip_docs, announce=tools.settings.release.announce)
    return Change(
        title=f"release {bump.target_release(starting_release, tools).name} to {join_names(stage.environments)}",
        environments=stage.environments,
        preflight=lambda: _refuse_early(flow, starting_release, tools),
        verifies=True,
        run=lambda execution: _outcome(
            _run(flow, starting_release, execution, auto_rollback=auto_rollback), stage, tools
        ),
    )


def _outcome(release: Release, stage: Stage, tools: Tools) -> Outcome:
    next_step = next_promotion(stage, release, tools.settings)
    return Outcome(text=serving(release, stage.environments), next_step=next_step)


def plan_hotfix(
    bump: Bump, environment: Environment, tools: Tools, *, reason: str, skip_docs: str, auto_rollback: bool
) -> Change:
    """Return the change that releases to one environment, even if it is held, and adds a hold to it afterwards.

    Args:
        bump: the step that chooses the version.
        environment: where to release.
        tools: the ports.
        reason: the reason of the hold.
        skip_docs: why the documentation checklist does not apply; empty when it does.
        auto_rollback: whether the environment gets its last verified release again when it fails verification.
    """
    starting_release = Release(version=files.read_version(tools))
    announce = tools.settings.release.announce
    flow = catalogue.hotfix(bump, environment, reason=reason, skip_docs=skip_docs, announce=announce)
    return Change(
        title=f"release hotfix {bump.target_release(starting_release, tools).name} to {environment.name}",
        environments=(environment,),
        hold_policy=HoldPolicy.IGNORE,
        preflight=lambda: _refuse_early(flow, starting_release, tools),
        verifies=True,
        run=lambda execution: _hotfix_outcome(
            _run(flow, starting_release, execution, auto_rollback=auto_rollback), environment
        ),
    )


def _hotfix_outcome(release: Release, environment: Environment) -> Outcome:
    text = f"{serving(release, (environment,))} and is held"
    return Outcome(text=text, next_step=end_of_holds((environment,)))


def _refuse_early(flow: Flow, starting_release: Release, tools: Tools) -> None:
    """Run preflight now, before the user is asked and locks are taken, if the state of this clone makes it refuse."""
    preflights = tuple(step for step in flow if isinstance(step, Preflight))
    if any(step.is_blocked_locally(tools) for step in preflights):
        run_flow(preflights, starting_release, tools)


def _run(flow: Flow, starting_release: Release, execution: Execution, *, auto_rollback: bool) -> Release:
    return run_with_auto_rollback(
        flow, starting_release, execution.tools, execution.execute, auto_rollback=auto_rollback
    )
