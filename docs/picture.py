"""Draws README's picture: the output of a real demo, as an SVG."""

from __future__ import annotations

import io
import re
import subprocess
import sys

from rich.console import Console
from rich.text import Text

WIDTH = 100
STYLES = {"done": "green", "ok": "green", "already done": "dim", "!": "yellow", "✓": "green"}
"""Style of a line's first word."""
TIMESTAMP = re.compile(r"^\d\d:\d\d:\d\dZ")
HIDDEN_VERDICTS = ("begin", "…")
"""On a terminal these are spinners, which a finished run no longer shows."""


def main(target: str) -> None:
    """Run the demo and export its output."""
    argv = [sys.executable, "-m", "kaizen_tasks", "demo", "--engine", "bundle"]
    demo = subprocess.run(argv, capture_output=True, text=True, check=True)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False)
    for line in demo.stdout.strip().splitlines():
        text = TIMESTAMP.sub("", line)
        if not text.strip().startswith(HIDDEN_VERDICTS):
            console.print(_styled(text), soft_wrap=False, overflow="ellipsis", no_wrap=True)
    console.save_svg(target, title="inv demo")


def _styled(line: str) -> Text:
    if line.startswith("$"):
        return Text(line, "bold cyan")
    text, start = Text(line), len(line) - len(line.lstrip())
    for word, style in STYLES.items():
        if line.startswith(word, start):
            text.stylize(style, start, start + len(word))
    return text


if __name__ == "__main__":
    main(sys.argv[1])
