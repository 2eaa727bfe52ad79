"""Link reference definitions: `[label]: destination "title"`, which may span lines.

Specification: https://spec.commonmark.org/0.31.2/#link-reference-definitions
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

WHITESPACE = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What is trimmed around headings and labels: the characters that JavaScript's `trim` takes."""

_LABEL_PART = re.compile(r"(?:[^\[\]\\\n]|\\[^\n]|\\(?=\n))*")
_ANGLE = re.compile(r"<((?:[^<>\\\n]|\\.)*)>", re.DOTALL)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_UNSAFE = re.compile(r"(?:vbscript|javascript|file|data):")
_SAFE_DATA = re.compile(r"data:image/(?:gif|png|jpeg|webp);")
_TITLE_PARTS = {
    '"': re.compile(r'(?:[^"\\]|\\.|\\$)*', re.DOTALL),
    "'": re.compile(r"(?:[^'\\]|\\.|\\$)*", re.DOTALL),
    ")": re.compile(r"(?:[^()\\]|\\.|\\$)*", re.DOTALL),
}
_MAX_PARENTHESES = 32


@attrs.frozen(kw_only=True)
class ReferenceDefinition:
    """A definition as written: `destination` is the source text, without angle brackets."""

    label: str
    destination: str
    line_count: int


class _Cursor:
    """A position in lines that are asked for one by one: a long list of definitions is read only once."""

    def __init__(self, line_at: Callable[[int], str | None]) -> None:
        self._line_at = line_at
        self.text = line_at(0) or "\n"
        self.position = 0
        self.line_count = 1

    def remaining_text(self) -> str:
        return self.text[self.position :]

    def next_line(self) -> bool:
        text = self._line_at(self.line_count)
        if text is None:
            return False
        self.text, self.position, self.line_count = text, 0, self.line_count + 1
        return True

    def skip_blanks(self) -> None:
        while self.text[self.position] in " \t":
            self.position += 1

    def skip_whitespace(self) -> None:
        self.skip_blanks()
        while self.text[self.position] == "\n" and self.next_line():
            self.skip_blanks()

    def at_line_end(self) -> bool:
        self.skip_blanks()
        return self.text[self.position] == "\n"


def normalize_label(label: str) -> str:
    """Return a label as CommonMark compares it: case and runs of white space do not count."""
    return " ".join(label.split()).casefold().upper()


def parse_definition(line_at: Callable[[int], str | None]) -> ReferenceDefinition | None:
    """Read the definition that starts with `[` on line 0, if it is one.

    Args:
        line_at: gives the text of a line with a line feed, without indent; None behind the paragraph.
    """
    cursor = _Cursor(line_at)
    label = _parse_label(cursor)
    if label is None:
        return None
    cursor.skip_whitespace()
    destination = _parse_destination(cursor)
    if destination is None:
        return None
    line_count = _parse_title_lines(cursor)
    if not line_count or not label.strip(WHITESPACE):
        return None
    return ReferenceDefinition(label=label, destination=destination, line_count=line_count)


def _parse_label(cursor: _Cursor) -> str | None:
    cursor.position = 1
    parts = []
    while True:
        part = _LABEL_PART.match(cursor.text, cursor.position)
        assert part
        parts.append(part.group())
        terminator = cursor.text[part.end()]
        if terminator == "\n" and cursor.next_line():
            continue
        if terminator != "]" or cursor.text[part.end() + 1] != ":":
            return None
        cursor.position = part.end() + 2
        return "\n".join(parts)


def _parse_destination(cursor: _Cursor) -> str | None:
    text, start = cursor.text, cursor.position
    if text[start] == "<":
        angle = _ANGLE.match(text, start)
        if not angle:
            return None
        cursor.position = angle.end()
        return angle.group(1) if _is_safe(angle.group(1)) else None
    end = _bare_destination_end(text, start)
    cursor.position = end
    return text[start:end] if end > start and _is_safe(text[start:end]) else None


def _bare_destination_end(text: str, start: int) -> int:
    """Return where a destination ends; `start` when it is none."""
    depth, position = 0, start
    while not (text[position] <= " " or text[position] == "\x7f"):
        character = text[position]
        if character == "\\":
            if text[position + 1] == " ":
                break
            position += text[position + 1] != "\n"
        depth += (character == "(") - (character == ")")
        if depth > _MAX_PARENTHESES:
            return start
        if depth < 0:
            return position
        position += 1
    return start if depth else position


def _is_safe(destination: str) -> bool:
    """Refuse what a browser would run; markdown-it then sees no definition."""
    import html

    url = html.unescape(_ESCAPE.sub(r"\1", destination)).strip().lower()
    return not _UNSAFE.match(url) or bool(_SAFE_DATA.match(url))


def _parse_title_lines(cursor: _Cursor) -> int:
    """Return how many lines the definition has with its title, or 0 when something else follows."""
    position, line_count, text = cursor.position, cursor.line_count, cursor.text
    cursor.skip_whitespace()
    has_advanced = (cursor.position, cursor.line_count) != (position, line_count)
    title = _parse_title(cursor) if has_advanced else None
    if title is not None and cursor.at_line_end():
        return cursor.line_count
    if title == "":
        return 0
    return line_count if not text[position:].strip(" \t\n") else 0


def _parse_title(cursor: _Cursor) -> str | None:
    marker = cursor.text[cursor.position]
    closing = ")" if marker == "(" else marker
    pattern = _TITLE_PARTS.get(closing)
    if pattern is None or marker == ")":
        return None
    cursor.position += 1
    parts = []
    while True:
        part = pattern.match(cursor.text, cursor.position)
        assert part
        parts.append(part.group())
        cursor.position = part.end()
        if cursor.position < len(cursor.text):
            break
        if not cursor.next_line():
            return None
    if cursor.text[cursor.position] != closing:
        return None
    cursor.position += 1
    return "".join(parts)
