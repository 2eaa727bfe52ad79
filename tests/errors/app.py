"""An app in whose folder command lines are typed; those of ours run in this process, which is ten times faster."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from attrs import frozen
from invoke.exceptions import Exit

from kaizen_tasks import wiring
from kaizen_tasks.program import KaizenProgram, namespace
from tests.support.workspaces import CommandResult, hash_files

OURS = re.compile(r"(inv|kaizen)( [^&|;<>$`]*)?")
ROOT = Path(__file__).parents[2]
VARIABLES = re.compile(r"(export|unset) .*")


@frozen
class App:
    """A clone and its remote.

    Attributes:
        clone: the app's folder, which is the working directory.
        remote: its bare remote.
    """

    clone: Path
    remote: Path

    def type(self, line: str) -> CommandResult:
        """Type a line in the app's folder, as in a shell whose stdin is closed."""
        if OURS.fullmatch(line):
            return _run_in_process(shlex.split(line))
        result = self._run_in_shell(f"{line}\nenv -0" if VARIABLES.fullmatch(line) else line)
        if VARIABLES.fullmatch(line):
            variables = dict(each.split("=", 1) for each in result.out.split("\0") if each)
            for name in os.environ.keys() - variables.keys():
                del os.environ[name]
            os.environ.update(variables)
        return result

    def _run_in_shell(self, line: str) -> CommandResult:
        ended = subprocess.run(
            ["/bin/bash", "-c", line],
            cwd=self.clone,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return CommandResult(words=("bash", "-c", line), code=ended.returncode, out=ended.stdout, err=ended.stderr)

    @property
    def files(self) -> dict[str, str]:
        """Every file of the clone (git's own too, but no objects that nothing refers to) and of the remote."""
        return {
            path: digest
            for folder in (self.clone, self.remote)
            for path, digest in hash_files(folder, excluding=("objects",)).items()
        }


def _run_in_process(words: list[str]) -> CommandResult:
    out, err, code = StringIO(), StringIO(), 0
    streams = patch.dict(wiring.toolbox.__kwdefaults__ or {}, stream=out)
    with ExitStack() as stack, Path(os.devnull).open(encoding="utf-8") as stdin:
        for context in (patch.object(sys, "stdin", stdin), patch.object(sys, "argv", words), streams):
            stack.enter_context(context)
        stack.enter_context(redirect_stdout(out))
        stack.enter_context(redirect_stderr(err))
        try:
            KaizenProgram(namespace()).run(words)
        except Exit as refused:  # the tasks could not be loaded; the program itself prints that
            code = refused.code
            err.write(f"{refused.message}\n")
        except SystemExit as end:
            code = int(end.code or 0)
    return CommandResult(words=words, code=code, out=out.getvalue(), err=err.getvalue())
