"""The flows, as tables of contents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.flows.steps import (
    Build,
    Bump,
    Changelog,
    Commit,
    Copy,
    Deploy,
    Evidence,
    Land,
    Locate,
    Preflight,
    Push,
    Record,
    Smoke,
    Tag,
    Verify,
)

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment, Stage
    from kaizen_tasks.flows.step import Flow


def release(bump: Bump, stage: Stage) -> Flow:
    """From a commit on the release branch to verified services and a pushed tag."""
    first = stage.environments[0]
    return (
        Preflight(environments=stage.environments),
        bump,
        Changelog(),
        Commit(),
        Build(environment=first),
        Push(environment=first),
        Land(),
        *(step for environment in stage.environments for step in rollout(environment, source=first)),
        Tag(),
    )


def promotion(environment: Environment, *, before: Stage) -> Flow:
    """From a release that was verified in the stage before to the same bytes in this environment."""
    return (
        Evidence(stage=before),
        *rollout(environment, source=before.environments[0]),
    )


def rollout(environment: Environment, *, source: Environment) -> Flow:
    """From an image in some repository to an app that has proven itself."""
    return (
        *deployment(environment, source=source),
        Verify(environment=environment),
        Smoke(environment=environment),
        Record(environment=environment),
    )


def deployment(environment: Environment, *, source: Environment) -> Flow:
    """`inv deploy`: the image into the repository if it is not there yet, then into service."""
    return (
        Copy(environment=environment, source=source),
        Deploy(environment=environment),
    )


def verification(environment: Environment) -> Flow:
    """`inv verify`: the app proves its version, and the ledger says so."""
    return (
        Locate(environment=environment),
        Verify(environment=environment),
        Smoke(environment=environment),
        Record(environment=environment),
    )


def commit() -> Flow:
    """`inv commit`: the release commit, and the branch on it."""
    return (
        Commit(),
        Land(),
    )
