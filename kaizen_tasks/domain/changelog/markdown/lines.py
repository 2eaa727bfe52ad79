"""Split bytes into lines at LF, CR LF and CR, as CommonMark does."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import NamedTuple

from kaizen_tasks.errors import Refused

BOM = b"\xef\xbb\xbf"

_LINE = re.compile(rb"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_LONE_CR = re.compile(rb"\r(?!\n)")


class Lines(NamedTuple):
    """The texts of lines without line endings, and the offsets of the lines and of their end."""

    texts: tuple[str, ...]
    offsets: tuple[int, ...]


def split_lines(content: bytes, start: int = 0, end: int | None = None) -> Lines:
    """Split a span of UTF-8 into lines; drop a last line that is only white space and has no line ending."""
    end = len(content) if end is None else end
    raw_lines = _split_keeping_ends(content, start, end)
    if raw_lines and not raw_lines[-1].strip(b" \t"):
        raw_lines.pop()
    offsets = [start]
    for line in raw_lines:
        offsets.append(offsets[-1] + len(line))
    return Lines(texts=tuple(map(_decode_line, raw_lines)), offsets=tuple(offsets))


def _split_keeping_ends(content: bytes, start: int, end: int) -> list[bytes]:
    """Return lines with their endings; `bytes.split` is five times faster than the pattern, but handles only LF."""
    if content.find(b"\r", start, end) >= 0:
        return _LINE.findall(content, start, end)
    pieces = content[start:end].split(b"\n")
    last = pieces.pop()
    return [*(piece + b"\n" for piece in pieces), *([last] if last else [])]


def _decode_line(line: bytes) -> str:
    return line.rstrip(b"\r\n").decode().replace("\0", "\ufffd")


def has_lone_cr(content: bytes) -> bool:
    """Return whether a line ends in CR without LF, as on old Macs or after a broken conversion."""
    return b"\r" in content and bool(_LONE_CR.search(content))


def line_numbers(content: bytes, offsets: Iterable[int]) -> list[int]:
    """Return the line numbers, from 1, of offsets; ascending ones take least time."""
    return list(map(LineCounter(content).number_at, offsets))


class LineCounter:
    """Counts the lines of a text up to an offset, from the last offset that it was asked for."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._counted = (0, 1)

    def number_at(self, offset: int) -> int:
        """Return the number, from 1, of the line at an offset."""
        counted_end, number = self._counted
        number += self._count(counted_end, offset) if offset >= counted_end else -self._count(offset, counted_end)
        self._counted = (offset, number)
        return number

    def _count(self, start: int, end: int) -> int:
        lone_crs = len(_LONE_CR.findall(self._content, start, end)) if self._has_lone_crs else 0
        return self._content.count(b"\n", start, end) + lone_crs

    @functools.cached_property
    def _has_lone_crs(self) -> bool:
        return has_lone_cr(self._content)


def newline_at(content: bytes, offset: int) -> bytes:
    """Return the line ending of the line at an offset; for the last line, that of the line before."""
    match = re.compile(rb"\r\n?|\n").search(content, offset)
    if match:
        return match.group()
    last = content.rfind(b"\n", 0, offset)
    return b"\r\n" if last > 0 and content[last - 1 : last] == b"\r" else b"\n"


def newline_before(content: bytes, offset: int) -> bytes:
    """Return the line ending before an offset; for the first line, the ending of that line."""
    preceding_bytes = content[max(offset - 2, 0) : offset]
    if preceding_bytes.endswith((b"\r\n", b"\n", b"\r")):
        return preceding_bytes if preceding_bytes == b"\r\n" else preceding_bytes[-1:]
    return newline_at(content, offset)


def is_line_start(content: bytes, offset: int) -> bool:
    """Return whether a line starts at an offset."""
    return content[max(offset - 1, 0) : offset] in {b"", b"\n", b"\r"} or _is_file_start(content, offset)


def is_after_blank_line(content: bytes, offset: int) -> bool:
    """Return whether the line before an offset is blank or missing."""
    before = content[max(offset - 3, 0) : offset]
    return before.endswith((b"\n\n", b"\n\r\n", b"\r\r")) or _is_file_start(content, offset)


def _is_file_start(content: bytes, offset: int) -> bool:
    return content[: min(offset, len(BOM) + 1)] in {b"", BOM}


def find_decode_error(content: bytes) -> tuple[int, int] | None:
    """Return line and column, from 1, of the first byte that is not UTF-8, or None."""
    if content.isascii():
        return None
    try:
        content.decode()
    except UnicodeDecodeError as error:
        [line] = line_numbers(content, [error.start])
        line_start = max(content.rfind(b"\n", 0, error.start), content.rfind(b"\r", 0, error.start)) + 1
        return line, len(content[line_start : error.start].decode()) + 1
    return None


def require_utf8(content: bytes) -> None:
    """Require valid UTF-8.

    Raises:
        Refused: a byte cannot be decoded; the message has its line and column.
    """
    position = find_decode_error(content)
    if position:
        raise Refused(
            f"the changelog is not UTF-8 at line {position[0]}, column {position[1]}",
            hint="save it as UTF-8 in your editor",
        )
