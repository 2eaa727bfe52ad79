"""Runs commands in a home of their own and keeps what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from attrs import define, field, frozen

from docs.generating import typed
from docs.generating.coach import ROOT

COMMAND_SECONDS = 60.0
"""Seconds after which a command hangs."""


@frozen(kw_only=True)
class Recording:
    """What a command said.

    Attributes:
        line: as it was typed.
        people: stdout and stderr as they came; stderr alone when `document` is kept.
        document: stdout, of a command that prints a document there.
        code: its exit code.
    """

    line: str
    people: str
    document: str
    code: int


@define(kw_only=True)
class Shell:
    """A shell without an operator: nobody answers, nothing of the real home is read.

    Attributes:
        home: the folder that stands for `~`.
        environ: variables that have been exported in it.
    """

    home: Path
    environ: dict[str, str] = field(factory=dict)

    def run(self, folder: Path, line: str, *, document: bool = False) -> Recording:
        """Type one command and return what it said.

        Args:
            folder: where to type it.
            line: the command; variables may stand in front.
            document: whether stdout is kept apart.
        """
        (command,) = typed.parse_commands(line)
        completed = subprocess.run(
            command.words,
            cwd=folder,
            env=self.variables | command.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if document else subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if document:
            return Recording(line=line, people=completed.stderr, document=completed.stdout, code=completed.returncode)
        return Recording(line=line, people=completed.stdout, document="", code=completed.returncode)

    @property
    def variables(self) -> dict[str, str]:
        """Everything that commands may know; the checkout's own code comes before an installed one."""
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {
            "PATH": programs,
            "HOME": str(self.home),
            "TMPDIR": str(self.home),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C.UTF-8",
            "LOGNAME": "sam",
            "GIT_CONFIG_NOSYSTEM": "1",
        } | self.environ
