"""A bash session that is recorded: each line runs in the folder and with the variables that the last one left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, frozen

from docs.generating.example_tasks import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

LINE_TIMEOUT_SECONDS = 180.0
"""Installing takes the longest."""

SCRIPT = """\
. "$SESSION_STATE/variables"
cd "$(cat "$SESSION_STATE/folder")"
(exit "$(cat "$SESSION_STATE/code")")
{line}
code=$?
export -p > "$SESSION_STATE/variables"
pwd > "$SESSION_STATE/folder"
echo "$code" > "$SESSION_STATE/code"
exit "$code"
"""


@frozen(kw_only=True)
class Recording:
    """What a line printed.

    Attributes:
        line: as it was typed.
        output: stdout and stderr in the order of arrival; stderr alone when there is a document.
        document: stdout, of a command that prints a document there.
        code: its exit code.
    """

    line: str
    output: str
    document: str = ""
    code: int


def clean_environ(home: Path) -> dict[str, str]:
    """Return variables that hide the real home and configuration; the checkout's code comes before an installed one."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "LOGNAME": "sam",
        "GIT_CONFIG_NOSYSTEM": "1",
    }


@define(kw_only=True)
class BashSession:
    """A session without a terminal: nothing can be answered.

    Attributes:
        state: the folder that keeps variables, current folder and exit code between lines.
    """

    state: Path

    @classmethod
    def start(cls, state: Path, *, folder: Path, environ: Mapping[str, str]) -> BashSession:
        """Start in a folder, with these variables and no others."""
        state.mkdir(parents=True)
        (state / "variables").write_text("")
        (state / "folder").write_text(str(folder))
        (state / "code").write_text("0")
        session = cls(state=state)
        session._run("true", environ, has_document=False)
        return session

    def run(self, line: str, *, has_document: bool = False) -> Recording:
        """Run a line, which may be continued on the next ones, and return what it printed.

        Args:
            line: as typed.
            has_document: whether stdout is kept apart.
        """
        return self._run(line, {}, has_document=has_document)

    def write(self, path: str, content: str, *, append: bool) -> None:
        """Write a file below the current folder, or append to it."""
        file = Path((self.state / "folder").read_text(encoding="utf-8").strip(), path)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a" if append else "w", encoding="utf-8") as stream:
            stream.write(content)

    def _run(self, line: str, environ: Mapping[str, str], *, has_document: bool) -> Recording:
        completed = subprocess.run(
            ("bash", "--norc", "-c", SCRIPT.format(line=line)),
            env={**environ, "SESSION_STATE": str(self.state)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if has_document else subprocess.STDOUT,
            encoding="utf-8",
            timeout=LINE_TIMEOUT_SECONDS,
            check=False,
        )
        stdout, stderr = completed.stdout, completed.stderr or ""
        if has_document:
            return Recording(line=line, output=stderr, document=stdout, code=completed.returncode)
        return Recording(line=line, output=stdout, code=completed.returncode)
