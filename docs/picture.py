"""Draws README's picture: a real run of the demo, as an SVG."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 100
STYLES = {"done": "green", "ok": "green", "already done": "dim", "!": "yellow"}
STAMP = re.compile(r"^\d\d:\d\d:\d\dZ")
"""Stands before lines about several environments only where nobody watches."""

HIDDEN = ("begin", "…")  # on a terminal these are spinners, which a finished run no longer shows


def main(target: str) -> None:
    """Run the demo and export what it leaves on the screen."""
    argv = [sys.executable, "-m", "kaizen_tasks", "demo", "--engine", "bundle"]
    demo = subprocess.run(argv, capture_output=True, text=True, check=True)
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, highlight=False)
        for line in demo.stdout.strip().splitlines():
            if not STAMP.sub("", line).strip().startswith(HIDDEN):
                console.print(_styled(STAMP.sub("", line)), soft_wrap=False, overflow="ellipsis", no_wrap=True)
        console.save_svg(target, title="inv demo")


def _styled(line: str) -> Text:
    if line.startswith("$"):
        return Text(line, "bold cyan")
    text = Text(line)
    for verdict, style in STYLES.items():
        if line.strip().startswith(verdict):
            text.stylize(style, 2, 2 + len(verdict))
    if line.strip().startswith("✓"):
        text.stylize("green", line.index("✓"), line.index("✓") + 1)
    return text


if __name__ == "__main__":
    main(sys.argv[1])
