"""The flows, as tables of contents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.domain.environment import Stage
from kaizen_tasks.flows.steps import (
    Build,
    Bump,
    Changelog,
    Commit,
    Copy,
    Deploy,
    Evidence,
    Hold,
    Land,
    Locate,
    Preflight,
    Push,
    Record,
    Return,
    Seal,
    Send,
    Smoke,
    Tag,
    Verify,
)

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.flows.step import Flow


def cut(bump: Bump, *, push: bool = False, skip_docs: str = "") -> Flow:
    """`inv cut`: what release tools for libraries do. Without `push` it is local and asks no remote."""
    return (
        Preflight(bump=bump, push=push, skip_docs=skip_docs),
        bump,
        Changelog(),
        Commit(),
        *((Send(remark=skip_docs),) if push else ()),
        Seal(remark=skip_docs),
    )


def release(bump: Bump, stage: Stage, *, skip_docs: str = "") -> Flow:
    """From a commit on the release branch to verified services and a pushed tag."""
    first, *others = stage.environments
    return (
        Preflight(bump=bump, environments=stage.environments, skip_docs=skip_docs),
        bump,
        Changelog(),
        Commit(),
        Build(environment=first),
        Push(environment=first),
        Land(),
        Deploy(environment=first),
        *proof(first),
        *(step for other in others for step in rollout(other, source=first)),
        Tag(remark=skip_docs),
    )


def promotion(environment: Environment, *, before: Stage) -> Flow:
    """From a release that was verified in the stage before to the same bytes in this environment."""
    return (
        Evidence(environment=environment, stage=before),
        *rollout(environment, source=before.environments[0]),
    )


def rollout(environment: Environment, *, source: Environment) -> Flow:
    """From an image in another repository to an app that has proven itself."""
    return (
        Copy(environment=environment, source=source),
        Deploy(environment=environment),
        *proof(environment),
    )


def hotfix(bump: Bump, environment: Environment, *, reason: str, skip_docs: str = "") -> Flow:
    """`inv hotfix`: the release flow for one environment, which promotions then leave alone."""
    return (
        *release(bump, Stage(name=environment.name, environments=(environment,)), skip_docs=skip_docs),
        Hold(environment=environment, reason=reason),
    )


def rollback(environment: Environment, *, reason: str) -> Flow:
    """`inv rollback`: the way back, which promotions then respect."""
    return (
        *return_to(environment, reason=reason),
        Hold(environment=environment, reason=f"rolled back: {reason}"),
    )


def return_to(environment: Environment, *, reason: str) -> Flow:
    """From an image that the environment's own repository still holds back into service, without a build."""
    return (
        Return(environment=environment, reason=reason),
        Deploy(environment=environment),
        *proof(environment),
    )


def proof(environment: Environment) -> Flow:
    """From a service that was deployed to a line in the ledger that says verified."""
    return (
        Verify(environment=environment),
        Smoke(environment=environment),
        Record(environment=environment),
    )


def deployment(environment: Environment, *, source: Environment) -> Flow:
    """`inv deploy`: the image into the repository if it is not there yet, then into service.

    Args:
        environment: where.
        source: whose repository has the image; the environment itself, in the stage that receives images by push.
    """
    if environment == source:
        return (Locate(environment=environment), Deploy(environment=environment))
    return (Copy(environment=environment, source=source), Deploy(environment=environment))


def verification(environment: Environment) -> Flow:
    """`inv verify`: the app proves its version, and the ledger says so."""
    return (
        Locate(environment=environment),
        *proof(environment),
    )


def commit() -> Flow:
    """`inv commit`: the release commit, and the branch on it."""
    return (
        Commit(),
        Land(),
    )
