"""The port that runs commands in containers of the app's image, beside the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kaizen_tasks.ports.effects import mutates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaizen_tasks.domain.command import CommandStatus, OutputPage
    from kaizen_tasks.domain.environment import Environment


class Commands(Protocol):
    """Runs commands with what the service of an environment has: roles, network, environment variables and secrets.

    A command is identified by the platform's identifier, which `start` and `find` return. Safe to use from several
    threads.
    """

    @mutates("a command was started, which goes on by itself")
    def start(self, environment: Environment, *, image: str, words: Sequence[str], token: str) -> str:
        """Start a command, and return its identifier; with a token that was used before, that of the earlier command.

        So a run that never saw the answer can ask again. A token is good as long as the platform knows its command.

        Args:
            environment: whose service, or task definition, it runs with.
            image: `host/repository@sha256:…`.
            words: the program and its arguments.
            token: up to 36 letters and digits.

        Raises:
            NotFound: there is no such service, task definition or cluster.
            Refused: the platform does not accept the command.
        """

    def find(self, environment: Environment, token: str) -> str:
        """Return the identifier of the command that was started with a token; empty when the platform knows none.

        The platform forgets commands an hour after their end, and may show one only seconds after its start.
        """

    def status(self, environment: Environment, command: str) -> CommandStatus:
        """Return how far a command is, and how it ended."""

    def output(self, environment: Environment, command: str, *, cursor: str = "") -> OutputPage:
        """Return the next lines that a command has printed, none if there are none yet; lines may be late by seconds.

        Args:
            environment: as for `start`.
            command: its identifier.
            cursor: that of the page before; empty for the first page.

        Raises:
            KaizenError: the output cannot be read, such as for lack of a permission or of a log.
        """

    @mutates("the command is stopped")
    def stop(self, environment: Environment, command: str, *, reason: str) -> None:
        """Begin to stop a command; one that has ended, or is gone, stays as it is.

        Args:
            environment: as for `start`.
            command: its identifier.
            reason: why, for the platform's record.
        """
