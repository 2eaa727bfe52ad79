"""The errors that users see, each with an exit code of the command-line contract. Only `cli` prints and exits."""

from __future__ import annotations

from typing import ClassVar

NOTHING_CHANGED = "nothing has been changed"
NOTHING_CHANGED_THERE = "nothing has been changed there"
"""The state in the errors of commands that changed nothing; `there` is the environment that the message names."""


class KaizenError(Exception):
    """An expected failure.

    Args:
        message: what went wrong and where, in one line.
        state: the state of things now, in one line.
        hint: what to do next, in one line.
        output: what another program or a server has printed about it, which the runner shows before the message.
        is_without_effect: whether a change was refused, so that it certainly was not carried out.
    """

    exit_code: ClassVar[int] = 1
    is_on_job_page = False
    """Whether the page of the CI job has a section about the command that has failed, to which the error is added."""

    def __init__(
        self,
        message: str,
        *,
        state: str = "",
        hint: str = "",
        output: tuple[str, ...] = (),
        is_without_effect: bool = False,
    ) -> None:
        super().__init__(message)
        self.is_without_effect = is_without_effect
        self.message = message
        self.state = state
        self.hint = hint
        self.output = output

    def __str__(self) -> str:
        """Return the lines that are not empty, three at most."""
        return "\n".join(line for line in (self.message, self.state, self.hint) if line)


class UsageError(KaizenError):
    """The command line is invalid.

    Args:
        wrong: a word of the command line.
        right: the words that were probably meant in its place; the hint is then the corrected command line.
    """

    exit_code = 2

    def __init__(
        self, message: str, *, state: str = "", hint: str = "", wrong: str = "", right: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, state=state, hint=hint)
        self.wrong, self.right = wrong, right


class ConfigurationError(KaizenError):
    """The configuration is invalid; every problem is listed on a line of its own."""

    exit_code = 2

    def __init__(self, problems: tuple[str, ...], *, hint: str = "") -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = problems


class Refused(KaizenError):
    """The command must not continue; nothing has been changed."""

    exit_code = 3


class NotFound(Refused):
    """A repository, service, table, commit or program does not exist."""


class ClusterMissing(NotFound):
    """There is no cluster of ECS of the configured name."""


class Denied(Refused):
    """Credentials are missing, expired, insufficient, or those of another account."""


class Unreachable(Refused):
    """A server could not be reached or did not answer in time."""


class Undelivered(Refused):
    """A message was not accepted by its target, or nobody knows; it waits in the outbox.

    Args:
        retry_after: for how many seconds the target asks not to be asked again; 0 if it does not say.
        is_permanent: whether the same message will be refused again until somebody changes the target's configuration.
            The other arguments are those of `KaizenError`.
    """

    def __init__(
        self, message: str, *, state: str = "", hint: str = "", retry_after: float = 0.0, is_permanent: bool = False
    ) -> None:
        super().__init__(message, state=state, hint=hint)
        self.retry_after, self.is_permanent = retry_after, is_permanent


class Unsupported(Refused):
    """The cloud lacks the operation, as emulators and some regions do."""


class Undeployable(Refused):
    """The service cannot deploy in its current state: it is paused, failed or deleted."""


class Locked(KaizenError):
    """The environment is locked by somebody else, or held."""

    exit_code = 4


class BuildFailed(KaizenError):
    """The image could not be built; the release has not left this machine."""

    exit_code = 5


class PushFailed(KaizenError):
    """An image, a branch or a tag could not be pushed or copied.

    Attributes:
        branch_has_moved: whether somebody else has pushed to the branch meanwhile, and nothing was pushed.
    """

    exit_code = 6
    branch_has_moved = False


class BranchProtected(PushFailed):
    """The remote accepts changes of a branch only through a pull request; nothing was pushed."""


class DeployFailed(KaizenError):
    """The deployment failed; the previous release is still serving."""

    exit_code = 7


class VerifyFailed(KaizenError):
    """The running app does not report the version that was deployed.

    Args:
        environment: its name; the other arguments are those of `KaizenError`.
        is_refuted: whether the app was shown to be wrong, and not only not proven to be right.
    """

    exit_code = 8

    def __init__(
        self,
        message: str,
        *,
        environment: str,
        state: str = "",
        hint: str = "",
        output: tuple[str, ...] = (),
        is_refuted: bool = True,
    ) -> None:
        super().__init__(message, state=state, hint=hint, output=output)
        self.environment, self.is_refuted = environment, is_refuted


class Superseded(VerifyFailed):
    """Another deployment replaced the one that was being verified; it is not touched."""


class Unproven(VerifyFailed):
    """The answers are not the app's own, or no request has reached it; it is left as it is."""

    @classmethod
    def of_release(cls, release: str, *, environment: str, answers: str, remedy: str) -> Unproven:
        """Return the error for a release of which nothing is known.

        Args:
            release: its name.
            environment: the name of the environment.
            answers: what came in place of an answer of the app.
            remedy: what to do so that the app itself can answer.
        """
        return cls(
            f"{environment}: {answers}, which proves nothing about {release}",
            environment=environment,
            state=f"no verification was recorded and nothing was rolled back, as {release} may be right",
            hint=f"{remedy}; then: inv verify --env {environment} --release {release}",
        )


class RolloutFailed(KaizenError):
    """Some of several environments failed."""

    exit_code = 9


class TargetsFailed(KaizenError):
    """Some targets of messages have not accepted a test message."""

    exit_code = 9


class DriftFound(KaizenError):
    """Registry, ledger and running app of some environments disagree, as `status --check` reports."""

    exit_code = 9


class RollbackFailed(KaizenError):
    """The rollback failed as well; it has to be fixed by hand."""

    exit_code = 10


class Interrupted(KaizenError):
    """Stopped half-way, by a signal or for lack of credentials or network; the same command finishes it."""

    exit_code = 130


class Cancelled(Interrupted):
    """Stopped by Ctrl-C or a signal: nothing went wrong."""


class ServiceMissing(Interrupted):
    """The first release of an environment has its image, and the service that shall run it has never been created."""
