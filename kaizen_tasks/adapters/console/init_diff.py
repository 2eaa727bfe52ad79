"""Prints the changes that `kaizen init` is about to make, and its notes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from kaizen_tasks.domain.init.file_change import FileChange
from kaizen_tasks.domain.init.notes import Note
from kaizen_tasks.domain.text.printable import printable_lines

LINE_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def print_changes(changes: Iterable[FileChange], notes: Iterable[Note], stream: TextIO) -> None:
    """Print the diff of every file, then the notes; in colour on a terminal."""
    for change in changes:
        for line in change.diff:
            _print_line(line, "bold" if line.startswith(("+++", "---")) else LINE_STYLES.get(line[:1], ""), stream)
        _print_line("", "", stream)
    for note in notes:
        _print_note(f"note: {note.text}", stream)
        for line in note.snippet:
            _print_line(f"    {line}".rstrip(), "", stream)


def _print_note(text: str, stream: TextIO) -> None:
    if stream.isatty():
        from kaizen_tasks.adapters.console.layout.wrapped_text import wrap_words
        from kaizen_tasks.adapters.console.safe_console import SafeConsole

        text = "\n".join(wrap_words(text, SafeConsole(stream).width))
    _print_line(text, "yellow", stream)


def _print_line(line: str, style: str, stream: TextIO) -> None:
    if not stream.isatty():
        stream.write(f"{printable_lines(line)}\n")
        return
    from rich.text import Text

    from kaizen_tasks.adapters.console.safe_console import SafeConsole

    SafeConsole(stream).print(Text(line, style), soft_wrap=True)
