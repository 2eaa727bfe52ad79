"""What is ours in the account: the ledger's table, the rules for tags, and blob mounting.

These are steps like any others, so that they look before they act and after; they carry no release along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import frozen
from semver import Version

from kaizen_tasks.domain.decision import Act, Decision, Done
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.errors import NOTHING_CHANGED, KaizenError, Refused
from kaizen_tasks.flows.parallel import map_parallel
from kaizen_tasks.flows.runner import Executor, apply_step, run_flow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.flows.step import Flow, Step
    from kaizen_tasks.ports.tools import Tools

PLACEHOLDER_RELEASE = Release(version=Version(0))
"""Stands where a flow expects a release."""

MAX_CONCURRENT_STEPS = 32


@frozen(kw_only=True)
class CreateTable:
    """The table that records every release."""

    label: ClassVar[StepLabel] = StepLabel("ledger")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look whether it is there, and recoverable."""
        table = tools.account.ledger_table()
        if not table.exists:
            return Act(f"create the table {table.name}, on demand, with point-in-time recovery", release)
        if not table.point_in_time_recovery:
            return Act(f"turn on point-in-time recovery of the table {table.name}", release)
        return Done(f"the table {table.name} exists, with point-in-time recovery", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Create it."""
        tools.account.create_table()
        return release


@frozen(kw_only=True)
class EnableBlobMounting:
    """Layers that a promotion need not send again; a setting of the whole account and region."""

    label: ClassVar[StepLabel] = StepLabel("blob mounting")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look whether it is enabled."""
        if tools.account.is_blob_mounting_enabled():
            return Done("repositories of the account share layers", release)
        return Act("let all repositories of the account share layers (BLOB_MOUNTING)", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Enable it."""
        tools.account.enable_blob_mounting()
        return release


@frozen(kw_only=True)
class ProtectTags:
    """Tags of versions that never move, and `latest`, which does.

    Attributes:
        environment: whose repository.
    """

    environment: Environment

    @property
    def label(self) -> StepLabel:
        """Its name."""
        return StepLabel("tags", self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look at the repository's rules."""
        repository = self.environment.repository
        rules = tools.account.tag_mutability(repository)
        if rules == rules.with_versions_protected():
            return Done(f"tags of {repository} are {rules}", release)
        return Act(f"make the {rules} tags of {repository} {rules.with_versions_protected()}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Change the rules; what else may move in the repository still may, as far as it was said explicitly."""
        repository = self.environment.repository
        tools.account.set_tag_mutability(repository, tools.account.tag_mutability(repository).with_versions_protected())
        return release


def setup_flow(settings: Settings) -> Flow:
    """Return everything that is set up; repositories and services themselves are not ours."""
    return (
        CreateTable(),
        EnableBlobMounting(),
        *(ProtectTags(environment=environment) for environment in settings.environments.values()),
    )


def pending_steps(flow: Flow, tools: Tools) -> tuple[tuple[Step, str], ...]:
    """Return the steps that have something to do, each with what that is.

    Raises:
        Refused: something cannot be looked at; with everything that cannot.
    """
    decisions = map_parallel(lambda step: _try_decide(step, tools), flow, max_workers=MAX_CONCURRENT_STEPS)
    errors = [decision for decision in decisions if isinstance(decision, KaizenError)]
    if errors:
        raise _refused_error(errors)
    return tuple(
        (step, decision.description)
        for step, decision in zip(flow, decisions, strict=True)
        if isinstance(decision, Act)
    )


def _try_decide(step: Step, tools: Tools) -> Decision | KaizenError:
    try:
        return step.decide(PLACEHOLDER_RELEASE, tools)
    except KaizenError as error:
        return error


def _refused_error(errors: Sequence[KaizenError]) -> Refused:
    message = "; ".join(dict.fromkeys(error.message for error in errors))
    return Refused(message, state=NOTHING_CHANGED, hint=errors[0].hint)


def run_setup(flow: Flow, tools: Tools, execute: Executor = apply_step) -> None:
    """Do what is missing, step by step."""
    run_flow(flow, PLACEHOLDER_RELEASE, tools, execute)
