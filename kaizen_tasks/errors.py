"""Every failure a user can cause or meet: what happened, what state things are in, what to type next.

Each class fixes an exit code of the command-line contract. The domain and the adapters raise; only the
task boundary prints or exits. Nothing is imported here, so that raising costs nothing at start-up.
"""

from __future__ import annotations

from typing import ClassVar

NOTHING_CHANGED = "nothing has been changed"
NOTHING_CHANGED_THERE = "nothing has been changed there"
"""The state in the errors of commands that changed nothing; `there` is the environment that the message names."""


class KaizenError(Exception):
    """A failure that is understood.

    Args:
        message: what went wrong and where, in one line.
        state: what state things are in now, in one line.
        hint: what to type next, in one line.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, state: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.state = state
        self.hint = hint

    def __str__(self) -> str:
        """Join the lines that say something; three at most."""
        return "\n".join(line for line in (self.message, self.state, self.hint) if line)


class UsageError(KaizenError):
    """The command line does not say something that can be done."""

    exit_code = 2


class ConfigurationError(KaizenError):
    """The configuration cannot be used; every problem is listed, one a line."""

    exit_code = 2

    def __init__(self, problems: tuple[str, ...], *, hint: str = "") -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = problems


class Refused(KaizenError):
    """Going on would be wrong, and nothing has been changed."""

    exit_code = 3


class NotFound(Refused):
    """Something that must exist outside does not: a repository, a service, a table, a commit."""


class Denied(Refused):
    """Credentials are missing, expired, without permission, or of another account."""


class Unreachable(Refused):
    """A server could not be reached or did not answer in time."""


class Undeployable(Refused):
    """The service is in a state from which it cannot deploy: paused, or failed to be created or deleted."""


class Locked(KaizenError):
    """Somebody else holds the environment, or a hold keeps it as it is."""

    exit_code = 4


class BuildFailed(KaizenError):
    """The image could not be built; nothing outside this machine knows of the release."""

    exit_code = 5


class PushFailed(KaizenError):
    """Bytes or refs did not arrive: a push, a copy, a tag."""

    exit_code = 6


class DeployFailed(KaizenError):
    """The platform gave up on the new release; the old one is serving."""

    exit_code = 7


class VerifyFailed(KaizenError):
    """The running app does not prove the version that was deployed.

    Args:
        message: see `KaizenError`.
        environment: where.
        state: see `KaizenError`.
        hint: see `KaizenError`.
    """

    exit_code = 8

    def __init__(self, message: str, *, environment: str, state: str = "", hint: str = "") -> None:
        super().__init__(message, state=state, hint=hint)
        self.environment = environment


class Superseded(VerifyFailed):
    """Somebody else's deployment has taken the place of the one that was to be verified; it is left as it is."""


class RolloutFailed(KaizenError):
    """Some of several environments failed."""

    exit_code = 9


class RollbackFailed(KaizenError):
    """The way back failed as well: a person is needed."""

    exit_code = 10


class Interrupted(KaizenError):
    """Stopped half-way, by a signal or for want of something: credentials, a network; the same command finishes."""

    exit_code = 130
