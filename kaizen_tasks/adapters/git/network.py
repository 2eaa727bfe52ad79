"""Git commands that talk to a remote, run by GitPython, which takes a tenth of a second to load: import this late."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from kaizen_tasks.adapters.git.command import GIT_ENV, Git, GitResult, env_prefix, git_not_found, redact_urls
from kaizen_tasks.adapters.host.process import kill_process_tree, sigterm_raises

try:
    from git.cmd import Git as GitProgram
    from git.cmd import handle_process_output
    from git.util import RemoteProgress
except ImportError as error:  # GitPython runs `git version` when it is imported
    raise git_not_found() from error

PROGRESS_DELAY_SECONDS = 1.0  # how long a command runs before its progress is shown
PROGRESS_INTERVAL_SECONDS = 0.2

_ERROR_PREFIXES = ("error:", "fatal:")


def run_network_command(
    git: Git,
    *arguments: str,
    timeout: float,
    on_progress: Callable[[str], None] | None = None,
    env: Mapping[str, str] | None = None,
) -> GitResult:
    """Run a git command and return its result, whether it succeeded or not.

    After a timeout or an interrupt, git is killed together with the ssh or the remote helper that it has started.

    Args:
        git: the repository.
        arguments: everything after `git`.
        timeout: seconds after which the command is killed.
        on_progress: called in another thread with each line of progress, which a command with `--progress` writes:
            `Writing objects:  43% (13/30), 1.20 MiB | 600.00 KiB/s`.
        env: additional environment variables.
    """
    program = GitProgram(git.root)
    out: list[str] = []
    stderr = _StderrReader(on_progress)
    with sigterm_raises():
        process = program.execute(
            [*env_prefix(GIT_ENV), program.GIT_PYTHON_GIT_EXECUTABLE or "git", *arguments],
            env={**GIT_ENV, **(env or {})},
            as_process=True,
            universal_newlines=True,  # git ends a line of progress with a carriage return
            errors="surrogateescape",
        )
        with _killed_on_error(process):
            handle_process_output(
                process, out.append, stderr.read_line, decode_streams=False, kill_after_timeout=timeout
            )
            status = process.status if process.proc is None else process.proc.wait()
    return GitResult(status=status or 0, out=os.fsencode("".join(out)), err=redact_urls("\n".join(stderr.lines)))


def timed_out(result: GitResult) -> bool:
    """Return whether a command was killed after its timeout."""
    return result.status == -signal.SIGKILL


@contextmanager
def _killed_on_error(process: GitProgram.AutoInterrupt) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if process.proc is not None:
            kill_process_tree(process.proc.pid)
            process.proc.wait()
        raise


class _StderrReader(RemoteProgress):
    """Reads git's stderr: passes lines of progress on to `on_progress`, and keeps all other lines in `lines`."""

    def __init__(self, on_progress: Callable[[str], None] | None) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._on_progress = on_progress
        self._next_at = time.monotonic() + PROGRESS_DELAY_SECONDS
        self._parse_line = self.new_message_handler()

    def read_line(self, line: str) -> None:
        """Process one line of stderr."""
        if line.startswith(_ERROR_PREFIXES):
            self.lines.append(line.rstrip())
        else:
            self._parse_line(line)

    def line_dropped(self, line: str) -> None:
        """Keep a line, unless it is progress of a stage unknown to GitPython, which drops such lines too."""
        is_done = self.re_op_absolute.match(line) and line.endswith(self.DONE_TOKEN)
        if not is_done and not self.re_op_relative.match(line):
            self.lines.append(line)

    def update(
        self, op_code: int, cur_count: str | float, max_count: str | float | None = None, message: str = ""
    ) -> None:
        """Pass the current line on to `on_progress`: first after a second, then at most five times a second."""
        now = time.monotonic()
        if self._on_progress is not None and now >= self._next_at:
            self._next_at = now + PROGRESS_INTERVAL_SECONDS
            with suppress(OSError):  # a terminal that is gone must not end a push
                self._on_progress(self._cur_line or "")
