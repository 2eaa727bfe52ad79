"""Reads files with lines `NAME=value`, such as `.env`. Nothing is replaced in values."""

from __future__ import annotations

import re
from collections.abc import Mapping

BLANK_OR_COMMENT = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
ASSIGNMENT = re.compile(
    r"""[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.-]*)[ \t]*=[ \t]*"""
    r"""(?:'(?P<literal>[^']*)'|"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<plain>[^\n'"][^\n]*?)?)"""
    r"""[ \t]*(?:(?<=\s)\#[^\n]*)?(?:\n|\Z)""",
    re.DOTALL,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse_dotenv(text: str) -> Mapping[str, str]:
    """Return the values of a file by name. Quoted values may have several lines; a comment follows a blank and `#`.

    Raises:
        ValueError: a line is no assignment; the message has the line's number, and not its text.
    """
    values: dict[str, str] = {}
    content, position = text.removeprefix("\ufeff").replace("\r\n", "\n"), 0
    while position < len(content):
        if match := BLANK_OR_COMMENT.match(content, position):
            position = match.end()
            continue
        match = ASSIGNMENT.match(content, position)
        if match is None:
            line = content.count("\n", 0, position) + 1
            raise ValueError(f"has no NAME=value in line {line}")
        values[match["name"]] = _value(match)
        position = match.end()
    return values


def _value(match: re.Match[str]) -> str:
    if match["quoted"] is not None:
        return re.sub(r"\\(.)", lambda escape: ESCAPES.get(escape[1], escape[1]), match["quoted"], flags=re.DOTALL)
    return match["literal"] if match["literal"] is not None else match["plain"] or ""
