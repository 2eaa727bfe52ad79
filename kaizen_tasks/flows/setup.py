"""The steps of `inv setup`: the ledger's table, blob mounting, and the rules for tags. All ignore the release."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define, field, frozen
from semver import Version

from kaizen_tasks.domain.decision import Act, Decision, Done
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.domain.tag_mutability import TagMutability
from kaizen_tasks.errors import NOTHING_CHANGED, Denied, Interrupted, KaizenError, NotFound, Refused, Unsupported
from kaizen_tasks.flows.deploy.first_deployment import create_command
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.parallel import map_parallel
from kaizen_tasks.flows.runner import Executor, apply_step, run_flow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kaizen_tasks.flows.step import Flow, Step
    from kaizen_tasks.ports.tools import Tools

PLACEHOLDER_RELEASE = Release(version=Version(0))
"""The release that is passed to steps that ignore it."""

MAX_CONCURRENT_STEPS = 32

UNANSWERED = (Unsupported, Denied)
"""Errors of a question that the cloud, or its permissions, leave unanswered: what is asked about is left as it is."""


@frozen(kw_only=True)
class CreateTable:
    """Create the ledger's table."""

    label: ClassVar[StepLabel] = StepLabel("ledger")

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the table and its point-in-time recovery."""
        table = tools.account.ledger_table()
        if not table.exists:
            return Act(f"create the table {table.name}, on demand, with point-in-time recovery", release)
        if table.point_in_time_recovery is None:
            return Done(f"the table {table.name} exists; its point-in-time recovery cannot be looked at", release)
        if not table.point_in_time_recovery:
            return Act(f"turn on point-in-time recovery of the table {table.name}", release)
        return Done(f"the table {table.name} exists, with point-in-time recovery", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Create the table, or switch on the recovery of an existing one; a cloud may have tables without recovery."""
        try:
            tools.account.create_table()
        except Unsupported as error:
            if not tools.account.ledger_table().exists:
                raise
            tools.reporter.note(f"  the table has no point-in-time recovery: {error.message}")
        return release


@frozen(kw_only=True)
class EnableBlobMounting:
    """Enable blob mounting, a setting of account and region with which a promotion does not send layers again.

    Attributes:
        environment: one of the environments of the account and region.
        is_only_place: whether all environments are there, so that the step needs no further name.
    """

    environment: Environment
    is_only_place: bool = True

    @property
    def label(self) -> StepLabel:
        """The name of the step, with that of the environment where there are several places."""
        return StepLabel("blob mounting", "" if self.is_only_place else self.environment.name)

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the setting."""
        place = "the account" if self.is_only_place else self.environment.target.place
        if tools.at(self.environment).account.is_blob_mounting_enabled():
            return Done(f"repositories of {place} share layers", release)
        return Act(f"let all repositories of {place} share layers (BLOB_MOUNTING)", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Enable blob mounting."""
        tools.at(self.environment).account.enable_blob_mounting()
        return release


@frozen(kw_only=True)
class ProtectTags(EnvironmentStep):
    """Make version tags immutable, and let the tags move that services follow."""

    step_name: ClassVar[str] = "tags"

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the repository's rules."""
        repository = self.environment.repository
        try:
            rules = tools.at(self.environment).account.tag_mutability(repository)
        except NotFound as error:
            neighbours = self._neighbours(tools)
            if not neighbours and self.environment.target != tools.settings.aws.target:
                place, new_rules = self.environment.target.place, self._rules_of_new_repository(tools)
                return Act(f"create the repository {repository} in {place}, its tags {new_rules}", release)
            raise NotFound(error.message, hint=f"{error.hint}{self._creation_hint(neighbours)}") from error
        protected_rules = rules.with_versions_protected(tools.settings.followed_tags(self.environment))
        if rules == protected_rules:
            return Done(f"tags of {repository} are {rules}", release)
        return Act(f"make the {rules} tags of {repository} {protected_rules}", release)

    def _neighbours(self, tools: Tools) -> Sequence[Environment]:
        """Return the environments beside this one with another repository, which a new one can be like."""
        return [
            each
            for each in tools.settings.environments.values()
            if each.repository != self.environment.repository and each.target.is_beside(self.environment.target)
        ]

    def _creation_hint(self, neighbours: Sequence[Environment]) -> str:
        """Return how to create the repository like that of another environment; empty if all have the same one."""
        if not neighbours:
            return ""
        name = neighbours[0].name
        return f"; or like that of {name}: {create_command(self.environment)} --like {name}"

    def _rules_of_new_repository(self, tools: Tools) -> TagMutability:
        return TagMutability(mutability="MUTABLE").with_versions_protected(
            tools.settings.followed_tags(self.environment)
        )

    def act(self, release: Release, tools: Tools) -> Release:
        """Change the rules; other tags that were explicitly mutable stay so. Create a repository that is missing.

        Raises:
            Unsupported: the cloud has not kept the exceptions, without which no deployment is possible.
        """
        repository, account = self.environment.repository, tools.at(self.environment).account
        followed_tags = tools.settings.followed_tags(self.environment)
        try:
            rules = account.tag_mutability(repository)
        except NotFound:
            if self._neighbours(tools):
                raise
            account.create_repository(repository, self._rules_of_new_repository(tools))
            return release
        account.set_tag_mutability(repository, rules.with_versions_protected(followed_tags))
        stored_rules = account.tag_mutability(repository)
        if not all(map(stored_rules.may_move, followed_tags)):
            account.set_tag_mutability(repository, rules)
            raise Unsupported(f"this cloud keeps no exceptions from the immutability of {repository}'s tags")
        return release


