"""Lines of bytes: where they begin and end, and how. Only LF, CR LF and CR end a line, as in CommonMark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

BOM = b"\xef\xbb\xbf"

_LINE = re.compile(rb"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_LONE_CR = re.compile(rb"\r(?!\n)")


@attrs.frozen(kw_only=True)
class Lines:
    """Lines without their endings, and the offset of each; one more offset for the end."""

    texts: tuple[str, ...]
    offsets: tuple[int, ...]


def split(content: bytes, start: int = 0, end: int | None = None) -> Lines:
    """Split a span of UTF-8 into lines; a last one of white space alone, without an ending, is none."""
    end = len(content) if end is None else end
    whole = _whole_lines(content, start, end)
    if whole and not whole[-1].strip(b" \t"):
        whole.pop()
    offsets = [start]
    for line in whole:
        offsets.append(offsets[-1] + len(line))
    return Lines(texts=tuple(map(_readable, whole)), offsets=tuple(offsets))


def _whole_lines(content: bytes, start: int, end: int) -> list[bytes]:
    """Cut behind line endings; splitting is five times faster than matching, but knows one ending only."""
    if content.find(b"\r", start, end) >= 0:
        return _LINE.findall(content, start, end)
    pieces = content[start:end].split(b"\n")
    last = pieces.pop()
    return [*(piece + b"\n" for piece in pieces), *([last] if last else [])]


def _readable(line: bytes) -> str:
    return line.rstrip(b"\r\n").decode().replace("\0", "\ufffd")


def has_lone_cr(content: bytes) -> bool:
    """Tell whether some line ends in CR alone, as before Mac OS X or after a broken conversion."""
    return b"\r" in content and bool(_LONE_CR.search(content))


def number_lines(content: bytes, offsets: Iterable[int]) -> list[int]:
    """Return the line numbers, from 1, of ascending offsets."""
    lone = has_lone_cr(content)
    numbers, line, seen = [], 1, 0
    for offset in offsets:
        line += content.count(b"\n", seen, offset)
        line += len(_LONE_CR.findall(content, seen, offset)) if lone else 0
        numbers.append(line)
        seen = offset
    return numbers


def newline_at(content: bytes, offset: int) -> bytes:
    """Return how the line at an offset ends; the last one ends as the one before it."""
    match = re.compile(rb"\r\n?|\n").search(content, offset)
    if match:
        return match.group()
    last = content.rfind(b"\n", 0, offset)
    return b"\r\n" if last > 0 and content[last - 1 : last] == b"\r" else b"\n"


def newline_before(content: bytes, offset: int) -> bytes:
    """Return how the line above an offset ends; the first one ends as the one at the offset."""
    above = content[max(offset - 2, 0) : offset]
    if above.endswith((b"\r\n", b"\n", b"\r")):
        return above if above == b"\r\n" else above[-1:]
    return newline_at(content, offset)


def ends_line(content: bytes, offset: int) -> bool:
    """Tell whether a line ends right before an offset."""
    return content[max(offset - 1, 0) : offset] in {b"\n", b"\r"}


def ends_blank(content: bytes, offset: int) -> bool:
    """Tell whether a blank line ends right before an offset."""
    return content[max(offset - 3, 0) : offset].endswith((b"\n\n", b"\n\r\n", b"\r\r"))


def undecodable(content: bytes) -> tuple[int, int] | None:
    """Return line and column, from 1, of the first byte that is not UTF-8."""
    if content.isascii():
        return None
    try:
        content.decode()
    except UnicodeDecodeError as error:
        [line] = number_lines(content, [error.start])
        begin = max(content.rfind(b"\n", 0, error.start), content.rfind(b"\r", 0, error.start)) + 1
        return line, len(content[begin : error.start].decode()) + 1
    return None


def demand_utf8(content: bytes) -> None:
    """Refuse bytes that are not UTF-8.

    Raises:
        Refused: with line and column of the first byte that cannot be decoded.
    """
    place = undecodable(content)
    if place:
        raise Refused(
            f"the changelog is not UTF-8 at line {place[0]}, column {place[1]}",
            hint="save it as UTF-8, for example with: iconv -f windows-1252 -t utf-8",
        )
