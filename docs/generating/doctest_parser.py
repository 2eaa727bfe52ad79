"""Parses a page whose commands are run: files to write, lines to run, and where their output is shown.

- A `console` block has commands behind `$ `, each with its output below it.
- A `sh` block has commands alone: their output is not shown, because it differs or does not matter.
- A code block after the comment `<!-- write PATH -->` is the content of a file; `<!-- add to PATH -->` appends it.
- A command may fail only if the next one is `echo $?`.
- The comment `<!-- starts in: NAME -->` names the starting point; the commands of a page without it are not run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_COMMENT = re.compile(r"<!-- (?P<verb>write|add to) (?P<path>[^ ]+) -->\s*\Z")
START_COMMENT = re.compile(r"^<!-- starts in: (?P<name>\w+) -->$", re.MULTILINE)
PROMPT = "$ "
COMMAND = re.compile(r"(?:[^\n]*\\\n)*[^\n]*")
"""One line, with its continuation lines."""
PRINT_EXIT_CODE = "echo $?"

Span = tuple[int, int]
"""Start and end of a part of a page."""


@frozen(kw_only=True)
class CommandLine:
    """One line to run.

    Attributes:
        text: the command.
        span: where its output is shown in the page; None when it is not.
    """

    text: str
    span: Span | None


@frozen(kw_only=True)
class FileStep:
    """One file to write, or to append to.

    Attributes:
        path: below the session's current folder.
        content: all of it, or what is appended.
        append: whether it is appended.
    """

    path: str
    content: str
    append: bool


def starting_point(page: str) -> str:
    """Return the name of the starting point; empty when the commands of the page are not run."""
    comment = START_COMMENT.search(page)
    return comment["name"] if comment else ""


def parse_steps(page: str) -> Iterator[CommandLine | FileStep]:
    """Yield the files to write and the lines to run, in order."""
    for fence in FENCE.finditer(page):
        file = FILE_COMMENT.search(page[: fence.start()])
        if file:
            yield FileStep(path=file["path"], content=fence["body"], append=file["verb"] == "add to")
        elif fence["language"] == "console":
            yield from _prompted_lines(fence["body"], fence.start("body"))
        elif fence["language"] == "sh":
            yield from (CommandLine(text=match[0], span=None) for match in COMMAND.finditer(fence["body"]) if match[0])


def _prompted_lines(body: str, offset: int) -> Iterator[CommandLine]:
    """Yield the commands of a block; the output of each extends to the next prompt."""
    starts = [match.end() for match in re.finditer(r"^\$ ", body, re.MULTILINE)]
    ends = [*(start - len(PROMPT) for start in starts[1:]), len(body)]
    for start, end in zip(starts, ends, strict=True):
        command = COMMAND.match(body, start)
        assert command is not None
        yield CommandLine(text=command[0], span=(offset + command.end() + 1, offset + end))


def replace_outputs(page: str, outputs: Mapping[Span, str]) -> str:
    """Return a page with other outputs.

    Args:
        page: the page as it is.
        outputs: the new text of each span.
    """
    for (start, end), text in sorted(outputs.items(), reverse=True):
        page = page[:start] + (f"{text}\n" if text else "") + page[end:]
    return page