def setup_flow(environments: Sequence[Environment]) -> Flow:
    """Return the steps for the ledger's table and, in each account, for blob mounting and the rules of tags."""
    return (CreateTable(), *blob_mounting(environments), *(ProtectTags(environment=each) for each in environments))


def blob_mounting(environments: Sequence[Environment]) -> Iterator[EnableBlobMounting]:
    """Yield a step for each account and region of the environments."""
    places = {(each.target.account, each.target.region): each for each in reversed(environments)}
    for environment in (each for each in environments if each in places.values()):
        yield EnableBlobMounting(environment=environment, is_only_place=len(places) == 1)


def pending_steps(flow: Flow, tools: Tools) -> tuple[tuple[Step, str], ...]:
    """Return the steps that have something to do, each with its description; leave out what cannot be looked at.

    Raises:
        Refused: lookups failed; the message names every failure.
    """
    decisions = map_parallel(lambda step: _try_decide(step, tools), flow, max_workers=MAX_CONCURRENT_STEPS)
    failed = [decision for decision in decisions if isinstance(decision, KaizenError)]
    if errors := [error for error in failed if not isinstance(error, UNANSWERED)]:
        message = "; ".join(dict.fromkeys(error.message for error in errors))
        raise Refused(message, state=NOTHING_CHANGED, hint=errors[0].hint)
    pairs = zip(flow, decisions, strict=True)
    return tuple((step, decision.description) for step, decision in pairs if isinstance(decision, Act))


def _try_decide(step: Step, tools: Tools) -> Decision | KaizenError:
    try:
        return step.decide(PLACEHOLDER_RELEASE, tools)
    except KaizenError as error:
        return error


@define
class _SetupRun:
    """What has been done of a setup, and what was not possible.

    Attributes:
        execute: carries out the steps.
        attempted: steps that began to change something.
        done: steps that changed something.
        left_alone: the error of each step whose question was not answered, or whose change this cloud does not offer.
        denied: the error of each step whose change is denied.
    """

    execute: Executor
    attempted: list[StepLabel] = field(factory=list)
    done: list[StepLabel] = field(factory=list)
    left_alone: dict[StepLabel, Refused] = field(factory=dict)
    denied: dict[StepLabel, Refused] = field(factory=dict)

    def run_step(self, step: Step, tools: Tools) -> None:
        """Run a step; an error of one that is not answered or not allowed does not keep the others from running."""
        try:
            run_flow((step,), PLACEHOLDER_RELEASE, tools, self._execute)
        except UNANSWERED as error:
            is_denied = step.label in self.attempted and isinstance(error, Denied)
            errors = self.denied if is_denied else self.left_alone
            errors[step.label] = error

    def _execute(self, step: Step, decision: Act, release: Release, tools: Tools) -> Release:
        self.attempted.append(step.label)
        result = self.execute(step, decision, release, tools)
        self.done.append(step.label)
        return result


def run_setup(flow: Flow, tools: Tools, execute: Executor = apply_step) -> None:
    """Run the flow that `setup_flow` returned, and say at the end what was left as it is.

    Raises:
        Interrupted: in place of a refusal, once something has been changed.
    """
    run = _SetupRun(execute)
    try:
        for step in flow:
            run.run_step(step, tools)
        for label, error in run.left_alone.items():
            tools.reporter.note(f"  left as it is: {label}: {error.message}")
        for error in run.denied.values():
            raise error
    except Refused as error:
        if not run.done:
            raise
        state = f"done: {', '.join(map(str, run.done))}"
        raise Interrupted(error.message, state=state, hint=error.hint) from error
