"""Where the headings of the first two levels and the link definitions of a changelog are.

Only a fence or an HTML block of the outermost level can hide a heading in the first column: everything else
ends before one. So the text between two such headings is taken as it is when one fast search has found
nothing doubtful in it, and read block by block otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import attrs

from kaizen_tasks.domain.changelog.markdown.block_parser import structure
from kaizen_tasks.domain.changelog.markdown.lines import BOM, has_lone_cr, split

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.links.reference_definitions import Definition
    from kaizen_tasks.domain.changelog.markdown.block_types import Structure
    from kaizen_tasks.domain.changelog.markdown.lines import Lines

_LANDMARK = re.compile(
    rb"""
    \n(?:
        (?P<heading> \#\#?(?=[ \t\r\n]|\Z) [^\n]* )
      | [ \t]*\r?
        (?P<definitions>
          (?: \n\[ [!-Z^-~][^\[\]\\\r\n]* \]:[ ]https?://[^\x00-\x20<>()\\\x7f]+[ \t]*\r? )+
        )
        (?= \n[ \t]*\r?(?:\n|\Z) | \n?\Z )
      | (?P<doubtful>
          [ ]{0,3}(?: ``` | ~~~ | < | (?:=+|-+)[ \t]*(?=\r?(?:\n|\Z)) )
        | [ ]{1,3}\#
        | [ \t>*+\-0-9.)]* \[ (?:[^\]\\\n]|\\[^\n])*+ (?: \]: | \\?(?=\n|\Z) )
        )
    )
    """,
    re.VERBOSE,
)


class Mark(NamedTuple):
    """A heading of level 1 or 2, and where the line below it starts; a tuple, for there may be thousands."""

    start: int
    body: int
    level: int


class Found(NamedTuple):
    """A definition, the span of its lines in the file, and the definition itself."""

    start: int
    end: int
    definition: Definition


@attrs.frozen(kw_only=True)
class Definitions:
    """Where definitions stand: in `plain` spans every line is one, `found` are all the others."""

    plain: tuple[tuple[int, int], ...] = ()
    found: tuple[Found, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.plain or self.found)


@attrs.frozen(kw_only=True)
class Outline:
    """What the search found, in the order of the file."""

    marks: tuple[Mark, ...]
    definitions: Definitions


def outline(content: bytes) -> Outline:
    """Find headings and definitions in UTF-8 text.

    Raises:
        Refused: containers are nested too deeply.
    """
    outliner = _Outliner(content)
    if has_lone_cr(content):
        outliner.doubt()
    else:
        outliner.search()
    return outliner.outline()


class _Outliner:
    """The parts into which headings in the first column divide a text, and what is known of them."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.first = len(BOM) if content.startswith(BOM) else 0
        self.parts = [Mark(self.first, self.first, 0)]
        self.doubtful: set[int] = set()
        self.plain: dict[int, list[tuple[int, int]]] = {}

    def doubt(self) -> None:
        """Have the whole text read block by block."""
        self.doubtful.add(0)

    def search(self) -> None:
        """Divide the text; a line feed put in front makes its first line like the others."""
        content, first, end = self.content, self.first, len(self.content)
        shift = first - 1
        for match in _LANDMARK.finditer(b"\n" + content[first:]):
            kind = match.lastgroup
            if kind == "heading":
                start, stop = match.span()
                level = 2 if content[start + first + 1 : start + first + 2] == b"#" else 1
                self.parts.append(Mark(start + first, min(stop + first, end), level))
            elif kind == "doubtful":
                self.doubtful.add(len(self.parts) - 1)
            else:
                begin, stop = match.span("definitions")
                span = begin + 1 + shift, min(stop + 1 + shift, end)
                self.plain.setdefault(len(self.parts) - 1, []).append(span)

    def outline(self) -> Outline:
        """Take the parts as they are, but for the doubtful ones, which are read."""
        marks: list[Mark] = []
        found: list[Found] = []
        read: set[int] = set()
        at = 1
        for part in sorted(self.doubtful):
            if part in read:
                continue
            marks += self.parts[at:part]
            at = part + self._read(part, marks, found)
            read.update(range(part, at))
        marks += self.parts[at:]
        plain = tuple(span for part, spans in self.plain.items() if part not in read for span in spans)
        return Outline(marks=tuple(marks), definitions=Definitions(plain=plain, found=tuple(found)))

    def _read(self, part: int, marks: list[Mark], found: list[Found]) -> int:
        """Read blocks from the start of a part until one ends where a later part starts; return how many.

        The stretch doubles while a fence or HTML block stays open, which keeps the whole linear.
        """
        count = 1
        while True:
            following = part + count
            end = self.parts[following].start if following < len(self.parts) else len(self.content)
            lines = split(self.content, self.parts[part].start, end)
            read = structure(lines.texts)
            if following >= len(self.parts) or not read.blocks or read.blocks[-1].closed:
                break
            count *= 2
        marks += _marks(read, lines)
        found += _found(read, lines)
        return count


def _marks(read: Structure, lines: Lines) -> list[Mark]:
    offsets = lines.offsets
    return [
        Mark(offsets[block.first], offsets[block.end], block.level)
        for block in read.blocks
        if block.kind == "heading" and block.level <= 2
    ]


def _found(read: Structure, lines: Lines) -> list[Found]:
    offsets = lines.offsets
    return [Found(offsets[line], offsets[line + definition.lines], definition) for line, definition in read.definitions]
