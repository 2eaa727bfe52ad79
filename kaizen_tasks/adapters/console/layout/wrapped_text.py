"""Wraps lines for a terminal: between words, and never in a command, an address or a name, so that they can be copied.

What is longer than a line is left to the terminal: where that breaks a line, what is copied has no line feed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rich.cells import cell_len

INDENT = "  "
"""Before the lines that continue a wrapped line, below its own indentation."""

GIT_COMMANDS = (
    "add|am|branch|checkout|cherry-pick|clone|commit|config|diff|fetch|init|log|merge|mv|pull|push|rebase|remote|reset|"
    "restore|revert|rm|show|stash|status|switch|tag"
)
_WORD = r"""(?:"[^"]*"|'[^']*'|[^\s"';])+"""
_END = r"(?!(?:and|or|to|then|in|for|on|if|is|are|was|first|again|says|fails|failed|\()\b)"
_OTHERS = r"pip(?= install)|docker(?= (?:pull|login|info|run)\b)|(?:unset|export)(?= [A-Z])|timedatectl|sudo"
_PROGRAM = rf"(?:[^\s:;,(]*/)?(?:inv|invoke|kaizen|aws|git(?= (?:{GIT_COMMANDS}|-))|{_OTHERS})(?= [^\s])"
COMMAND = re.compile(rf"(?<![^\s(])(?:next: )?(?:[A-Z_]+=\S+ )*{_PROGRAM}(?:(?<![,.:]) {_END}{_WORD})+")
"""A command in a text, or the next one with that word, up to the sentence that goes on."""

PLACE = re.compile(r"[(\"']?(?:(?:~|\.{1,2})?/|[a-z]+://)[^\s/]")
"""How a word begins that is a path or an address."""

COMMAND_LINE = re.compile(r"(?:export|unset|cd|\.) \S")
"""How a line begins that is a command of the shell as a whole."""

UNBROKEN_SPACE = "\N{NO-BREAK SPACE}"


def wrap_words(text: str, width: int, indent: str = INDENT) -> Iterator[str]:
    """Yield the lines of a text, of at most `width` columns where its words and commands are no longer than that.

    Args:
        text: one line; the spaces that it begins with are those of every line.
        width: columns of a line.
        indent: what further lines begin with, behind these spaces.
    """
    words = text.lstrip(" ")
    margin = text[: len(text) - len(words)]
    if COMMAND_LINE.match(words):
        yield text
        return
    line, is_empty = margin, True
    for word in _words(words):
        longer = f"{line}{'' if is_empty else ' '}{word}"
        next_line = _further_line(margin, indent, word, width)
        is_better = " " in word or cell_len(next_line) <= width or cell_len(line) > width
        if not is_empty and cell_len(longer) > width and is_better:
            yield line
            longer = next_line
        line, is_empty = longer, False
    yield line


def _further_line(margin: str, indent: str, word: str, width: int) -> str:
    """Return how a further line begins with a word: a path or an address that only just fits begins further left."""
    is_outdented = PLACE.match(word) and cell_len(f"{margin}{word}") <= width < cell_len(f"{margin}{indent}{word}")
    return f"{margin}{word}" if is_outdented else f"{margin}{indent}{word}"


def _words(text: str) -> Iterable[str]:
    """Return the words of a text; a command counts as one word."""
    unbroken_text = COMMAND.sub(lambda command: command[0].replace(" ", UNBROKEN_SPACE), text)
    return (word.replace(UNBROKEN_SPACE, " ") for word in unbroken_text.split(" "))


def hanging_lines(first: str, text: str, width: int) -> Iterator[str]:
    """Yield the lines of a text beside what stands before its first line; the others begin below the text.

    A command that is too long for that begins further left.

    Args:
        first: what stands before the text, spaces included.
        text: one line.
        width: columns of the terminal.
    """
    margin = cell_len(first)
    for number, line in enumerate(wrap_words(text, width - margin, "")):
        free = max(width - cell_len(line), len(INDENT))
        yield f"{' ' * min(margin, free) if number else first}{line}"
