"""Git commands that talk to another machine, and may have to be stopped."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.git.command import GIT_ENV, GitResult, env_prefix, git_not_found, redact_urls

if TYPE_CHECKING:
    from kaizen_tasks.adapters.git.command import Git


def run_network_command(git: Git, *arguments: str, timeout: float) -> GitResult:
    """Run a command and return what it left, whether it succeeded or not.

    GitPython runs it: when its time is up, that also ends the ssh or the remote helper that git has started.

    Args:
        git: the repository.
        arguments: everything after `git`.
        timeout: seconds after which it is killed.

    Raises:
        Refused: git is not installed.
    """
    try:
        from git.cmd import Git as Program
        from git.exc import GitCommandNotFound
    except ImportError as error:
        raise git_not_found() from error
    program = Program(git.root)
    try:
        status, out, err = program.execute(
            [*env_prefix(GIT_ENV), program.GIT_PYTHON_GIT_EXECUTABLE or "git", *arguments],
            env=GIT_ENV,
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
            kill_after_timeout=timeout,
        )
    except GitCommandNotFound as error:
        raise git_not_found() from error
    return GitResult(status=status, out=out, err=redact_urls(err))


def timed_out(result: GitResult) -> bool:
    """Return whether a command was stopped because its time was up."""
    return result.status == -signal.SIGKILL
