"""Wraps lines for a terminal: between words, so that names, addresses and commands can be copied."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rich.cells import cell_len

INDENT = "  "
"""Before the lines that continue a wrapped line, below its own indentation."""

COMMAND = re.compile(r"\b(?:next: )?(?:inv|kaizen|git|aws) [^;]*")
"""A command in a text, or the next one with that word; it stays on one line where it fits."""

UNBROKEN_SPACE = "\N{NO-BREAK SPACE}"


def wrap_words(text: str, width: int) -> Iterator[str]:
    """Yield the lines of a text of at most `width` columns, the second and later ones indented.

    A word that is longer than a line is not cut: the terminal breaks it, and it can still be copied; so can a line that
    sets a variable.
    """
    if text.startswith("export "):
        yield text
        return
    words = text.lstrip(" ")
    indent = " " * (len(text) - len(words))
    line, is_empty = indent, True
    for word in _words(words, width - len(indent + INDENT)):
        longer = f"{line}{'' if is_empty else ' '}{word}"
        fits_next_line = cell_len(f"{indent}{INDENT}{word}") <= width
        if not is_empty and cell_len(longer) > width and (fits_next_line or cell_len(line) > width):
            yield line
            longer = f"{indent}{INDENT}{word}"
        line, is_empty = longer, False
    yield line


def _words(text: str, width: int) -> Iterable[str]:
    """Return the words of a text; a command that fits a line counts as one word."""

    def join(command: re.Match[str]) -> str:
        return command[0].replace(" ", UNBROKEN_SPACE) if cell_len(command[0]) <= width else command[0]

    return (word.replace(UNBROKEN_SPACE, " ") for word in COMMAND.sub(join, text).split(" "))
