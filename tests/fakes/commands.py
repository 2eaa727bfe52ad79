"""The fake of the port that runs commands: each ends as a test has said, when it was looked at often enough."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from kaizen_tasks.domain.command import CommandState, CommandStatus, OutputPage
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.ports.commands import Commands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.domain.environment import Environment


@define(kw_only=True)
class FakeCommand:
    """A command that was started.

    Attributes:
        environment: name of its environment.
        image: what it runs in.
        words: the program and its arguments.
        token: what it was started with.
        status: how far it is.
        polls_left: how often its status has to be asked for until it ends.
    """

    environment: str
    image: str
    words: tuple[str, ...]
    token: str
    status: CommandStatus
    polls_left: int


@define(kw_only=True)
class FakeCommands(Commands):
    """Commands that run nothing; safe to use from several threads.

    Attributes:
        started: every command, by its identifier, in the order in which they were started.
        exit_codes: how programs end, by their first word; else 0. None is a program that never ran.
        outputs: what programs print, by their first word.
        polls: how many answers of `status` say that a command is still running.
        failures: raised by a method, by its name.
        lost_answers: how many starts take place although the caller sees none.
        forgotten: identifiers of commands that the platform no longer knows.
        on_started: called with each command that is started.
    """

    started: dict[str, FakeCommand] = field(factory=dict)
    exit_codes: dict[str, int | None] = field(factory=dict)
    outputs: dict[str, tuple[str, ...]] = field(factory=dict)
    polls: int = 1
    failures: dict[str, BaseException] = field(factory=dict)
    lost_answers: int = 0
    forgotten: set[str] = field(factory=set)
    on_started: Callable[[FakeCommand], None] = lambda _: None
    _guard: threading.RLock = field(factory=threading.RLock, repr=False)

    def start(self, environment: Environment, *, image: str, words: Sequence[str], token: str) -> str:
        self._fail("start")
        with self._guard:
            known = next((name for name, command in self.started.items() if command.token == token), "")
            if known:
                return known
            name = f"task-{len(self.started) + 1}"
            self.started[name] = FakeCommand(
                environment=environment.name,
                image=image,
                words=tuple(words),
                token=token,
                status=CommandStatus(state=CommandState.RUNNING),
                polls_left=self.polls,
            )
        self.on_started(self.started[name])
        if self.lost_answers:
            self.lost_answers -= 1
            raise KeyboardInterrupt
        return name

    def find(self, environment: Environment, token: str) -> str:
        self._fail("find")
        known = (name for name, command in self.started.items() if command.token == token)
        return next((name for name in known if name not in self.forgotten), "")

    def status(self, environment: Environment, command: str) -> CommandStatus:
        self._fail("status")
        if command in self.forgotten or command not in self.started:
            return CommandStatus(state=CommandState.GONE)
        with self._guard:
            fake = self.started[command]
            fake.polls_left -= 1
            if fake.polls_left < 0 and fake.status.state is not CommandState.ENDED:
                self.end(command, self.exit_codes.get(fake.words[0], 0))
            return fake.status

    def output(self, environment: Environment, command: str, *, cursor: str = "") -> OutputPage:
        self._fail("output")
        if command not in self.started:
            return OutputPage(lines=(), cursor=cursor)
        lines = self.outputs.get(self.started[command].words[0], ())
        return OutputPage(lines=lines[int(cursor or 0) :], cursor=str(len(lines)))

    def stop(self, environment: Environment, command: str, *, reason: str) -> None:
        self._fail("stop")
        if command in self.started and self.started[command].status.state is not CommandState.ENDED:
            self.end(command, 143, reason=reason)

    def end(self, command: str, exit_code: int | None, *, reason: str = "Essential container in task exited") -> None:
        """Let a command end."""
        fake = self.started[command]
        fake.status = evolve(fake.status, state=CommandState.ENDED, exit_code=exit_code, reason=reason)

    @property
    def runs(self) -> list[str]:
        """The environment and the program of every command that was started, in order: `prod python`."""
        return [f"{command.environment} {command.words[0]}" for command in self.started.values()]

    def _fail(self, method: str) -> None:
        failure = self.failures.get(method)
        if isinstance(failure, KaizenError | KeyboardInterrupt):
            raise failure
