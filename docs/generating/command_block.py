"""Splits lines of code blocks into commands: variables, words, and a comment at the end."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROGRAMS = ("inv", "invoke", "kaizen")
ASSIGNMENT = re.compile(r"[A-Z_]+=")
REDIRECTION = re.compile(r"\d?>>?(?:&\d)?(?P<target>.*)")


@frozen(kw_only=True)
class ShellCommand:
    """One command.

    Attributes:
        environ: the variables set in front of it.
        words: program and arguments.
    """

    environ: dict[str, str]
    words: tuple[str, ...]

    @property
    def runs_tasks(self) -> bool:
        """Whether it runs tasks."""
        return bool(self.words) and self.words[0] in PROGRAMS


def parse_commands(line: str) -> tuple[ShellCommand, ...]:
    """Split a line into its commands, at `&&`, `;` and `|`, without redirections.

    Raises:
        ValueError: a quotation is not closed.
    """
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&;|")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    commands: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("&;|"):
            commands.append([])
        else:
            commands[-1].append(word)
    return tuple(_parse_command(words) for words in commands if words)


def _parse_command(words: list[str]) -> ShellCommand:
    count = next((position for position, word in enumerate(words) if not ASSIGNMENT.match(word)), len(words))
    environ = dict(word.split("=", 1) for word in words[:count])
    return ShellCommand(environ=environ, words=tuple(_without_redirections(words[count:])))


def _without_redirections(words: Sequence[str]) -> Iterator[str]:
    remaining = iter(words)
    for word in remaining:
        if not (match := REDIRECTION.fullmatch(word)):
            yield word
        elif not match["target"] and "&" not in word:
            next(remaining, None)
