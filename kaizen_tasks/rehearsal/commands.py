"""Runs tasks and git in a scratch clone."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, TextIO

from kaizen_tasks.adapters.host import process
from kaizen_tasks.config.ownership import SAFE_VARIABLE
from kaizen_tasks.domain.text.printable import printable_lines
from kaizen_tasks.errors import KaizenError
from kaizen_tasks.rehearsal.local_cloud.cloud import clean_environ

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NO_LOCKS_ENV = {"GIT_OPTIONAL_LOCKS": "0"}
"""git may refresh its index even when it only reads: https://git-scm.com/docs/git#Documentation/git.txt."""

ERROR_LABEL = "error: "
"""What the error of a command begins with."""


def print_line(out: TextIO, text: str) -> None:
    """Write a text at once, before what the next command writes to the same stream.

    On a terminal its lines are wrapped between words.
    """
    lines = printable_lines(text).split("\n")
    if out.isatty():
        from kaizen_tasks.adapters.console.layout.wrapped_text import wrap_words  # noqa: PLC0415 - rich is slow to import

        width = shutil.get_terminal_size().columns
        lines = [part for line in lines for part in wrap_words(line, width)]
    out.writelines(f"{line}\n" for line in lines)
    out.flush()


def run_task(
    command: str, folder: Path, environ: Mapping[str, str], *, stdout: TextIO | int, stderr: TextIO | int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a task as its user would, without a terminal for questions; return the completed process.

    The folder is made here, so its files are obeyed wherever `TMPDIR` leads.

    Args:
        command: what is typed after `inv`.
        folder: the app's folder.
        environ: variables to add to `clean_environ`.
        stdout: a stream, or one of subprocess's constants.
        stderr: a stream; None means this process's stderr.
    """
    program = "invoke" if (folder / "tasks.py").is_file() else "kaizen_tasks"
    return subprocess.run(
        (sys.executable, "-m", program, *shlex.split(command)),
        cwd=folder,
        env={**clean_environ(), SAFE_VARIABLE: str(folder), **environ},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def run_git(folder: Path, *arguments: str) -> None:
    """Run git in a folder.

    Raises:
        KaizenError: git failed.
    """
    result = process.run(("git", *arguments), cwd=folder, env=NO_LOCKS_ENV)
    if not result.ok:
        message = f"git {arguments[0]} failed in the scratch clone: {result.last_line}"
        raise KaizenError(message, hint="check your git: git --version")
