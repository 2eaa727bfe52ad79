"""The way back before the old service is deleted: it serves alone again, and the new one is deleted."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from attrs import frozen

from kaizen_tasks.domain.decision import Act, Decision, Done
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.migration.origin import Origin
from kaizen_tasks.domain.service import ServiceStatus
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.errors import NOTHING_CHANGED, NotFound, Refused
from kaizen_tasks.flows.deploy.image import find_image_to_run
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.execution import Change, Execution, join_names
from kaizen_tasks.flows.migration import origin, waiting
from kaizen_tasks.flows.migration.retire import OngoingMigration, RecordEnd
from kaizen_tasks.flows.outcome import Outcome
from kaizen_tasks.flows.runner import run_flow

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.flows.step import Flow
    from kaizen_tasks.ports.tools import CommandTools, Tools


def plan_resumption(ongoing: Sequence[OngoingMigration], tools: CommandTools, *, command_line: str) -> Change | None:
    """Return the change that resumes old services that are paused; None if none is.

    Raises:
        Refused: an old service is gone, so there is no way back.
    """
    for each in ongoing:
        service = waiting.find_service(each.old_environment, tools)
        if service is None or service.status is ServiceStatus.UNAVAILABLE:
            raise Refused(
                f"{each.environment.name}: the service on {each.old_environment.kind.title} is deleted",
                state=NOTHING_CHANGED,
                hint=f"finish what was begun: inv migrate --env {each.environment.name} --retire",
            )
    environments = [each.old_environment for each in ongoing]
    steps = [ResumeService(environment=environment, command_line=command_line) for environment in environments]
    if all(isinstance(step.decide(each.release, tools), Done) for step, each in zip(steps, ongoing, strict=True)):
        return None

    def run(execution: Execution) -> None:
        for step, each in zip(steps, ongoing, strict=True):
            run_flow((step,), each.release, execution.tools, execution.execute)

    names = ", ".join(environment.service for environment in environments)
    return Change(
        title=f"resume the old services of {join_names(environments)}",
        environments=tuple(environments),
        question=f"resume {names}{_describe_lags(ongoing, tools)}",
        run=run,
    )


def require_led_back(ongoing: Sequence[OngoingMigration], tools: Tools, *, is_asserted: bool) -> None:
    """Refuse to give up a new service as long as an address leads to it, or may do so.

    Raises:
        Refused: with the address to which the name has to point.
    """
    for each in ongoing:
        old, environment = each.old_environment, each.environment
        if is_asserted or not origin.address_of(environment, each.migration, tools):
            continue
        report = origin.check_address(environment, each.migration, each.release, tools)
        if report.origin is not Origin.OLD:
            service = waiting.find_service(old, tools)
            where = f" ({service.url})" if service else ""
            raise Refused(
                report.describe(old.kind.title, each.migration.title),
                state="both services run; nothing was deleted",
                hint=f"point it to {old.kind.title}{where}; if only you can see that it does, add: --moved REASON",
            )


def plan_undo(ongoing: Sequence[OngoingMigration], tools: Tools, *, command_line: str) -> Change:
    """Return the change that deletes the new services, those that a migration has created, and records that.

    The question and the last line name the old services that run another release than the one that was released last.
    """
    environments = tuple(each.environment for each in ongoing)
    lags = _describe_lags(ongoing, tools)
    deployments = [
        f"inv deploy --env {each.environment.name} --release {each.release.name}"
        for each in ongoing
        if _other_release(each, tools)
    ]

    def run(execution: Execution) -> Outcome:
        for each in ongoing:
            run_flow(_undo_flow(each, command_line), each.release, execution.tools, execution.execute)
        verb = "runs" if len(ongoing) == 1 else "run"
        title = ongoing[0].old_environment.kind.title
        checks = shlex.join(("inv", "status", *(word for each in environments for word in ("--env", each.name))))
        return Outcome(
            text=f"{join_names(environments)} {verb} on {title} alone{lags}",
            next_step=f"to deploy what was released last: {'; '.join(deployments)}" if lags else checks,
        )

    names = ", ".join(each.new_environment.service for each in ongoing)
    return Change(
        title=f"give up the move of {join_names(environments)}",
        environments=environments,
        question=f"delete {names} in {ongoing[0].migration.title}{lags}",
        run=run,
    )


def _describe_lags(ongoing: Sequence[OngoingMigration], tools: Tools) -> str:
    """Return what the old services run in place of what was released last, to be appended; empty if they run that."""
    others = [(each, _other_release(each, tools)) for each in ongoing]
    texts = [f"{each.environment.name} gets {other} again, not {each.release.name}" for each, other in others if other]
    return f"; {list_names(texts)}" if texts else ""


def _other_release(ongoing: OngoingMigration, tools: Tools) -> str:
    """Return what the old service of an environment runs if that is not what was released last; else empty."""
    image = find_image_to_run(ongoing.old_environment, tools)
    if image is None or image.digest == ongoing.release.digest:
        return ""
    return image.version or "another image"


def _undo_flow(ongoing: OngoingMigration, command_line: str) -> Flow:
    return (
        DeleteNewService(environment=ongoing.new_environment, command_line=command_line),
        RecordEnd(environment=ongoing.old_environment, migration=ongoing.migration, event=Event.UNMIGRATED),
    )


@frozen(kw_only=True)
class ResumeService(EnvironmentStep):
    """Resume the old service.

    Attributes:
        environment: the environment with its old service.
        command_line: what to type to wait on.
    """

    step_name: ClassVar[str] = "resume"
    command_line: str

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the old service."""
        service = waiting.find_service(self.environment, tools)
        if service is not None and service.status is ServiceStatus.RUNNING:
            return Done(f"{service.name} is {service.status}", release)
        return Act(f"resume {self.environment.service} on {self.environment.kind.title}", release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Resume it if it is paused, and wait until it runs."""
        service = waiting.wait_while_busy(self.environment, tools)
        if service is not None and service.status is ServiceStatus.PAUSED:
            tools.at(self.environment).migration_source.resume(service)
        waiting.wait_for_service(
            self.environment,
            lambda found: found is not None and found.status is ServiceStatus.RUNNING,
            "resumed",
            tools,
            command_line=self.command_line,
        )
        return release


@frozen(kw_only=True)
class DeleteNewService(EnvironmentStep):
    """Delete the new service if a migration has created it; leave one alone that somebody else has created.

    Attributes:
        environment: the environment with its new service.
        command_line: what to type to wait on.
    """

    step_name: ClassVar[str] = "delete"
    command_line: str

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up the new service, and who has created it."""
        service, title = waiting.find_service(self.environment, tools), self.environment.kind.title
        if service is None:
            return Done(f"there is no {self.environment.service} in {title}", release)
        if service.status is not ServiceStatus.UNAVAILABLE and not self._is_created_here(tools):
            reason = f"{service.name} was not created by this task: delete it where it was created"
            return Done(reason, release)
        return Act(f"delete {service.name} in {title}", release)

    def _is_created_here(self, tools: Tools) -> bool:
        service = waiting.find_service(self.environment, tools)
        try:
            tag = tools.at(self.environment).migration_target.creation_tag(service) if service else ""
        except NotFound:
            return True  # it is gone meanwhile
        return tag == f"{tools.settings.app}/{self.environment.name}"

    def act(self, release: Release, tools: Tools) -> Release:
        """Delete it, and wait until it is gone."""
        service = waiting.find_service(self.environment, tools)
        if service is not None and service.status is not ServiceStatus.UNAVAILABLE:
            tools.at(self.environment).migration_target.delete_service(service)
        waiting.wait_for_service(
            self.environment, lambda found: found is None, "deleted", tools, command_line=self.command_line
        )
        return release
