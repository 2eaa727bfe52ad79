"""The steps of each flow, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.flows import steps
from kaizen_tasks.flows.step import Flow

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment, Stage


def cut(bump: steps.Bump, *, push: bool = False, announce: bool = False, skip_docs: str = "") -> Flow:
    """Return the flow of `inv cut`: a release without a deployment, local and not announced unless `push` is given."""
    return (
        steps.Preflight(bump=bump, push=push, skip_docs=skip_docs),
        bump,
        steps.CutChangelog(after_preflight=True),
        steps.Commit(),
        *((steps.PushRelease(remark=skip_docs),) if push else ()),
        steps.FastForwardAndTag(remark=skip_docs),
        *((steps.Announce(),) if push and announce else ()),
    )


def proposal(bump: steps.Bump, *, asks_version: bool = False, discard_edits: bool = False, skip_docs: str = "") -> Flow:
    """Return the flow of `inv propose`: the next release on a branch of its own, and its pull request.

    Args:
        bump: the step that chooses the version.
        asks_version: whether the version was asked for, see `Propose`.
        discard_edits: whether the branch is replaced although somebody has edited it.
        skip_docs: why the documentation checklist does not apply; empty when it does.
    """
    return (
        steps.Preflight(bump=bump, skip_docs=skip_docs),
        bump,
        steps.CutChangelog(),
        steps.Propose(asks_version=asks_version, discard_edits=discard_edits),
        steps.OpenPullRequest(),
    )


def release(
    bump: steps.Bump, stage: Stage, *, skip_docs: str = "", hold_reason: str = "", announce: bool = False
) -> Flow:
    """Return the flow from a commit on the release branch to verified services and a pushed tag.

    Args:
        bump: the step that chooses the version.
        stage: where to release.
        skip_docs: why the documentation checklist does not apply; empty when it does.
        hold_reason: for a hotfix, the reason of the hold that keeps promotions from undoing it; else empty.
        announce: whether the release notes are published on the server of the remote.
    """
    first_environment, *other_environments = stage.environments
    return (
        steps.Preflight(bump=bump, environments=stage.environments, skip_docs=skip_docs),
        bump,
        steps.CutChangelog(after_preflight=True),
        steps.Commit(environment=first_environment if hold_reason else None),
        steps.Build(environment=first_environment),
        steps.Claim(environment=first_environment),
        steps.Push(environment=first_environment),
        *((steps.AddHold(environment=first_environment, reason=hold_reason),) if hold_reason else ()),
        steps.FastForward(),
        *before_deploy(first_environment),
        *deploy_and_verify(first_environment, is_hotfix=bool(hold_reason)),
        *(
            step
            for environment in other_environments
            for step in copy_deploy_verify(environment, source=first_environment)
        ),
        steps.Tag(remark=skip_docs),
        *((steps.Announce(),) if announce else ()),
    )


def promotion(environment: Environment, *, before: Stage) -> Flow:
    """Return the flow that copies the image verified in the previous stage, deploys it and verifies the service."""
    return (
        steps.Evidence(environment=environment, stage=before),
        *copy_deploy_verify(environment, source=before.environments[0]),
    )


def copy_deploy_verify(environment: Environment, *, source: Environment) -> Flow:
    """Return the flow that copies an image from `source`'s repository, deploys it and verifies the service."""
    return (
        steps.CopyImage(environment=environment, source=source),
        *before_deploy(environment),
        *deploy_and_verify(environment),
    )


def before_deploy(environment: Environment) -> Flow:
    """Return the step that runs the commands of an environment in the image, if it has any."""
    return (steps.BeforeDeploy(environment=environment),) if environment.before_deploy else ()


def hotfix(
    bump: steps.Bump, environment: Environment, *, reason: str, skip_docs: str = "", announce: bool = False
) -> Flow:
    """Return the flow of `inv hotfix`: a release to one environment, which is held before it is deployed there."""
    from kaizen_tasks.domain.environment import Stage

    stage = Stage(name=environment.name, environments=(environment,))
    return release(bump, stage, skip_docs=skip_docs, hold_reason=reason, announce=announce)


def rollback(environment: Environment, *, reason: str, source: Environment | None = None) -> Flow:
    """Return the flow of `inv rollback`: redeploy, then hold; see `redeploy_previous`."""
    return (
        *redeploy_previous(environment, reason=reason, source=source),
        steps.AddHold(environment=environment, reason=f"rolled back: {reason}", replaces=True),
    )


def redeploy_previous(environment: Environment, *, reason: str, source: Environment | None = None) -> Flow:
    """Return the flow that deploys an earlier image again.

    Args:
        environment: where to deploy.
        reason: why, for the ledger.
        source: the environment whose repository has the image, if it is another one: the image is copied back first.
    """
    return (
        *((steps.CopyImage(environment=environment, source=source),) if source and source != environment else ()),
        steps.MarkRollback(environment=environment, reason=reason),
        *deploy_and_verify(environment),
    )


def deploy_and_verify(environment: Environment, *, is_hotfix: bool = False) -> Flow:
    """Return the steps from an image in the repository to the ledger entry `verified`, written with `deployed`."""
    deploy = steps.Deploy(environment=environment, verified_next=True)
    return (deploy, *verification_steps(environment, is_hotfix=is_hotfix))


def verification_steps(environment: Environment, *, is_hotfix: bool = False) -> Flow:
    """Return the steps from a deployed service to the ledger entry `verified`."""
    return (
        steps.Verify(environment=environment),
        steps.Smoke(environment=environment),
        steps.Record(environment=environment, is_hotfix=is_hotfix),
    )


def apply_runtime_config(environment: Environment) -> Flow:
    """Return the flow that redeploys the serving release with its new runtime configuration, and verifies it."""
    return (steps.Redeploy(environment=environment), *verification_steps(environment))


def deployment(environment: Environment, *, source: Environment, before: Stage | None = None) -> Flow:
    """Return the flow of `inv deploy`: copy the image if the environment's repository lacks it, then deploy it.

    Args:
        environment: where to deploy.
        source: the environment whose repository has the image; `environment` itself if there is nothing to copy.
        before: the stage that must have verified the release; None when no evidence is needed.
    """
    if environment == source:
        deploy = steps.Deploy(environment=environment)
        return (steps.FindImage(environment=environment), *before_deploy(environment), deploy)
    return (
        *((steps.Evidence(environment=environment, stage=before),) if before else ()),
        steps.CopyImage(environment=environment, source=source),
        *before_deploy(environment),
        steps.Deploy(environment=environment),
    )


def verify_only(environment: Environment) -> Flow:
    """Return the flow of `inv verify`: verify the running version, and record it in the ledger."""
    return (steps.FindImage(environment=environment), *verification_steps(environment))


def abandon(environment: Environment, *, reason: str) -> Flow:
    """Return the flow of `inv release.abandon`: give up a release that was begun."""
    return (steps.Abandon(environment=environment, reason=reason),)


def push(environment: Environment) -> Flow:
    """Return the flow of `inv push`: claim the release's number, then upload the image."""
    return (steps.Claim(environment=environment), steps.Push(environment=environment))


def commit() -> Flow:
    """Return the flow of `inv commit`: create the release commit, and fast-forward the branch to it."""
    return (steps.Commit(), steps.FastForward())
