"""Follows a command to its end, and passes on what it prints."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, field

from kaizen_tasks.domain.command import CommandState, CommandStatus
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.text import log_excerpt
from kaizen_tasks.errors import KaizenError, Unreachable
from kaizen_tasks.ports.tools import Tools

if TYPE_CHECKING:
    from kaizen_tasks.ports.commands import Commands

FIRST_POLL_SECONDS = 0.3
MAX_POLL_SECONDS = 3.0
POLL_GROWTH = 1.3

DRAIN_SECONDS = 1.0
"""How long after the end of a command its output is read once more: logs arrive late."""

UNSEEN_SECONDS = 30.0
"""For how long a command may be missing that was just started, as answers of ECS are eventually consistent:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html."""

OUT_OF_REACH_SECONDS = 120.0
"""For how long the platform may be out of reach; the command goes on meanwhile."""


@define(kw_only=True)
class CommandFollower:
    """Polls one command.

    Attributes:
        environment: where it runs.
        command: the platform's identifier.
        tools: the ports.
        print_line: called with each line of output.
        last_lines: the last lines of output, for errors.
    """

    environment: Environment
    command: str
    tools: Tools
    print_line: Callable[[str], None]
    last_lines: list[str] = field(factory=list)
    _cursor: str = ""
    _is_log_readable: bool = True

    def follow(self, *, deadline: float) -> CommandStatus:
        """Wait until the command has ended, is gone, or the deadline has passed, and return its last status.

        Args:
            deadline: in monotonic seconds.

        Raises:
            Unreachable: the platform was out of reach for two minutes.
            Denied: the credentials no longer suffice.
        """
        clock, interval = self.tools.clock, FIRST_POLL_SECONDS
        has_been_seen, unseen_deadline, contact = False, clock.monotonic() + UNSEEN_SECONDS, clock.monotonic()
        while True:
            try:
                status = self._commands.status(self.environment, self.command)
                contact = clock.monotonic()
            except Unreachable:
                if clock.monotonic() - contact >= OUT_OF_REACH_SECONDS:
                    raise
                clock.sleep(MAX_POLL_SECONDS)
                continue
            self._pass_on_output()
            is_gone = status.state is CommandState.GONE
            has_been_seen = has_been_seen or not is_gone
            if status.state is CommandState.ENDED:
                clock.sleep(DRAIN_SECONDS)
                self._pass_on_output()
                return status
            if is_gone and (has_been_seen or clock.monotonic() >= unseen_deadline):
                return status
            if clock.monotonic() >= deadline:
                return status
            clock.sleep(max(0.0, min(interval, deadline - clock.monotonic())))
            interval = min(interval * POLL_GROWTH, MAX_POLL_SECONDS)

    @property
    def _commands(self) -> Commands:
        return self.tools.at(self.environment).commands

    def _pass_on_output(self) -> None:
        """Print the lines since the last call; if the log cannot be read, say so once and go on without it."""
        while self._is_log_readable:
            try:
                page = self._commands.output(self.environment, self.command, cursor=self._cursor)
            except Unreachable:
                return  # the next poll reads on from the same place
            except KaizenError as error:
                self._is_log_readable = False
                self.tools.reporter.note(f"  {self.environment.name}: the output cannot be read: {error.message}")
                return
            self._cursor = page.cursor
            if not page.lines:
                return
            for line in page.lines:
                self.print_line(line)
            self.last_lines = [*self.last_lines, *page.lines][-log_excerpt.MAX_LINES :]
