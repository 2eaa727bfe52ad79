"""The outline of a changelog: its headings of levels 1 and 2, and its link definitions, found by regular expressions.

Fences and HTML blocks can hide a heading in the first column, so parts with signs of them are parsed block by block.

The expressions are fast because they begin with a line feed, for which `re` searches quickly, and because each of the
alternatives then begins with one character, which most lines lack.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from operator import itemgetter
from typing import NamedTuple, TypeAlias

import attrs

from kaizen_tasks.domain.changelog.markdown.blocks import BlockStructure, parse_blocks
from kaizen_tasks.domain.changelog.markdown.lines import BOM, Lines, has_lone_cr, split_lines

_HEADING = re.compile(rb"\n##?(?=[ \t\r\n]|\Z)[^\n]*")

_DEFINITION = rb"\n\[[!-Z^-~][^\[\]\\\r\n]*+\]: https?://[^\x00-\x20<>()\\\x7f]++[ \t]*+\r?+"
_DEFINITIONS = _DEFINITION + rb"(?:" + _DEFINITION + rb")*+(?=\n[ \t]*\r?(?:\n|\Z)|\n?\Z)()"
_CODE_OR_HTML = rb"```|~~~|<(?!!--[^\n]*-->)"
_UNDERLINE_END = rb"[ \t]*+(?=\r?(?:\n|\Z))"
_UNCLOSED_LABEL_OR_DEFINITION = rb"\[(?:[^\]\\\n]|\\[^\n])*+(?:\]:|\\?(?=\n|\Z))"
_ALTERNATIVES = (
    _DEFINITIONS,
    rb"[ \t\r][ \t]*+\r?+" + _DEFINITIONS,
    _CODE_OR_HTML,
    rb"==*+" + _UNDERLINE_END,
    rb"--*+" + _UNDERLINE_END,
    rb"[ ] {0,2}+(?:#|" + _CODE_OR_HTML + rb"|(?:=++|-++)" + _UNDERLINE_END + rb")",
    rb"[ \t>*+\-0-9.)][ \t>*+\-0-9.)]*+" + _UNCLOSED_LABEL_OR_DEFINITION,
    _UNCLOSED_LABEL_OR_DEFINITION,
)
_LANDMARK = re.compile(rb"\n(?:" + rb"|".join(_ALTERNATIVES) + rb")")
"""Below a blank line, link definitions of one line each, which set the only group; otherwise a sign of doubt."""

Span: TypeAlias = tuple[int, int]
"""Two offsets. Not a class, because a file may have thousands."""


class DefinitionSpan(NamedTuple):
    """The place of a Markdown link reference definition: the offsets of its lines, and its label as written."""

    start: int
    end: int
    label: str


@attrs.frozen(kw_only=True)
class DefinitionIndex:
    """The places of link definitions: spans that consist of one-line definitions, and definitions found by parsing."""

    plain_spans: tuple[Span, ...] = ()
    parsed_spans: tuple[DefinitionSpan, ...] = ()


class Outline(NamedTuple):
    """The headings of levels 1 and 2, and the link definitions of a changelog, in the order of the file.

    Attributes:
        headings: the offsets of each heading and of the line below it.
        titles: the offsets of the headings of level 1.
        definitions: the link definitions.
    """

    headings: tuple[Span, ...]
    titles: frozenset[int]
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
        self.parts: list[Span] = [(self.text_start, self.text_start)]
        self.doubtful_parts: set[int] = set()
        self.plain_spans: dict[int, list[Span]] = {}
        self.headings: list[Span] = []
        self.titles: set[int] = set()
        self.parsed_spans: list[DefinitionSpan] = []

    def mark_all_doubtful(self) -> None:
        """Mark the whole text as one doubtful part, so that `build` parses it block by block."""
        self.doubtful_parts.add(0)

    def scan(self) -> None:
        """Divide the text into parts; a line feed before the text makes its first line match like the others.

        With it, a match starts at the offset of its line, and ends at that of the line below it.
        """
        content, end = self.content, len(self.content)
        text = b" " * self.text_start + b"\n" + content[self.text_start :]
        self.parts += [match.span() for match in _HEADING.finditer(text)]
        last_start, last_end = self.parts[-1]
        self.parts[-1] = last_start, min(last_end, end)
        for match in _LANDMARK.finditer(text):
            part = bisect_right(self.parts, match.start(), key=itemgetter(0)) - 1
            if match.lastindex:
                span = text.index(b"[", match.start()) - 1, min(match.end(), end)
                self.plain_spans.setdefault(part, []).append(span)
            else:
                self.doubtful_parts.add(part)

    def build(self) -> Outline:
        """Parse the doubtful parts, and return the outline."""
        parsed_parts: set[int] = set()
        next_part = 1
        for part in sorted(self.doubtful_parts):
            if part in parsed_parts:
                continue
            self._keep_headings(next_part, part)
            next_part = part + self._parse_part(part)
            parsed_parts.update(range(part, next_part))
        self._keep_headings(next_part, len(self.parts))
        unparsed = (spans for part, spans in self.plain_spans.items() if part not in parsed_parts)
        plain_spans = tuple(itertools.chain.from_iterable(unparsed))
        return Outline(
            headings=tuple(self.headings),
            titles=frozenset(self.titles),
            definitions=DefinitionIndex(plain_spans=plain_spans, parsed_spans=tuple(self.parsed_spans)),
        )

    def _keep_headings(self, part: int, end_part: int) -> None:
        content, headings = self.content, self.parts[part:end_part]
        self.headings += headings
        self.titles.update([start for start, _ in headings if content[start + 1 : start + 2] != b"#"])

    def _parse_part(self, part: int) -> int:
        """Parse a part, together with the later parts into which its last block extends; return the number of parts.

        The number doubles while a fence or an HTML block may continue, which keeps the total time linear.
        """
        count = 1
        while True:
            following_part = part + count
            end = self.parts[following_part][0] if following_part < len(self.parts) else len(self.content)
            lines = split_lines(self.content, self.parts[part][0], end)
            block_structure = parse_blocks(lines.texts)
            if following_part >= len(self.parts) or not block_structure.may_continue:
                break
            count *= 2
        self._add_blocks(block_structure, lines)
        return count

    def _add_blocks(self, block_structure: BlockStructure, lines: Lines) -> None:
        offsets = lines.offsets
        headings = [block for block in block_structure.blocks if block.kind == "heading" and block.level <= 2]
        self.headings += [(offsets[block.first_line], offsets[block.end_line]) for block in headings]
        self.titles.update([offsets[block.first_line] for block in headings if block.level == 1])
        self.parsed_spans += [
            DefinitionSpan(offsets[each.first_line], offsets[each.end_line], each.label)
            for each in block_structure.definitions
        ]
