"""The steps of `inv setup`: the ledger's table, blob mounting, and the rules for tags. All ignore the release."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import frozen
from semver import Version

from kaizen_tasks.domain.decision import Act, Decision, Done
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.errors import NOTHING_CHANGED, Interrupted, KaizenError, Refused
from kaizen_tasks.flows.parallel import map_parallel
from kaizen_tasks.flows.runner import Executor, apply_step, run_flow
from kaizen_tasks.flows.step import EnvironmentStep

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.flows.step import Flow, Step
    from kaizen_tasks.ports.tools import Tools

PLACEHOLDER_RELEASE = Release(version=Version(0))
"""The release that is passed to steps that ignore it."""

MAX_CONCURRENT_STEPS = 32


@frozen(kw_only=True)
class CreateTable:
    """Create the ledger's table."""

    label: ClassVar[StepLabel] = StepLabel("ledger")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the table and its point-in-time recovery."""
        table = tools.account.ledger_table()
        if not table.exists:
            return Act(f"create the table {table.name}, on demand, with point-in-time recovery", release)
        if not table.point_in_time_recovery:
            return Act(f"turn on point-in-time recovery of the table {table.name}", release)
        return Done(f"the table {table.name} exists, with point-in-time recovery", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Create the table, or switch on the recovery of an existing one."""
        tools.account.create_table()
        return release


@frozen(kw_only=True)
class EnableBlobMounting:
    """Enable blob mounting, a setting of account and region with which a promotion does not send layers again."""

    label: ClassVar[StepLabel] = StepLabel("blob mounting")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the setting."""
        if tools.account.is_blob_mounting_enabled():
            return Done("repositories of the account share layers", release)
        return Act("let all repositories of the account share layers (BLOB_MOUNTING)", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Enable blob mounting."""
        tools.account.enable_blob_mounting()
        return release


@frozen(kw_only=True)
class ProtectTags(EnvironmentStep):
    """Make version tags immutable, and let the tags move that services follow."""

    step_name: ClassVar[str] = "tags"

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the repository's rules."""
        repository = self.environment.repository
        rules = tools.account.tag_mutability(repository)
        protected_rules = rules.with_versions_protected(tools.settings.followed_tags(repository))
        if rules == protected_rules:
            return Done(f"tags of {repository} are {rules}", release)
        return Act(f"make the {rules} tags of {repository} {protected_rules}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Change the rules; other tags that were explicitly mutable stay so."""
        repository = self.environment.repository
        rules, followed_tags = tools.account.tag_mutability(repository), tools.settings.followed_tags(repository)
        tools.account.set_tag_mutability(repository, rules.with_versions_protected(followed_tags))
        return release


def setup_flow(environments: Iterable[Environment]) -> Flow:
    """Return the steps for the ledger's table, for blob mounting and for the tag rules of the repositories."""
    return (CreateTable(), EnableBlobMounting(), *(ProtectTags(environment=each) for each in environments))


def pending_steps(flow: Flow, tools: Tools) -> tuple[tuple[Step, str], ...]:
    """Return the steps that have something to do, each with its description.

    Raises:
        Refused: lookups failed; the message names every failure.
    """
    decisions = map_parallel(lambda step: _try_decide(step, tools), flow, max_workers=MAX_CONCURRENT_STEPS)
    if errors := [decision for decision in decisions if isinstance(decision, KaizenError)]:
        message = "; ".join(dict.fromkeys(error.message for error in errors))
        raise Refused(message, state=NOTHING_CHANGED, hint=errors[0].hint)
    pairs = zip(flow, decisions, strict=True)
    return tuple((step, decision.description) for step, decision in pairs if isinstance(decision, Act))


def _try_decide(step: Step, tools: Tools) -> Decision | KaizenError:
    try:
        return step.decide(PLACEHOLDER_RELEASE, tools)
    except KaizenError as error:
        return error


def run_setup(flow: Flow, tools: Tools, execute: Executor = apply_step) -> None:
    """Run the flow that `setup_flow` returned.

    Raises:
        Interrupted: in place of a refusal, once something has been changed.
    """
    acted: list[str] = []

    def execute_and_note(step: Step, decision: Act, release: Release, tools: Tools) -> Release:
        result = execute(step, decision, release, tools)
        acted.append(str(step.label))
        return result

    try:
        run_flow(flow, PLACEHOLDER_RELEASE, tools, execute_and_note)
    except Refused as error:
        if not acted:
            raise
        raise Interrupted(error.message, state=f"done: {', '.join(acted)}", hint=error.hint) from error
