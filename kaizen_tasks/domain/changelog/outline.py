"""The outline of a changelog: its headings of levels 1 and 2, and its link definitions, found by a regular expression.

Fences and HTML blocks can hide a heading in the first column, so parts with signs of them are parsed block by block.
"""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

import attrs

from kaizen_tasks.domain.changelog.markdown.blocks import BlockStructure, parse_blocks
from kaizen_tasks.domain.changelog.markdown.lines import BOM, Lines, has_lone_cr, split_lines

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
          [ ]{0,3}(?: ``` | ~~~ | <(?!!--[^\n]*-->) | (?:=+|-+)[ \t]*(?=\r?(?:\n|\Z)) )
        | [ ]{1,3}\#
        | [ \t>*+\-0-9.)]* \[ (?:[^\]\\\n]|\\[^\n])*+ (?: \]: | \\?(?=\n|\Z) )
        )
    )
    """,
    re.VERBOSE,
)


class HeadingSpan(NamedTuple):
    """Offsets of a heading of level 1 or 2 and of the line below; a tuple, because a file may have thousands."""

    start: int
    body_start: int
    level: int


class DefinitionSpan(NamedTuple):
    """The place of a Markdown link reference definition: the offsets of its lines, and its label as written."""

    start: int
    end: int
    label: str


@attrs.frozen(kw_only=True)
class DefinitionIndex:
    """The places of link definitions: spans that consist of one-line definitions, and definitions found by parsing."""

    plain_spans: tuple[tuple[int, int], ...] = ()
    parsed_spans: tuple[DefinitionSpan, ...] = ()


@attrs.frozen(kw_only=True)
class Outline:
    """The headings and link definitions of a changelog, in the order of the file."""

    headings: tuple[HeadingSpan, ...]
    definitions: DefinitionIndex


def build_outline(content: bytes) -> Outline:
    """Return the headings and link definitions of a UTF-8 text.

    Raises:
        Refused: lists or quotations are nested too deeply.
    """
    outliner = _Outliner(content)
    if has_lone_cr(content):
        outliner.mark_all_doubtful()
    else:
        outliner.scan()
    return outliner.build()


class _Outliner:
    """Divides a text at the headings in the first column, and parses doubtful parts, which may hide headings."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.text_start = len(BOM) if content.startswith(BOM) else 0
        self.parts = [HeadingSpan(self.text_start, self.text_start, 0)]
        self.doubtful_parts: set[int] = set()
        self.plain_spans: dict[int, list[tuple[int, int]]] = {}

    def mark_all_doubtful(self) -> None:
        """Mark the whole text as one doubtful part, so that `build` parses it block by block."""
        self.doubtful_parts.add(0)

    def scan(self) -> None:
        """Divide the text into parts; a line feed before the text makes its first line match like the others."""
        content, text_start, end = self.content, self.text_start, len(self.content)
        shift = text_start - 1
        for match in _LANDMARK.finditer(b"\n" + content[text_start:]):
            kind = match.lastgroup
            if kind == "heading":
                start, stop = match.span()
                level = 2 if content[start + text_start + 1 : start + text_start + 2] == b"#" else 1
                self.parts.append(HeadingSpan(start + text_start, min(stop + text_start, end), level))
            elif kind == "doubtful":
                self.doubtful_parts.add(len(self.parts) - 1)
            else:
                definitions_start, stop = match.span("definitions")
                span = definitions_start + 1 + shift, min(stop + 1 + shift, end)
                self.plain_spans.setdefault(len(self.parts) - 1, []).append(span)

    def build(self) -> Outline:
        """Parse the doubtful parts, and return the outline."""
        headings: list[HeadingSpan] = []
        parsed_spans: list[DefinitionSpan] = []
        parsed_parts: set[int] = set()
        next_part = 1
        for part in sorted(self.doubtful_parts):
            if part in parsed_parts:
                continue
            headings += self.parts[next_part:part]
            next_part = part + self._parse_part(part, headings, parsed_spans)
            parsed_parts.update(range(part, next_part))
        headings += self.parts[next_part:]
        unparsed = (spans for part, spans in self.plain_spans.items() if part not in parsed_parts)
        plain_spans = tuple(itertools.chain.from_iterable(unparsed))
        definitions = DefinitionIndex(plain_spans=plain_spans, parsed_spans=tuple(parsed_spans))
        return Outline(headings=tuple(headings), definitions=definitions)

    def _parse_part(self, part: int, headings: list[HeadingSpan], parsed_spans: list[DefinitionSpan]) -> int:
        """Parse a part, together with the later parts into which its last block extends; return the number of parts.

        The number doubles while a fence or an HTML block may continue, which keeps the total time linear.
        """
        count = 1
        while True:
            following_part = part + count
            end = self.parts[following_part].start if following_part < len(self.parts) else len(self.content)
            lines = split_lines(self.content, self.parts[part].start, end)
            block_structure = parse_blocks(lines.texts)
            if following_part >= len(self.parts) or not block_structure.may_continue:
                break
            count *= 2
        headings += _heading_spans(block_structure, lines)
        parsed_spans += _definition_spans(block_structure, lines)
        return count


def _heading_spans(block_structure: BlockStructure, lines: Lines) -> list[HeadingSpan]:
    offsets = lines.offsets
    headings = (block for block in block_structure.blocks if block.kind == "heading" and block.level <= 2)
    return [HeadingSpan(offsets[block.first_line], offsets[block.end_line], block.level) for block in headings]


def _definition_spans(block_structure: BlockStructure, lines: Lines) -> list[DefinitionSpan]:
    offsets, definitions = lines.offsets, block_structure.definitions
    return [DefinitionSpan(offsets[each.first_line], offsets[each.end_line], each.label) for each in definitions]
