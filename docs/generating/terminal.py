"""A terminal that remembers: each line runs in bash, in the folder and with the variables that the last one left."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

LINE_SECONDS = 180.0
"""Seconds after which a line hangs; installing takes the longest."""

SCRIPT = """\
. "$MEMORY/variables"
cd "$(cat "$MEMORY/folder")"
(exit "$(cat "$MEMORY/code")")
{line}
code=$?
export -p > "$MEMORY/variables"
pwd > "$MEMORY/folder"
echo "$code" > "$MEMORY/code"
exit "$code"
"""


@frozen(kw_only=True)
class LineResult:
    """What a line said.

    Attributes:
        text: stdout and stderr as they came.
        code: its exit code.
    """

    text: str
    code: int


@define(kw_only=True)
class Terminal:
    """A terminal.

    Attributes:
        memory: a folder for what it remembers.
    """

    memory: Path

    @classmethod
    def start(cls, memory: Path, *, folder: Path, environ: Mapping[str, str]) -> Terminal:
        """Open a terminal in a folder, with these variables and no others."""
        memory.mkdir(parents=True)
        (memory / "variables").write_text("")
        (memory / "folder").write_text(str(folder))
        (memory / "code").write_text("0")
        terminal = cls(memory=memory)
        terminal._run("true", environ)
        return terminal

    def type(self, line: str) -> LineResult:
        """Type a line, which may span several, and wait for its end."""
        return self._run(line, {})

    def write(self, path: str, content: str, *, appended: bool) -> None:
        """Write a file, or add to it, below the folder that the last line left."""
        file = Path((self.memory / "folder").read_text(encoding="utf-8").strip(), path)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a" if appended else "w", encoding="utf-8") as stream:
            stream.write(content)

    def _run(self, line: str, environ: Mapping[str, str]) -> LineResult:
        completed = subprocess.run(
            ("bash", "--norc", "-c", SCRIPT.format(line=line)),
            env={**environ, "MEMORY": str(self.memory)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=LINE_SECONDS,
            check=False,
        )
        return LineResult(text=completed.stdout, code=completed.returncode)
