"""The flows, as tables of contents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain.environment import Stage
from kaizen_tasks.flows import steps

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.flows.step import Flow


def cut(bump: steps.Bump, *, push: bool = False, skip_docs: str = "") -> Flow:
    """`inv cut`: what release tools for libraries do. Without `push` it is local and asks no remote."""
    return (
        steps.Preflight(bump=bump, push=push, skip_docs=skip_docs),
        bump,
        steps.CutChangelog(),
        steps.Commit(),
        *((steps.PushRelease(remark=skip_docs),) if push else ()),
        steps.FastForwardAndTag(remark=skip_docs),
    )


def release(bump: steps.Bump, stage: Stage, *, skip_docs: str = "") -> Flow:
    """From a commit on the release branch to verified services and a pushed tag."""
    first_environment, *other_environments = stage.environments
    return (
        steps.Preflight(bump=bump, environments=stage.environments, skip_docs=skip_docs),
        bump,
        steps.CutChangelog(),
        steps.Commit(),
        steps.Build(environment=first_environment),
        steps.Push(environment=first_environment),
        steps.FastForward(),
        steps.Deploy(environment=first_environment),
        *verification_steps(first_environment),
        *(
            step
            for environment in other_environments
            for step in copy_deploy_verify(environment, source=first_environment)
        ),
        steps.Tag(remark=skip_docs),
    )


def promotion(environment: Environment, *, before: Stage) -> Flow:
    """From a release that was verified in the stage before to the same bytes in this environment."""
    return (
        steps.Evidence(environment=environment, stage=before),
        *copy_deploy_verify(environment, source=before.environments[0]),
    )


def copy_deploy_verify(environment: Environment, *, source: Environment) -> Flow:
    """From an image in another repository to an app that has proven itself."""
    return (
        steps.CopyImage(environment=environment, source=source),
        steps.Deploy(environment=environment),
        *verification_steps(environment),
    )


def hotfix(bump: steps.Bump, environment: Environment, *, reason: str, skip_docs: str = "") -> Flow:
    """`inv hotfix`: the release flow for one environment, which promotions then leave alone."""
    return (
        *release(bump, Stage(name=environment.name, environments=(environment,)), skip_docs=skip_docs),
        steps.AddHold(environment=environment, reason=reason),
    )


def rollback(environment: Environment, *, reason: str) -> Flow:
    """`inv rollback`: the way back, which promotions then respect."""
    return (
        *redeploy_previous(environment, reason=reason),
        steps.AddHold(environment=environment, reason=f"rolled back: {reason}"),
    )


def redeploy_previous(environment: Environment, *, reason: str) -> Flow:
    """From an image that the environment's own repository still holds back into service, without a build."""
    return (
        steps.MarkRollback(environment=environment, reason=reason),
        steps.Deploy(environment=environment),
        *verification_steps(environment),
    )


def verification_steps(environment: Environment) -> Flow:
    """From a service that was deployed to a line in the ledger that says verified."""
    return (
        steps.Verify(environment=environment),
        steps.Smoke(environment=environment),
        steps.Record(environment=environment),
    )


def apply_runtime_config(environment: Environment) -> Flow:
    """From a runtime configuration that was written to the same release, proven to run with it."""
    return (
        steps.Redeploy(environment=environment),
        *verification_steps(environment),
    )


def deployment(environment: Environment, *, source: Environment, before: Stage | None = None) -> Flow:
    """`inv deploy`: the image into the repository if it is not there yet, then into service.

    Args:
        environment: where.
        source: whose repository has the image; the environment itself, in the stage that receives images by push.
        before: the stage in which it must have been verified; None when no evidence is wanted.
    """
    if environment == source:
        return (steps.FindImage(environment=environment), steps.Deploy(environment=environment))
    return (
        *((steps.Evidence(environment=environment, stage=before),) if before else ()),
        steps.CopyImage(environment=environment, source=source),
        steps.Deploy(environment=environment),
    )


def verify_only(environment: Environment) -> Flow:
    """`inv verify`: the app proves its version, and the ledger says so."""
    return (
        steps.FindImage(environment=environment),
        *verification_steps(environment),
    )


def commit() -> Flow:
    """`inv commit`: the release commit, and the branch on it."""
    return (
        steps.Commit(),
        steps.FastForward(),
    )
