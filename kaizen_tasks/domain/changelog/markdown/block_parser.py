"""The block structure of CommonMark: where headings, lists, code, HTML and definitions begin and end.

A line that looks like a heading is none inside a fence, a comment or a list item, so the rules are followed
to the letter, in the order and with the conditions of markdown-it, which is also the oracle of the tests.
Specification: https://spec.commonmark.org/0.31.2/#appendix-a-parsing-strategy
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.links.reference_definitions import WHITESPACE, parse_definition
from kaizen_tasks.domain.changelog.markdown.block_types import Block, BlockStructure, ListItem
from kaizen_tasks.domain.changelog.render.html_blocks import HtmlBlockEnd, find_html_block_end
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaizen_tasks.domain.changelog.links.reference_definitions import ReferenceDefinition

MAX_NESTING_DEPTH = 60
"""Containers in containers; each costs a few frames of Python's stack."""

_ATX_OPENING = re.compile(r"(#{1,6})(?=[ \t]|$)")
_ATX_CLOSING = re.compile(r"(?:^|[ \t]+)#+$")
_BULLET_MARKER = re.compile(r"[-+*](?=[ \t]|$)")
_FENCE = re.compile(r"(`{3,})(?=[^`]*$)|(~{3,})")
_BLOCK_OPENERS = frozenset("`~>*-_+0123456789[<#")
"""What a block other than text can begin with."""
_ORDERED_MARKER = re.compile(r"(\d{1,9})[.)](?=[ \t]|$)", re.ASCII)
_THEMATIC_BREAK = re.compile(r"([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_SETEXT_UNDERLINE = re.compile(r"(?:(=+)|-+)[ \t]*$")


def parse_blocks(lines: Sequence[str]) -> BlockStructure:
    """Read the blocks of lines without their endings.

    Raises:
        Refused: containers are nested deeper than `MAX_DEPTH`.
    """
    parser = _BlockParser(lines)
    parser.parse(0, len(lines))
    return BlockStructure(blocks=tuple(parser.blocks), definitions=tuple(parser.definitions))


def _measure(line: str) -> tuple[int, int]:
    """Find the first character that is no space, as position and as column (tabs reach the next fourth)."""
    column = 0
    for position, character in enumerate(line):
        if character == " ":
            column += 1
        elif character == "\t":
            column += 4 - column % 4
        else:
            return position, column
    return len(line), column


class _BlockParser:
    """The state of one reading; containers change what their lines look like and restore it afterwards.

    `text_starts` is the position of a line's first character that is no space, `columns` its column relative to the
    container (-1: a lazy continuation), `tab_offsets` the columns by which tabs are displaced inside a quotation.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = [*lines, ""]
        measurements = [_measure(line) for line in self.lines]
        self.text_starts = [position for position, _ in measurements]
        self.columns = [column for _, column in measurements]
        self.tab_offsets = [0] * len(self.lines)
        self.line_limit = len(lines)
        self.indent = 0
        self.list_indent = -1
        self.depth = 0
        self.blocks: list[Block] = []
        self.definitions: list[tuple[int, ReferenceDefinition]] = []
        self.block_rules: tuple[Callable[[int, int], Block | None], ...] = (
            self._indented_code,
            self._fenced_code,
            self._block_quote,
            self._thematic_break,
            self._list,
            self._definition,
            self._html,
            self._atx_heading,
            self._setext_heading,
        )

    def parse(self, line: int, end: int) -> int:
        """Read blocks from `line` until `end` or until the container closes; return where that is."""
        while line < end:
            line = self._skip_blank_lines(line)
            if line >= end or self.columns[line] < self.indent:
                break
            block = self._parse_block(line, end)
            if not self.depth:
                self.blocks.append(block)
            line = block.end_line
            if line < end and self._is_blank(line):
                line += 1
        return line

    def _parse_block(self, line: int, end: int) -> Block:
        for parse_rule in (
            self.block_rules
            if self._is_indented_code(line) or self._first_character(line) in _BLOCK_OPENERS
            else (self._setext_heading,)
        ):
            block = parse_rule(line, end)
            if block:
                return block
        return self._paragraph(line)

    def _parse_nested(self, line: int, end: int) -> int:
        if self.depth >= MAX_NESTING_DEPTH:
            raise Refused(
                f"the changelog nests lists or quotations deeper than {MAX_NESTING_DEPTH} levels",
                hint=f"look at the line that reads {self.lines[line][:40]!r}",
            )
        self.depth += 1
        end_line = self.parse(line, end)
        self.depth -= 1
        return end_line

    def _is_indented_code(self, line: int) -> bool:
        return self.columns[line] - self.indent >= 4

    def _is_blank(self, line: int) -> bool:
        return self.text_starts[line] >= len(self.lines[line])

    def _first_character(self, line: int) -> str:
        return self.lines[line][self.text_starts[line] : self.text_starts[line] + 1]

    def _skip_blank_lines(self, line: int) -> int:
        while line < self.line_limit and self._is_blank(line):
            line += 1
        return line

    def _match(self, pattern: re.Pattern[str], line: int) -> re.Match[str] | None:
        return None if self._is_indented_code(line) else pattern.match(self.lines[line], self.text_starts[line])

    def _opens_quote(self, line: int) -> bool:
        return not self._is_indented_code(line) and self.lines[line].startswith(">", self.text_starts[line])

    def _opens_html(self, line: int) -> HtmlBlockEnd | None:
        if self._is_indented_code(line) or not self.lines[line].startswith("<", self.text_starts[line]):
            return None
        return find_html_block_end(self.lines[line][self.text_starts[line] :])

    def _interrupts_list(self, line: int) -> bool:
        return bool(
            self._match(_FENCE, line) or self._opens_quote(line) or self._match(_THEMATIC_BREAK, line),
        )

    def _interrupts(self, line: int, *, in_paragraph: bool) -> bool:
        """Tell whether a line ends the text above it; `in_paragraph` makes lists need a good reason."""
        if self._first_character(line) not in _BLOCK_OPENERS:
            return False
        if self._interrupts_list(line) or self._list_marker(line, in_paragraph=in_paragraph) >= 0:
            return True
        html = self._opens_html(line)
        return bool(html and html.can_interrupt_paragraph) or bool(self._match(_ATX_OPENING, line))

    def _continues(self, line: int) -> bool:
        """Tell whether a line goes on with the paragraph above it."""
        if self._is_blank(line):
            return False
        is_lazy = self.columns[line] - self.indent > 3 or self.columns[line] < 0
        return is_lazy or not self._interrupts(line, in_paragraph=True)

    def _indented_code(self, start: int, end: int) -> Block | None:
        if not self._is_indented_code(start):
            return None
        line = content_end = start + 1
        while line < end and (self._is_blank(line) or self._is_indented_code(line)):
            line += 1
            if not self._is_blank(line - 1):
                content_end = line
        return Block(kind="code", first_line=start, end_line=content_end)

    def _fenced_code(self, start: int, end: int) -> Block | None:
        opening = self._match(_FENCE, start)
        if not opening:
            return None
        fence = opening.group(1) or opening.group(2)
        closing = re.compile(re.escape(fence) + fence[0] + r"*[ \t]*$")
        for line in range(start + 1, end):
            if not self._is_blank(line) and self.columns[line] < self.indent:
                return Block(kind="fence", first_line=start, end_line=line)
            if self._match(closing, line):
                return Block(kind="fence", first_line=start, end_line=line + 1)
        return Block(kind="fence", first_line=start, end_line=max(start + 1, end), is_closed=False)

    def _block_quote(self, start: int, end: int) -> Block | None:
        if not self._opens_quote(start):
            return None
        saved_lines: list[tuple[int, int, int]] = []
        indent, line_limit = self.indent, self.line_limit
        quote_end = self._enter_quote(start, end, saved_lines)
        self.indent = 0
        quote_end = self._parse_nested(start, quote_end)
        self.indent, self.line_limit = indent, line_limit
        for line, (text_start, column, tab_offset) in enumerate(saved_lines, start):
            self.text_starts[line], self.columns[line], self.tab_offsets[line] = text_start, column, tab_offset
        return Block(kind="quote", first_line=start, end_line=quote_end)

    def _enter_quote(self, start: int, end: int, saved_lines: list[tuple[int, int, int]]) -> int:
        """Take the marker off every line of a quotation, noting in `saved_lines` how the lines were."""
        is_blank_quote = False
        for line in range(start, end):
            if self._is_blank(line):
                return line
            line_state = self.text_starts[line], self.columns[line], self.tab_offsets[line]
            if self.lines[line][self.text_starts[line]] == ">" and self.columns[line] >= self.indent:
                is_blank_quote = self._strip_quote_marker(line)
            elif is_blank_quote:
                return line
            elif self._interrupts(line, in_paragraph=False):
                self.line_limit = line
                if self.indent:
                    saved_lines.append(line_state)
                    self.columns[line] -= self.indent
                return line
            else:
                self.columns[line] = -1
            saved_lines.append(line_state)
        return end

    def _strip_quote_marker(self, line: int) -> bool:
        """Move a line's start behind its `>`, one space included; tell whether nothing is left."""
        text, position = self.lines[line], self.text_starts[line] + 1
        content_column = column = self.columns[line] + 1
        next_character = text[position : position + 1]
        keeps_tab = next_character == "\t" and (self.tab_offsets[line] + column) % 4 != 3
        if next_character in {" ", "\t"} and not keeps_tab:
            position, content_column, column = position + 1, content_column + 1, column + 1
        while position < len(text) and text[position] in " \t":
            tab_column = column + self.tab_offsets[line] + keeps_tab
            column += 4 - tab_column % 4 if text[position] == "\t" else 1
            position += 1
        self.tab_offsets[line] = self.columns[line] + 1 + (next_character in {" ", "\t"})
        self.text_starts[line], self.columns[line] = position, column - content_column
        return position >= len(text)

    def _thematic_break(self, start: int, _end: int) -> Block | None:
        return Block(kind="rule", first_line=start, end_line=start + 1) if self._match(_THEMATIC_BREAK, start) else None

    def _list_marker(self, line: int, *, in_paragraph: bool) -> int:
        """Return the position behind a list marker, or -1."""
        is_detached = self.list_indent >= 0 and self.columns[line] - self.list_indent >= 4
        if self._is_indented_code(line) or (is_detached and self.columns[line] < self.indent):
            return -1
        marker = self._marker(line)
        if not marker:
            return -1
        if in_paragraph and self.columns[line] >= self.indent:
            starts_above_one = marker.re is _ORDERED_MARKER and int(marker.group(1)) != 1
            if starts_above_one or not self.lines[line][marker.end() :].strip(" \t"):
                return -1
        return marker.end()

    def _marker(self, line: int) -> re.Match[str] | None:
        text, text_start = self.lines[line], self.text_starts[line]
        return _ORDERED_MARKER.match(text, text_start) or _BULLET_MARKER.match(text, text_start)

    def _list(self, start: int, end: int) -> Block | None:
        marker_end = self._list_marker(start, in_paragraph=False)
        if marker_end < 0:
            return None
        delimiter = self.lines[start][marker_end - 1]
        items = []
        line = start
        while marker_end > 0:
            items.append(self._item(line, marker_end, end))
            line = items[-1].end_line
            marker_end = self._next_item(line, end, delimiter)
        return Block(kind="list", first_line=start, end_line=line, items=tuple(items))

    def _next_item(self, line: int, end: int, delimiter: str) -> int:
        """Return the position behind the marker of the next item of the same list, or -1."""
        if line >= end or self.columns[line] < self.indent or self._is_indented_code(line):
            return -1
        marker = None if self._interrupts_list(line) else self._marker(line)
        return marker.end() if marker and marker.group()[-1] == delimiter else -1

    def _item(self, line: int, marker_end: int, end: int) -> ListItem:
        text = self.lines[line]
        marker_column = column = self.columns[line] + marker_end - self.text_starts[line]
        position = marker_end
        while position < len(text) and text[position] in " \t":
            column += 4 - (column + self.tab_offsets[line]) % 4 if text[position] == "\t" else 1
            position += 1
        is_blank = position >= len(text)
        padding = 1 if is_blank or column - marker_column > 4 else column - marker_column
        item_end = self._item_end(line, end, position=position, column=column, indent=marker_column + padding)
        content_start = position if padding == column - marker_column or is_blank else marker_end + 1
        return ListItem(
            first_line=line, end_line=item_end, content_column=content_start, indent=marker_column + padding
        )

    def _item_end(self, line: int, end: int, *, position: int, column: int, indent: int) -> int:
        if position >= len(self.lines[line]) and self._is_blank(line + 1):
            return min(line + 2, end)
        saved_state = self.text_starts[line], self.columns[line], self.indent, self.list_indent
        self.list_indent, self.indent = self.indent, indent
        self.text_starts[line], self.columns[line] = position, column
        end_line = self._parse_nested(line, end)
        self.text_starts[line], self.columns[line], self.indent, self.list_indent = saved_state
        return end_line

    def _definition(self, start: int, _end: int) -> Block | None:
        if self._is_indented_code(start) or not self.lines[start].startswith("[", self.text_starts[start]):
            return None
        definition = parse_definition(lambda line: self._definition_line(start, start + line))
        if not definition:
            return None
        self.definitions.append((start, definition))
        return Block(kind="definition", first_line=start, end_line=start + definition.line_count)

    def _definition_line(self, start: int, line: int) -> str | None:
        if line > start and (line >= self.line_limit or not self._may_continue_definition(line)):
            return None
        return self.lines[line][self.text_starts[line] :] + "\n"

    def _may_continue_definition(self, line: int) -> bool:
        if self._is_blank(line):
            return False
        is_lazy = self._is_indented_code(line) or self.columns[line] < 0
        return is_lazy or not self._interrupts(line, in_paragraph=False)

    def _html(self, start: int, end: int) -> Block | None:
        html_end_rule = self._opens_html(start)
        if not html_end_rule:
            return None
        if html_end_rule.ends_at_blank_line or not html_end_rule.matches_line(
            self.lines[start][self.text_starts[start] :]
        ):
            return self._html_until_end(start, end, html_end_rule)
        return Block(kind="html", first_line=start, end_line=start + 1)

    def _html_until_end(self, start: int, end: int, html_end_rule: HtmlBlockEnd) -> Block:
        for line in range(start + 1, end):
            is_blank = self._is_blank(line)
            if self.columns[line] < self.indent and (html_end_rule.ends_at_blank_line or not is_blank):
                return Block(kind="html", first_line=start, end_line=line)
            if html_end_rule.matches_line(self.lines[line][self.text_starts[line] :]):
                return Block(kind="html", first_line=start, end_line=line if is_blank else line + 1)
        return Block(kind="html", first_line=start, end_line=max(start + 1, end), is_closed=False)

    def _atx_heading(self, start: int, _end: int) -> Block | None:
        opening = self._match(_ATX_OPENING, start)
        if not opening:
            return None
        return Block(
            kind="heading", first_line=start, end_line=start + 1, level=len(opening.group()), text=atx_text(opening)
        )

    def _setext_heading(self, start: int, end: int) -> Block | None:
        line = start + 1
        while line < end and not self._is_blank(line):
            is_in_container = self.indent <= self.columns[line] <= self.indent + 3
            underline = self._match(_SETEXT_UNDERLINE, line) if is_in_container else None
            if underline:
                text = "\n".join(self.lines[start:line]).strip(WHITESPACE)
                level = 1 if underline.group(1) else 2
                return Block(kind="heading", first_line=start, end_line=line + 1, level=level, text=text)
            if not self._continues(line):
                break
            line += 1
        return None

    def _paragraph(self, start: int) -> Block:
        line = start + 1
        while line < self.line_limit and self._continues(line):
            line += 1
        return Block(kind="paragraph", first_line=start, end_line=line)


def atx_text(opening: re.Match[str]) -> str:
    """Return the text of a heading whose opening number signs were matched, without the closing ones."""
    return _ATX_CLOSING.sub("", opening.string[opening.end() :].rstrip(" \t")).strip(WHITESPACE)
