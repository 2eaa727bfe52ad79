"""Commands that run in a container of the app's image: before a release serves, or once by hand."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from kaizen_tasks.domain.text.duration import Seconds

TOKEN_LENGTH = 32
"""Characters of the token by which a command is found again; ECS accepts 64 as `clientToken`, 36 as `startedBy`."""

MAX_SHOWN_LENGTH = 60
"""Characters of a command line that a plan shows."""


@frozen(kw_only=True)
class BeforeDeployCommand:
    """A command that runs in the image of a release before the release serves.

    Attributes:
        name: its name in the configuration: `migrate`.
        words: the program and its arguments.
        timeout: seconds after which it is stopped.
        reversible: whether an earlier release runs with what the command has changed.
    """

    name: str
    words: tuple[str, ...]
    timeout: Seconds
    reversible: bool = True

    def __str__(self) -> str:
        """Return name and command line, shortened: `migrate (python manage.py migrate)`."""
        line = " ".join(shlex.join(self.words).split())
        return f"{self.name} ({line if len(line) <= MAX_SHOWN_LENGTH else f'{line[: MAX_SHOWN_LENGTH - 2]} …'})"


@frozen(kw_only=True)
class TaskSettings:
    """Where the commands of an environment run whose platform runs no commands: a task definition of ECS.

    Attributes:
        family: family of the task definition; its container is `Environment.container`.
        subnets: where the task gets its address.
        security_groups: of the task; empty is the default group of the network.
        public_ip: whether the task gets a public address, as it needs in a public subnet to load its image.
    """

    family: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...] = ()
    public_ip: bool = False


class CommandState(StrEnum):
    """How far a command is. `gone` is one that the platform no longer knows: it forgets ended ones after an hour."""

    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"
    GONE = "gone"


@frozen(kw_only=True)
class CommandStatus:
    """What the platform says of a command.

    Attributes:
        state: how far it is.
        exit_code: of a command that has ended; None when its program never ran, or was lost with its machine.
        reason: why it ended, in the platform's words; may be empty.
        started_at: when the platform accepted it, in UTC; None when it is gone.
    """

    state: CommandState
    exit_code: int | None = None
    reason: str = ""
    started_at: datetime | None = None

    @property
    def has_succeeded(self) -> bool:
        """Whether the program has ended with exit code 0."""
        return self.state is CommandState.ENDED and self.exit_code == 0

    @property
    def failure(self) -> str:
        """Why an ended command counts as failed: `exit code 3`, `no exit code: CannotPullContainerError: …`."""
        if self.exit_code is None:
            return f"no exit code: {self.reason or 'the platform gives no reason'}"
        return f"exit code {self.exit_code}"


@frozen(kw_only=True)
class OutputPage:
    """Lines that a command has printed.

    Attributes:
        lines: oldest first, without line ends.
        cursor: where the next page begins.
    """

    lines: tuple[str, ...]
    cursor: str


def command_token(*identity: str) -> str:
    """Return the token of one attempt of a command; the same identity has the same token on every machine.

    Args:
        identity: what distinguishes the attempt: app, environment, digest, name, number of its ledger entry.
    """
    return hashlib.sha256("\0".join(identity).encode()).hexdigest()[:TOKEN_LENGTH]


def shown_command(words: Sequence[str]) -> str:
    """Return a command as ledger and lock name it: the program alone, since its arguments may be secrets."""
    return f"{words[0]} …" if len(words) > 1 else words[0]
