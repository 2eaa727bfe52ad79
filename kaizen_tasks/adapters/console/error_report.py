"""Renders an error for a terminal: in colour, each part on lines of its own that are wrapped at words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from rich.cells import cell_len
from rich.text import Text

from kaizen_tasks.adapters.console.safe_console import SafeConsole

INDENT = "  "
"""Before the lines that continue a wrapped line."""

COMMAND = re.compile(r"\b(?:inv|kaizen|git|aws) [^;]*")
"""A command in a text; it stays on one line where it fits, so that it can be copied."""

UNBROKEN_SPACE = "\N{NO-BREAK SPACE}"


def render_error(label: str, problems: Sequence[str], state: str, hint: str, *, stream: IO[str]) -> str:
    """Return an error as it is shown on a terminal, without a line end.

    Args:
        label: the word before each problem: `error: `; empty for an interruption.
        problems: what went wrong, each on one line.
        state: what state things are in; may be empty.
        hint: what to do next; may be empty.
        stream: the terminal, whose width and colours are used.
    """
    console = SafeConsole(stream)
    parts = (
        *((label, problem, "red" if label else "yellow") for problem in problems),
        ("", state, ""),
        ("", hint, "bold"),
    )
    with console.capture() as capture:
        for first_word, text, style in parts:
            for line in wrap_words(f"{first_word}{text}", console.width) if text else ():
                styled = Text(line, style)
                styled.highlight_words([first_word], f"bold {style}") if first_word else None
                console.print(styled, soft_wrap=True)
    return capture.get().rstrip("\n")


def wrap_words(text: str, width: int) -> Iterator[str]:
    """Yield the lines of a text of at most `width` columns, the second and later ones indented.

    A word that is longer than a line is not cut: the terminal breaks it, and it can still be copied.
    """
    line = ""
    for word in _words(text, width - len(INDENT)):
        longer = f"{line} {word}" if line else word
        if line and cell_len(longer) > width:
            yield line
            longer = INDENT + word
        line = longer
    yield line


def _words(text: str, width: int) -> Iterable[str]:
    """Return the words of a text; a command that fits a line counts as one word."""

    def join(command: re.Match[str]) -> str:
        return command[0].replace(" ", UNBROKEN_SPACE) if cell_len(command[0]) <= width else command[0]

    return (word.replace(UNBROKEN_SPACE, " ") for word in COMMAND.sub(join, text).split(" "))
