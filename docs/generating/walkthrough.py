"""Reads a page that a reader types along: which files it has written, which lines it types, what they say.

- A `console` block has commands behind `$ `, each with what it says below it.
- A `sh` block has commands alone: what they say is not shown, because it differs or does not matter.
- A code block after the comment `<!-- write PATH -->` is the content of a file; `<!-- add to PATH -->` appends it.
- A command may fail only where the next one is `echo $?`.
- The comment `<!-- starts in: WORLD -->` says where the page begins; a page without it is only read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_COMMENT = re.compile(r"<!-- (?P<how>write|add to) (?P<path>[^ ]+) -->\s*\Z")
START_COMMENT = re.compile(r"^<!-- starts in: (?P<world>\w+) -->$", re.MULTILINE)
PROMPT = "$ "
COMMAND = re.compile(r"(?:[^\n]*\\\n)*[^\n]*")
"""One line; one that ends with a backslash goes on in the next."""
PRINT_EXIT_CODE = "echo $?"

Span = tuple[int, int]
"""Where in a page something begins and ends."""


@frozen(kw_only=True)
class CommandLine:
    """One line to type.

    Attributes:
        text: the command.
        place: where its output stands in the page; None when it is not shown.
    """

    text: str
    place: Span | None


@frozen(kw_only=True)
class FileStep:
    """One file that the reader writes, or adds to.

    Attributes:
        path: below the folder that the terminal is in.
        content: all of it, or what is added.
        appended: whether it is added.
    """

    path: str
    content: str
    appended: bool


def starting_point(page: str) -> str:
    """Return where a page begins, or nothing when it is only read."""
    comment = START_COMMENT.search(page)
    return comment["world"] if comment else ""


def parse_steps(page: str) -> Iterator[CommandLine | FileStep]:
    """Yield what a page has its reader do, in order."""
    for fence in FENCE.finditer(page):
        file = FILE_COMMENT.search(page[: fence.start()])
        if file:
            yield FileStep(path=file["path"], content=fence["body"], appended=file["how"] == "add to")
        elif fence["language"] == "console":
            yield from _prompted_lines(fence["body"], fence.start("body"))
        elif fence["language"] == "sh":
            yield from (CommandLine(text=match[0], place=None) for match in COMMAND.finditer(fence["body"]) if match[0])


def _prompted_lines(body: str, start: int) -> Iterator[CommandLine]:
    """Yield the prompted commands of a block; what stands between two of them is what the first one says."""
    prompts = [match.end() for match in re.finditer(r"^\$ ", body, re.MULTILINE)]
    for begin, end in zip(prompts, [*(position - len(PROMPT) for position in prompts[1:]), len(body)], strict=True):
        command = COMMAND.match(body, begin)
        assert command is not None
        yield CommandLine(text=command[0], place=(start + command.end() + 1, start + end))


def rewrite(page: str, outputs: Mapping[Span, str]) -> str:
    """Return a page with what its commands really say.

    Args:
        page: as it is.
        outputs: what stands at each place from now on.
    """
    for (start, end), text in sorted(outputs.items(), reverse=True):
        page = page[:start] + (f"{text}\n" if text else "") + page[end:]
    return page
