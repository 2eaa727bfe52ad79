"""Plans `inv run`: a command by hand, in the image that an environment runs."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import define, frozen

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.command import CommandState, CommandStatus, shown_command
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.text import duration
from kaizen_tasks.errors import NOTHING_CHANGED, Cancelled, Interrupted, Refused
from kaizen_tasks.flows.commands.attempt import STOP_SECONDS
from kaizen_tasks.flows.commands.follow import CommandFollower
from kaizen_tasks.flows.deploy.image import find_image_to_run
from kaizen_tasks.flows.execution import Change, Execution, HoldPolicy
from kaizen_tasks.flows.ledger import entries as ledger

if TYPE_CHECKING:
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class OneOffCommand:
    """A command that somebody runs by hand.

    Attributes:
        environment: where.
        words: the program and its arguments, which may be secrets.
        timeout: seconds after which it is stopped; infinity for never.
        print_line: called with each line of its output.
        should_stop: asked after Ctrl-C; False leaves the command running.
    """

    environment: Environment
    words: Sequence[str]
    print_line: Callable[[str], None]
    should_stop: Callable[[], bool]
    timeout: float = math.inf


@define
class CommandResult:
    """How a command ended; without an exit code as long as it has not."""

    exit_code: int | None = None


def plan_run(command: OneOffCommand, result: CommandResult, tools: Tools) -> Change:
    """Return the change that runs a command, and leaves its exit code in `result`. It locks nothing.

    Raises:
        Refused: the platform runs no commands, or nobody knows which image is running.
    """
    environment = command.environment
    if not environment.runs_commands:
        raise Refused(
            f"{environment.name}: {environment.kind.title} runs no commands",
            state=NOTHING_CHANGED,
            hint=f"name an ECS task definition for them in kaizen.toml: environments.{environment.name}.task",
        )
    release = _running_release(environment, tools)
    shown = shown_command(command.words)

    def run(execution: Execution) -> None:
        if execution.tools.dry:
            tools.reporter.note(f"would run {shown} in {environment.repository}@{release.digest}")
        else:
            result.exit_code = _run(command, release, execution.tools)

    return Change(
        title=f"run {shown} of {release.name} in {environment.name}",
        environments=(environment,),
        hold_policy=HoldPolicy.IGNORE,
        locks=False,
        run=run,
    )


def _running_release(environment: Environment, tools: Tools) -> Release:
    """Return the release that the service is configured to run; by its image's labels if the ledger does not know it.

    Raises:
        Refused: nothing was ever deployed, or its image says no version.
    """
    image = find_image_to_run(environment, tools)
    digest = image.digest if image is not None else ""
    history = tools.ledger.entries(environment.name, limit=ledger.HISTORY_LIMIT)
    entry = next((entry for entry in history if entry.digest == digest and entry.event.concerns_deployment), None)
    if entry is not None:
        return ledger.release_from_entry(entry)
    if image is not None and image.version:
        version = versions.parse_version(image.version)
        return Release(version=version, commit=image.revision, digest=digest)
    raise Refused(
        f"{environment.name}: nobody knows which release is serving there",
        state=NOTHING_CHANGED,
        hint=f"release to it first; see: inv status --env {environment.name}",
    )


def _run(command: OneOffCommand, release: Release, tools: Tools) -> int:
    """Record and start a command, follow it, and return its exit code."""
    environment, target = command.environment, tools.at(command.environment)
    image = f"{target.registry.repository_uri(environment.repository)}@{release.digest}"
    intent = ledger.append(Event.RAN, environment, release, tools, command=shown_command(command.words))
    token = secrets.token_hex(16)
    identifier = target.commands.start(environment, image=image, words=command.words, token=token)
    tools.ledger.set_operation(intent, identifier)
    tools.reporter.note(f"started {identifier}")
    follower = CommandFollower(environment=environment, command=identifier, tools=tools, print_line=command.print_line)
    try:
        status = follower.follow(deadline=tools.clock.monotonic() + command.timeout)
    except KeyboardInterrupt:
        raise _end_by_hand(command, follower, tools) from None
    if status.state not in {CommandState.ENDED, CommandState.GONE}:
        reason = f"not ended within {duration.format_duration(command.timeout)}"
        _stop(follower, tools, reason=reason)
        raise Interrupted(f"{environment.name}: {shown_command(command.words)} was stopped: {reason}")
    return _exit_code(command, status)


def _exit_code(command: OneOffCommand, status: CommandStatus) -> int:
    if status.exit_code is not None:
        return status.exit_code
    shown, name = shown_command(command.words), command.environment.name
    if status.state is CommandState.GONE:
        raise Interrupted(f"{name}: nobody knows how {shown} ended: its task is gone")
    raise Interrupted(f"{name}: {shown} ended without an exit code: {status.reason or 'ECS gives no reason'}")


def _end_by_hand(command: OneOffCommand, follower: CommandFollower, tools: Tools) -> Cancelled:
    """Stop the command if the user wants that, and return the error to raise."""
    shown, name = shown_command(command.words), command.environment.name
    if not command.should_stop():
        return Cancelled(
            f"no longer following {shown} in {name}",
            state=f"it goes on by itself: {follower.command}",
            hint=f"what it prints: inv logs --env {name} --follow",
        )
    _stop(follower, tools, reason=f"stopped by {tools.actor}")
    return Cancelled(f"{shown} was stopped in {name}", state="what it had done by then is done")


def _stop(follower: CommandFollower, tools: Tools, *, reason: str) -> None:
    tools.at(follower.environment).commands.stop(follower.environment, follower.command, reason=reason)
    follower.follow(deadline=tools.clock.monotonic() + STOP_SECONDS)
