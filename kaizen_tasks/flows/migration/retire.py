"""The end of a migration: the old service is paused, and by a later command deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from attrs import evolve, frozen

from kaizen_tasks.domain.decision import Act, Decision, Done
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event, serving_entry
from kaizen_tasks.domain.migration.record import Migration, has_ended_with
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.errors import NOTHING_CHANGED, DeployFailed, Refused, UsageError
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.execution import Change, Execution, join_names
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.migration import origin, waiting
from kaizen_tasks.flows.migration.plan import read_migration
from kaizen_tasks.flows.outcome import Outcome
from kaizen_tasks.flows.parallel import map_parallel
from kaizen_tasks.flows.runner import run_flow

if TYPE_CHECKING:
    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.ports.tools import Tools

MAX_CONCURRENT_CHECKS = 16


@frozen(kw_only=True)
class OngoingMigration:
    """A migration that is under way.

    Attributes:
        environment: the environment, as it is configured.
        migration: what the ledger knows of it.
        release: the release that serves.
    """

    environment: Environment
    migration: Migration
    release: Release

    @property
    def old_environment(self) -> Environment:
        """The environment with its old service."""
        return self.migration.old_environment(self.environment)

    @property
    def new_environment(self) -> Environment:
        """The environment with its new service."""
        return self.migration.new_environment(self.environment)

    @property
    def configured_environment(self) -> Environment:
        """The environment with its new service as it shall be configured: with an address, if it has none."""
        new = self.new_environment
        return new if new.url or new.kind.has_address else evolve(new, url=self.migration.url)


def find_ongoing(environment: Environment, tools: Tools) -> OngoingMigration:
    """Return the migration of an environment.

    Raises:
        UsageError: there is none.
    """
    entries = tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)
    migration, entry = read_migration(environment, tools), serving_entry(entries)
    if migration is None or entry is None:
        ending = "its move has ended" if any(each.event.concerns_migration for each in entries) else "no move has begun"
        raise UsageError(
            f"{environment.name} is not being moved: by the ledger, {ending}, and it has one service",
            state=NOTHING_CHANGED,
            hint=f"see what it has: inv status --env {environment.name}",
        )
    return OngoingMigration(environment=environment, migration=migration, release=ledger.release_from_entry(entry))


def without_ended(environments: Sequence[Environment], event: Event, tools: Tools) -> tuple[Environment, ...]:
    """Return the environments whose last migration has not ended with an event."""
    return tuple(
        environment
        for environment in environments
        if not has_ended_with(tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT), event)
    )


def plan_nothing(environments: Sequence[Environment], outcome: Outcome) -> Change:
    """Return the change that has nothing to do but to take away the locks that a killed run has left."""
    names = join_names(environments)
    return Change(
        title=f"see how far {names} moved", environments=tuple(environments), run=lambda _: outcome, asks=False
    )


def ended(environments: Sequence[Environment]) -> Outcome:
    """Return that environments have one service each, where they are configured."""
    verb = "has" if len(environments) == 1 else "have"
    return Outcome(text=f"{join_names(environments)} {verb} one service, on {environments[0].kind.title}")


def plan_retirement(
    environments: Sequence[Environment], tools: Tools, *, deletes: bool, command_line: str, is_asserted: bool
) -> Change:
    """Return the change that pauses the old services, or deletes those that an earlier one has paused.

    Args:
        environments: as they are configured.
        tools: the ports.
        deletes: whether to delete them.
        command_line: what to type again.
        is_asserted: whether a person vouches for it that the addresses lead to the new services.

    Raises:
        UsageError: an environment is not being moved.
        Refused: the configuration still names the old service, or one to delete was not paused.
    """
    ongoing = [find_ongoing(environment, tools) for environment in environments]
    for each in ongoing:
        if not each.migration.has_moved(each.environment):
            raise Refused(
                f"{each.environment.name}: the configuration still names the service on {each.environment.kind.title}",
                state=NOTHING_CHANGED,
                hint=f"bring it over first: inv migrate --env {each.environment.name} --to {each.migration.platform}",
            )
        if deletes and not each.migration.is_retired:
            raise Refused(
                f"{each.migration.old_service} is not paused, so nobody can have missed it yet",
                state=NOTHING_CHANGED,
                hint=f"pause it first: {command_line}",
            )
    names = list_names([each.migration.old_service for each in ongoing])
    verb = "delete" if deletes else "pause"

    def run(execution: Execution) -> Outcome:
        for each in ongoing:
            flow = _deletion_flow(each, command_line) if deletes else _pausing_flow(each, command_line)
            run_flow(flow, each.release, execution.tools, execution.execute)
        return ended(environments) if deletes else paused(ongoing, command_line)

    return Change(
        title=f"{verb} the old service{'' if len(ongoing) == 1 else 's'} of {join_names(environments)}",
        environments=tuple(environments),
        preflight=lambda: _require_unreached(ongoing, tools, is_asserted=is_asserted),
        question=f"delete {names} on {_old_title(ongoing)} for good" if deletes else f"pause {names}",
        run=run,
        verifies=True,
    )


def paused(ongoing: Sequence[OngoingMigration], command_line: str) -> Outcome:
    """Return that the old services are paused, and how to delete them."""
    names, verb = list_names([each.migration.old_service for each in ongoing]), "is" if len(ongoing) == 1 else "are"
    return Outcome(text=f"{names} {verb} paused", next_step=f"to delete for good: {command_line} --delete")


def _old_title(ongoing: Sequence[OngoingMigration]) -> str:
    return ongoing[0].old_environment.kind.title


def _require_unreached(ongoing: Sequence[OngoingMigration], tools: Tools, *, is_asserted: bool) -> None:
    """Refuse to retire a service as long as an address leads to it, or may do so.

    Raises:
        Refused: with what each such address leads to.
    """

    def check(each: OngoingMigration) -> str:
        environment = each.environment
        if not origin.address_of(environment, each.migration, tools):
            return ""
        report = origin.check_address(environment, each.migration, each.release, tools, is_asserted=is_asserted)
        return "" if report.has_moved else report.describe(_old_title(ongoing), each.migration.title)

    problems = list(filter(None, map_parallel(check, ongoing, max_workers=MAX_CONCURRENT_CHECKS)))
    if problems:
        raise Refused(
            "; ".join(problems),
            state=f"{NOTHING_CHANGED}: what is still asked must not be retired",
            hint="point the address to the new service; if only you can see that it does, add: --moved REASON",
        )


def _pausing_flow(ongoing: OngoingMigration, command_line: str) -> Flow:
    environment = ongoing.old_environment
    return (
        PauseService(environment=environment, command_line=command_line),
        RecordEnd(environment=environment, migration=ongoing.migration, event=Event.RETIRED),
    )


def _deletion_flow(ongoing: OngoingMigration, command_line: str) -> Flow:
    environment = ongoing.old_environment
    return (
        DeleteOldService(environment=environment, command_line=command_line),
        RecordEnd(environment=environment, migration=ongoing.migration, event=Event.MIGRATED),
    )


@frozen(kw_only=True)
class PauseService(EnvironmentStep):
    """Pause the old service, which keeps its address and settings.

    Attributes:
        environment: the environment with its old service.
        command_line: what to type to wait on.
    """

    step_name: ClassVar[str] = "pause"
    command_line: str

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the old service."""
        service, name = waiting.find_service(self.environment, tools), self.environment.service
        if service is None or service.status in {ServiceStatus.PAUSED, ServiceStatus.UNAVAILABLE}:
            return Done(f"{name} is {service.status if service else 'deleted'}", release)
        return Act(f"pause {name} on {self.environment.kind.title}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Pause it, once no operation is in progress, and wait until it is paused."""
        source = tools.at(self.environment).migration_source
        service = waiting.wait_while_busy(self.environment, tools)
        if service is not None and service.status is ServiceStatus.RUNNING:
            source.pause(service)
        waiting.wait_for_service(
            self.environment,
            lambda found: found is None or found.status is ServiceStatus.PAUSED,
            "paused",
            tools,
            command_line=self.command_line,
        )
        return release


@frozen(kw_only=True)
class DeleteOldService(EnvironmentStep):
    """Delete the old service, which an earlier command has paused.

    Attributes:
        environment: the environment with its old service.
        command_line: what to type to wait on.
    """

    step_name: ClassVar[str] = "delete"
    command_line: str

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the old service."""
        service, name = waiting.find_service(self.environment, tools), self.environment.service
        if service is None:
            return Done(f"{name} on {self.environment.kind.title} is deleted", release)
        return Act(f"delete {name} on {self.environment.kind.title}, which is {service.status}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Delete it if it is paused, and wait until it is gone.

        Raises:
            DeployFailed: somebody has resumed it.
        """
        service = waiting.find_service(self.environment, tools)
        if service is not None and service.status is ServiceStatus.RUNNING:
            raise DeployFailed(
                f"{service.name} runs again: somebody has resumed it",
                state="it is not deleted",
                hint=f"pause it if nobody needs it: aws apprunner pause-service --service-arn {service.id}",
            )
        if service is not None and service.status is ServiceStatus.PAUSED:
            tools.at(self.environment).migration_source.delete_source(service)
        waiting.wait_for_service(
            self.environment, lambda found: found is None, "deleted", tools, command_line=self.command_line
        )
        return release


@frozen(kw_only=True)
class RecordEnd(EnvironmentStep):
    """Record in the ledger that the old service was paused or deleted, or the new one given up.

    Attributes:
        environment: the environment.
        migration: its migration.
        event: what to record.
    """

    step_name: ClassVar[str] = "record"
    migration: Migration
    event: Event

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look for the entry."""
        migration, name = read_migration(self.environment, tools), self.environment.name
        texts = {
            Event.RETIRED: f"the old service of {name} is paused",
            Event.MIGRATED: f"{name} has moved to {self.migration.title}",
            Event.UNMIGRATED: f"{name} does not move to {self.migration.title}",
        }
        if migration is None or (self.event is Event.RETIRED and migration.is_retired):
            return Done(f"the ledger says that {texts[self.event]}", release)
        return Act(f"record in the ledger that {texts[self.event]}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Append the entry."""
        ledger.append(
            self.event,
            self.environment,
            release,
            tools,
            operation=self.migration.new_id,
            replaces=self.migration.old_id,
            platform=self.migration.platform,
            url=self.migration.url,
        )
        return release
