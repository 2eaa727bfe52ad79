"""The step that runs commands in the image of a release before the release serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import frozen

from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.text.listing import list_names
from kaizen_tasks.flows.commands import irreversible, released
from kaizen_tasks.flows.commands.attempt import NOTHING_DEPLOYED, CommandAttempt
from kaizen_tasks.flows.deploy import first_deployment
from kaizen_tasks.flows.environment_step import EnvironmentStep

if TYPE_CHECKING:
    from kaizen_tasks.domain.command import BeforeDeployCommand
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class BeforeDeploy(EnvironmentStep):
    """Run each command of `[[before_deploy]]` in the image of the release, once for each environment and release.

    The commands are those of the release's own commit.
    """

    step_name: ClassVar[str] = "before deploy"

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Look up in the ledger which commands have succeeded in this image, and whether a later one forbids it."""
        commands = released.find_commands(self.environment, release, tools)
        names = list_names([command.name for command in commands])
        if self.label in release.verified_steps:
            return Done(f"{names} ran in {release.name}", release)
        refusal = self._find_refusal(commands, release, tools)
        if refusal is not None:
            return refusal
        if commands and not release.digest:
            return Act(f"run {', '.join(map(str, commands))}", release)
        pending = [attempt for attempt in self._attempts(release, tools) if not attempt.has_succeeded]
        if not pending:
            return Done(f"{names} ran in {release.name}" if commands else "there is no command to run", release)
        if not self.environment.task and first_deployment.needs_service(self.environment, release, tools):
            return Done(f"{names}: runs with the definition of the service, which does not exist yet", release)
        return Act("; ".join(map(_describe, pending)), release)

    def act(self, release: Release, tools: Tools) -> Release:
        """Run the commands one after the other, in the order of the configuration; stop at the first that fails.

        Raises:
            DeployFailed: a command failed; nothing is deployed.
            Refused: nobody knows how a command ended.
        """
        for attempt in self._attempts(release, tools):
            attempt.run()
        return release.with_verified_step(self.label)

    def _find_refusal(self, commands: tuple[BeforeDeployCommand, ...], release: Release, tools: Tools) -> Refuse | None:
        """Return why the release must not be deployed: it goes behind a later one, or its commands cannot run here."""
        obstacle = irreversible.find_newer_obstacle(self.environment, release, tools) if release.digest else None
        if obstacle is not None and not release.waiver:
            reason = f"{release.name} would go behind {irreversible.describe_obstacle(obstacle, tools)}"
            hint = 'release a fix; or give a reason to go behind it: --without-evidence "reason"'
            return Refuse(reasons=(reason,), state=NOTHING_DEPLOYED, hint=hint)
        if commands and not self.environment.runs_commands:
            title, name = self.environment.kind.title, self.environment.name
            reason = f"{release.name} has the command {commands[0].name}, and {title} runs no commands"
            hint = f"name an ECS task definition in environments.{name}.task, or deploy a release without commands"
            return Refuse(reasons=(reason,), state=NOTHING_DEPLOYED, hint=hint)
        return None

    def _attempts(self, release: Release, tools: Tools) -> tuple[CommandAttempt, ...]:
        return tuple(
            CommandAttempt(
                command=command, environment=self.environment, release=release, label=self.label, tools=tools
            )
            for command in released.find_commands(self.environment, release, tools)
        )


def _describe(attempt: CommandAttempt) -> str:
    latest = attempt.latest
    if latest is None:
        return f"run {attempt.command}"
    if latest.event is Event.COMMAND_STARTED:
        return f"follow {attempt.command}, which {latest.actor} started"
    return f"run {attempt.command} again: {latest.reason}"
