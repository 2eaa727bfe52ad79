"""What every Commands does."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.domain.command import CommandState
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from kaizen_tasks.domain.command import CommandStatus
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.ports.commands import Commands

GOOD, BAD, ENDLESS = ("print", "one", "two"), ("fail",), ("wait",)
"""Commands by what they do: `print` prints its arguments, a line each; `fail` exits with 3; `wait` does not end."""


class Desk(Protocol):
    """An environment in which commands run.

    Attributes:
        commands: the implementation.
        environment: the environment.
        image: an image with a program for each of the words above.
    """

    commands: Commands
    environment: Environment
    image: str


def start(desk: Desk, words: tuple[str, ...], token: str = "") -> str:
    return desk.commands.start(desk.environment, image=desk.image, words=words, token=token or uuid.uuid4().hex)


def ended(desk: Desk, command: str) -> CommandStatus:
    """Return the status of a command once it has ended."""
    wait_for(lambda: desk.commands.status(desk.environment, command).state is CommandState.ENDED)
    return desk.commands.status(desk.environment, command)


def printed(desk: Desk, command: str) -> list[str]:
    """Return what an ended command has printed, page by page."""
    lines, cursor = list[str](), ""
    while True:
        page = desk.commands.output(desk.environment, command, cursor=cursor)
        if not page.lines:
            return lines
        lines, cursor = [*lines, *page.lines], page.cursor


class CommandsContract:
    """Subclasses provide the fixture `desk`."""

    def test_command_ends_with_its_exit_code(self, desk: Desk) -> None:
        good, bad = (ended(desk, start(desk, words)) for words in (GOOD, BAD))

        assert (good.exit_code, good.has_succeeded) == (0, True)
        assert (bad.exit_code, bad.has_succeeded, bad.failure) == (3, False, "exit code 3")

    def test_same_token_starts_one_command(self, desk: Desk) -> None:
        token = uuid.uuid4().hex

        first, second, other = start(desk, GOOD, token), start(desk, GOOD, token), start(desk, GOOD)
        ended(desk, first)

        assert first == second != other
        assert start(desk, GOOD, token) == first

    def test_command_is_found_by_its_token_while_it_runs_and_afterwards(self, desk: Desk) -> None:
        token = uuid.uuid4().hex
        command = start(desk, GOOD, token)

        assert desk.commands.find(desk.environment, token) == command
        ended(desk, command)
        assert desk.commands.find(desk.environment, token) == command
        assert desk.commands.find(desk.environment, uuid.uuid4().hex) == ""

    def test_output_is_read_page_by_page_and_no_line_comes_twice(self, desk: Desk) -> None:
        command = start(desk, GOOD)
        ended(desk, command)
        wait_for(lambda: len(printed(desk, command)) == 2)

        assert printed(desk, command) == ["one", "two"]

    def test_stopped_command_ends_without_success(self, desk: Desk) -> None:
        command = start(desk, ENDLESS)
        wait_for(lambda: desk.commands.status(desk.environment, command).state is CommandState.RUNNING)

        desk.commands.stop(desk.environment, command, reason="enough")

        assert not ended(desk, command).has_succeeded
        desk.commands.stop(desk.environment, command, reason="again")

    def test_command_that_never_was_is_gone_and_has_printed_nothing(self, desk: Desk) -> None:
        command = start(desk, GOOD)
        unknown = f"{command[:-1]}{'0' if command[-1] != '0' else '1'}"

        assert desk.commands.status(desk.environment, unknown).state is CommandState.GONE
        assert printed(desk, unknown) == []
