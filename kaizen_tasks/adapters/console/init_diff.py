"""Shows people what `kaizen init` is about to write, and what it leaves to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaizen_tasks.domain.init.file_change import Change
    from kaizen_tasks.domain.init.notes import Remark

STYLES = {"+": "green", "-": "red", "@": "cyan"}


def show(changes: Iterable[Change], remarks: Iterable[Remark], stream: TextIO) -> None:
    """Show a diff of every file, then the remarks; in colour on a terminal."""
    for change in changes:
        for line in change.diff:
            _print(line, "bold" if line.startswith(("+++", "---")) else STYLES.get(line[:1], ""), stream)
        _print("", "", stream)
    for remark in remarks:
        _print(f"note: {remark.what}", "yellow", stream)
        for line in remark.lines:
            _print(f"    {line}".rstrip(), "", stream)


def _print(line: str, style: str, stream: TextIO) -> None:
    if not stream.isatty():
        stream.write(f"{line}\n")
        return
    from rich.console import Console
    from rich.text import Text

    Console(file=stream, highlight=False, markup=False, emoji=False).print(Text(line, style), soft_wrap=True)
