"""Runs one command before a deployment, once: recorded before it starts, and found again if the run was stopped.

See docs/decisions/0057-a-command-that-was-lost-is-not-run-again-by-itself.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.command import BeforeDeployCommand, CommandState, CommandStatus, command_token
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.ledger_commands import latest_attempt
from kaizen_tasks.domain.release import Release, StepLabel
from kaizen_tasks.domain.text import duration, log_excerpt
from kaizen_tasks.errors import DeployFailed, Refused, Unreachable
from kaizen_tasks.flows.commands.follow import CommandFollower
from kaizen_tasks.flows.ledger import entries as ledger
from kaizen_tasks.flows.ledger.verifications import entry_age, fix_hint
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from kaizen_tasks.ports.commands import Commands

NOTHING_DEPLOYED = "nothing was deployed: what was serving still serves"

RESTART_SECONDS = 30 * 60.0
"""How old an attempt without an identifier may be to be started again with the same token.

ECS keeps an ended task for an hour, and a token for 24 hours. So within half an hour, by clocks that differ by minutes,
an earlier start of the same attempt is found, or answers to the token:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html.
"""

STOP_SECONDS = 180.0
"""How long a command that is stopped may take to end; ECS kills it after its `stopTimeout`, 120 s at most."""


@frozen(kw_only=True)
class CommandAttempt:
    """One command of one release in one environment.

    Attributes:
        command: what to run.
        environment: where.
        release: the release, with its digest.
        label: the step that progress is reported for.
        tools: the ports.
    """

    command: BeforeDeployCommand
    environment: Environment
    release: Release
    label: StepLabel
    tools: Tools

    @property
    def latest(self) -> LedgerEntry | None:
        """The newest entry about the command in this image, or None."""
        history = self.tools.ledger.entries(self.environment.name, limit=ledger.HISTORY_LIMIT)
        return latest_attempt(history, digest=self.release.digest, command=self.command.name)

    @property
    def has_succeeded(self) -> bool:
        """Whether the command has run to its end in this image."""
        latest = self.latest
        return latest is not None and latest.event is Event.COMMAND_SUCCEEDED

    def run(self) -> None:
        """Start the command, or find the task in which an earlier run has started it, and wait for its end.

        Raises:
            DeployFailed: it could not be started, took too long, or ended with another exit code than 0.
            Refused: it was started, and nobody knows how it ended.
        """
        latest = self.latest
        if latest is not None and latest.event is Event.COMMAND_SUCCEEDED:
            return
        is_open = latest is not None and latest.event is Event.COMMAND_STARTED
        intent = latest if latest is not None and is_open else self._append(Event.COMMAND_STARTED)
        identifier = intent.operation or self._find_or_start(intent, is_new=not is_open)
        if is_open:
            self.tools.reporter.progress(self.label, f"{self.command.name} was started by {intent.actor}; following it")
        follower = CommandFollower(
            environment=self.environment, command=identifier, tools=self.tools, print_line=self._print_line
        )
        status = self._follow(follower, intent)
        if status.state is CommandState.GONE:
            raise self._lost_error(intent)
        if not status.has_succeeded:
            raise self._failed_error(status.failure, follower.last_lines)
        self._append(Event.COMMAND_SUCCEEDED, operation=identifier)

    def _find_or_start(self, intent: LedgerEntry, *, is_new: bool) -> str:
        """Return the identifier of the task of an attempt, started if it is not found, and record it."""
        token = command_token(
            self.tools.settings.app, self.environment.name, self.release.digest, self.command.name, str(intent.number)
        )
        identifier = "" if is_new else self._commands.find(self.environment, token)
        if not identifier and not is_new and entry_age(intent, self.tools) > RESTART_SECONDS:
            raise self._lost_error(intent)
        try:
            identifier = identifier or self._commands.start(
                self.environment, image=self._image(), words=self.command.words, token=token
            )
        except Unreachable:
            raise  # nobody knows whether it was started: the next run asks with the same token
        except Refused as error:
            raise self._failed_error(f"it could not be started: {error.message}", hint=error.hint) from error
        self.tools.ledger.set_operation(intent, identifier)
        return identifier

    def _image(self) -> str:
        repository_uri = self.tools.at(self.environment).registry.repository_uri(self.environment.repository)
        return f"{repository_uri}@{self.release.digest}"

    def _follow(self, follower: CommandFollower, intent: LedgerEntry) -> CommandStatus:
        """Follow a command to its end; stop it when its time is up."""
        clock = self.tools.clock
        deadline = clock.monotonic() + max(0.0, self.command.timeout - entry_age(intent, self.tools))
        status = follower.follow(deadline=deadline)
        if status.state in {CommandState.ENDED, CommandState.GONE}:
            return status
        limit = duration.format_duration(self.command.timeout)
        self.tools.reporter.progress(self.label, f"{self.command.name} has not ended within {limit}; stopping it")
        self._commands.stop(self.environment, follower.command, reason=f"not ended within {limit}")
        status = follower.follow(deadline=clock.monotonic() + STOP_SECONDS)
        if status.state is not CommandState.ENDED:
            raise DeployFailed(
                f"{self.environment.name}: {self.command.name} has not ended within {limit}, nor does it stop",
                state=f"{NOTHING_DEPLOYED}; the task still runs: {follower.command}",
                hint="run the same command again: it follows that task",
            )
        if not status.has_succeeded:
            raise self._failed_error(f"it was stopped, as it had not ended within {limit}", follower.last_lines)
        return status

    def _failed_error(self, reason: str, last_lines: list[str] | None = None, *, hint: str = "") -> DeployFailed:
        """Record that the command has failed, and return the error to raise."""
        self._append(Event.COMMAND_FAILED, reason=reason)
        words = log_excerpt.last_words(last_lines or ())
        last_words = f"; its output ends with: {words}" if words else ""
        retry = f"run the same command to retry; {fix_hint(self.release.commit, self.tools)}"
        return DeployFailed(
            f"{self.environment.name}: {self.command.name} failed: {reason}{last_words}",
            state=NOTHING_DEPLOYED,
            hint=hint or retry,
        )

    def _lost_error(self, intent: LedgerEntry) -> Refused:
        started = f"{intent.actor} started it {duration.format_duration(entry_age(intent, self.tools))} ago"
        names = f"--env {self.environment.name} --name {self.command.name}"
        return Refused(
            f"{self.environment.name}: nobody knows how {self.command.name} of {self.release.name} ended: {started}, "
            "and its task is gone",
            state=f"it is not run twice unasked; {NOTHING_DEPLOYED}",
            hint=f"see what it has done, then say so: inv command.resolve {names} "
            '--outcome succeeded --reason "looked at the database"',
        )

    def _append(self, event: Event, *, reason: str = "", operation: str = "") -> LedgerEntry:
        fields: ledger.EntryFields = {
            "command": self.command.name,
            "irreversible": not self.command.reversible,
            "reason": reason,
            "operation": operation,
        }
        return ledger.append(event, self.environment, self.release, self.tools, **fields)

    def _print_line(self, line: str) -> None:
        self.tools.reporter.note(f"  {self.environment.name} | {log_excerpt.sanitize_line(line)}", self.label)

    @property
    def _commands(self) -> Commands:
        return self.tools.at(self.environment).commands
