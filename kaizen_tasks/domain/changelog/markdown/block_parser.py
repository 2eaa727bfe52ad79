"""The block structure of CommonMark: where headings, lists, code, HTML and definitions begin and end.

A line that looks like a heading is none inside a fence, a comment or a list item, so the rules are followed
to the letter, in the order and with the conditions of markdown-it, which is also the oracle of the tests.
Specification: https://spec.commonmark.org/0.31.2/#appendix-a-parsing-strategy
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.links.reference_definitions import WHITESPACE, read_definition
from kaizen_tasks.domain.changelog.markdown.block_types import Block, Item, Structure
from kaizen_tasks.domain.changelog.render.html_blocks import HtmlEnd, html_end
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaizen_tasks.domain.changelog.links.reference_definitions import Definition

MAX_DEPTH = 60
"""Containers in containers; each costs a few frames of Python's stack."""

_ATX = re.compile(r"(#{1,6})(?=[ \t]|$)")
_ATX_CLOSING = re.compile(r"(?:^|[ \t]+)#+$")
_BULLET = re.compile(r"[-+*](?=[ \t]|$)")
_FENCE = re.compile(r"(`{3,})(?=[^`]*$)|(~{3,})")
_OPENERS = frozenset("`~>*-_+0123456789[<#")
"""What a block other than text can begin with."""
_NUMBERED = re.compile(r"(\d{1,9})[.)](?=[ \t]|$)", re.ASCII)
_RULE = re.compile(r"([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_UNDERLINE = re.compile(r"(?:(=+)|-+)[ \t]*$")


def structure(lines: Sequence[str]) -> Structure:
    """Read the blocks of lines without their endings.

    Raises:
        Refused: containers are nested deeper than `MAX_DEPTH`.
    """
    reader = _Reader(lines)
    reader.read(0, len(lines))
    return Structure(blocks=tuple(reader.blocks), definitions=tuple(reader.definitions))


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


class _Reader:
    """The state of one reading; containers change what their lines look like and restore it afterwards.

    `at` is the position of a line's first character that is no space, `width` its column relative to the
    container (-1: a lazy continuation), `tabs` the columns by which tabs are displaced inside a quotation.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = [*lines, ""]
        measured = [_measure(line) for line in self.lines]
        self.at = [position for position, _ in measured]
        self.width = [column for _, column in measured]
        self.tabs = [0] * len(self.lines)
        self.last = len(lines)
        self.indent = 0
        self.list_indent = -1
        self.depth = 0
        self.blocks: list[Block] = []
        self.definitions: list[tuple[int, Definition]] = []
        self.rules: tuple[Callable[[int, int], Block | None], ...] = (
            self._code,
            self._fence,
            self._quote,
            self._rule,
            self._list,
            self._definition,
            self._html,
            self._heading,
            self._underlined,
        )

    def read(self, line: int, end: int) -> int:
        """Read blocks from `line` until `end` or until the container closes; return where that is."""
        while line < end:
            line = self._skip_empty(line)
            if line >= end or self.width[line] < self.indent:
                break
            block = self._block(line, end)
            if not self.depth:
                self.blocks.append(block)
            line = block.end
            if line < end and self._is_empty(line):
                line += 1
        return line

    def _block(self, line: int, end: int) -> Block:
        for rule in self.rules if self._is_code(line) or self._first(line) in _OPENERS else (self._underlined,):
            block = rule(line, end)
            if block:
                return block
        return self._paragraph(line)

    def _nested(self, line: int, end: int) -> int:
        if self.depth >= MAX_DEPTH:
            raise Refused(
                f"the changelog nests lists or quotations deeper than {MAX_DEPTH} levels",
                hint=f"look at the line that reads {self.lines[line][:40]!r}",
            )
        self.depth += 1
        stop = self.read(line, end)
        self.depth -= 1
        return stop

    def _is_code(self, line: int) -> bool:
        return self.width[line] - self.indent >= 4

    def _is_empty(self, line: int) -> bool:
        return self.at[line] >= len(self.lines[line])

    def _first(self, line: int) -> str:
        return self.lines[line][self.at[line] : self.at[line] + 1]

    def _skip_empty(self, line: int) -> int:
        while line < self.last and self._is_empty(line):
            line += 1
        return line

    def _found(self, pattern: re.Pattern[str], line: int) -> re.Match[str] | None:
        return None if self._is_code(line) else pattern.match(self.lines[line], self.at[line])

    def _opens_quote(self, line: int) -> bool:
        return not self._is_code(line) and self.lines[line].startswith(">", self.at[line])

    def _opens_html(self, line: int) -> HtmlEnd | None:
        if self._is_code(line) or not self.lines[line].startswith("<", self.at[line]):
            return None
        return html_end(self.lines[line][self.at[line] :])

    def _interrupts_list(self, line: int) -> bool:
        return bool(
            self._found(_FENCE, line) or self._opens_quote(line) or self._found(_RULE, line),
        )

    def _interrupts(self, line: int, *, paragraph: bool) -> bool:
        """Tell whether a line ends the text above it; `paragraph` makes lists need a good reason."""
        if self._first(line) not in _OPENERS:
            return False
        if self._interrupts_list(line) or self._list_marker(line, paragraph=paragraph) >= 0:
            return True
        html = self._opens_html(line)
        return bool(html and html.interrupts) or bool(self._found(_ATX, line))

    def _continues(self, line: int) -> bool:
        """Tell whether a line goes on with the paragraph above it."""
        if self._is_empty(line):
            return False
        lazy = self.width[line] - self.indent > 3 or self.width[line] < 0
        return lazy or not self._interrupts(line, paragraph=True)

    def _code(self, start: int, end: int) -> Block | None:
        if not self._is_code(start):
            return None
        line = last = start + 1
        while line < end and (self._is_empty(line) or self._is_code(line)):
            line += 1
            if not self._is_empty(line - 1):
                last = line
        return Block(kind="code", first=start, end=last)

    def _fence(self, start: int, end: int) -> Block | None:
        opening = self._found(_FENCE, start)
        if not opening:
            return None
        fence = opening.group(1) or opening.group(2)
        closing = re.compile(re.escape(fence) + fence[0] + r"*[ \t]*$")
        for line in range(start + 1, end):
            if not self._is_empty(line) and self.width[line] < self.indent:
                return Block(kind="fence", first=start, end=line)
            if self._found(closing, line):
                return Block(kind="fence", first=start, end=line + 1)
        return Block(kind="fence", first=start, end=max(start + 1, end), closed=False)

    def _quote(self, start: int, end: int) -> Block | None:
        if not self._opens_quote(start):
            return None
        saved: list[tuple[int, int, int]] = []
        indent, last = self.indent, self.last
        stop = self._enter_quote(start, end, saved)
        self.indent = 0
        stop = self._nested(start, stop)
        self.indent, self.last = indent, last
        for line, (at, width, tabs) in enumerate(saved, start):
            self.at[line], self.width[line], self.tabs[line] = at, width, tabs
        return Block(kind="quote", first=start, end=stop)

    def _enter_quote(self, start: int, end: int, saved: list[tuple[int, int, int]]) -> int:
        """Take the marker off every line of a quotation, noting in `saved` how the lines were."""
        blank = False
        for line in range(start, end):
            if self._is_empty(line):
                return line
            before = self.at[line], self.width[line], self.tabs[line]
            if self.lines[line][self.at[line]] == ">" and self.width[line] >= self.indent:
                blank = self._strip_quote_marker(line)
            elif blank:
                return line
            elif self._interrupts(line, paragraph=False):
                self.last = line
                if self.indent:
                    saved.append(before)
                    self.width[line] -= self.indent
                return line
            else:
                self.width[line] = -1
            saved.append(before)
        return end

    def _strip_quote_marker(self, line: int) -> bool:
        """Move a line's start behind its `>`, one space included; tell whether nothing is left."""
        text, position = self.lines[line], self.at[line] + 1
        initial = column = self.width[line] + 1
        follower = text[position : position + 1]
        kept_tab = follower == "\t" and (self.tabs[line] + column) % 4 != 3
        if follower in {" ", "\t"} and not kept_tab:
            position, initial, column = position + 1, initial + 1, column + 1
        while position < len(text) and text[position] in " \t":
            displaced = column + self.tabs[line] + kept_tab
            column += 4 - displaced % 4 if text[position] == "\t" else 1
            position += 1
        self.tabs[line] = self.width[line] + 1 + (follower in {" ", "\t"})
        self.at[line], self.width[line] = position, column - initial
        return position >= len(text)

    def _rule(self, start: int, _end: int) -> Block | None:
        return Block(kind="rule", first=start, end=start + 1) if self._found(_RULE, start) else None

    def _list_marker(self, line: int, *, paragraph: bool) -> int:
        """Return the position behind a list marker, or -1."""
        detached = self.list_indent >= 0 and self.width[line] - self.list_indent >= 4
        if self._is_code(line) or (detached and self.width[line] < self.indent):
            return -1
        marker = self._marker(line)
        if not marker:
            return -1
        if paragraph and self.width[line] >= self.indent:
            numbered = marker.re is _NUMBERED and int(marker.group(1)) != 1
            if numbered or not self.lines[line][marker.end() :].strip(" \t"):
                return -1
        return marker.end()

    def _marker(self, line: int) -> re.Match[str] | None:
        text, at = self.lines[line], self.at[line]
        return _NUMBERED.match(text, at) or _BULLET.match(text, at)

    def _list(self, start: int, end: int) -> Block | None:
        after = self._list_marker(start, paragraph=False)
        if after < 0:
            return None
        style = self.lines[start][after - 1]
        items = []
        line = start
        while after > 0:
            items.append(self._item(line, after, end))
            line = items[-1].end
            after = self._next_item(line, end, style)
        return Block(kind="list", first=start, end=line, items=tuple(items))

    def _next_item(self, line: int, end: int, style: str) -> int:
        """Return the position behind the marker of the next item of the same list, or -1."""
        if line >= end or self.width[line] < self.indent or self._is_code(line):
            return -1
        marker = None if self._interrupts_list(line) else self._marker(line)
        return marker.end() if marker and marker.group()[-1] == style else -1

    def _item(self, line: int, after: int, end: int) -> Item:
        text = self.lines[line]
        initial = column = self.width[line] + after - self.at[line]
        position = after
        while position < len(text) and text[position] in " \t":
            column += 4 - (column + self.tabs[line]) % 4 if text[position] == "\t" else 1
            position += 1
        empty = position >= len(text)
        gap = 1 if empty or column - initial > 4 else column - initial
        stop = self._item_end(line, end, position=position, column=column, indent=initial + gap)
        start = position if gap == column - initial or empty else after + 1
        return Item(first=line, end=stop, column=start, indent=initial + gap)

    def _item_end(self, line: int, end: int, *, position: int, column: int, indent: int) -> int:
        if position >= len(self.lines[line]) and self._is_empty(line + 1):
            return min(line + 2, end)
        saved = self.at[line], self.width[line], self.indent, self.list_indent
        self.list_indent, self.indent = self.indent, indent
        self.at[line], self.width[line] = position, column
        stop = self._nested(line, end)
        self.at[line], self.width[line], self.indent, self.list_indent = saved
        return stop

    def _definition(self, start: int, _end: int) -> Block | None:
        if self._is_code(start) or not self.lines[start].startswith("[", self.at[start]):
            return None
        definition = read_definition(lambda line: self._definition_line(start, start + line))
        if not definition:
            return None
        self.definitions.append((start, definition))
        return Block(kind="definition", first=start, end=start + definition.lines)

    def _definition_line(self, start: int, line: int) -> str | None:
        if line > start and (line >= self.last or not self._may_continue_definition(line)):
            return None
        return self.lines[line][self.at[line] :] + "\n"

    def _may_continue_definition(self, line: int) -> bool:
        if self._is_empty(line):
            return False
        lazy = self._is_code(line) or self.width[line] < 0
        return lazy or not self._interrupts(line, paragraph=False)

    def _html(self, start: int, end: int) -> Block | None:
        html = self._opens_html(start)
        if not html:
            return None
        if html.at_blank or not html.found(self.lines[start][self.at[start] :]):
            return self._html_from(start, end, html)
        return Block(kind="html", first=start, end=start + 1)

    def _html_from(self, start: int, end: int, html: HtmlEnd) -> Block:
        for line in range(start + 1, end):
            empty = self._is_empty(line)
            if self.width[line] < self.indent and (html.at_blank or not empty):
                return Block(kind="html", first=start, end=line)
            if html.found(self.lines[line][self.at[line] :]):
                return Block(kind="html", first=start, end=line if empty else line + 1)
        return Block(kind="html", first=start, end=max(start + 1, end), closed=False)

    def _heading(self, start: int, _end: int) -> Block | None:
        marks = self._found(_ATX, start)
        if not marks:
            return None
        return Block(kind="heading", first=start, end=start + 1, level=len(marks.group()), text=atx_text(marks))

    def _underlined(self, start: int, end: int) -> Block | None:
        line = start + 1
        while line < end and not self._is_empty(line):
            reachable = self.indent <= self.width[line] <= self.indent + 3
            underline = self._found(_UNDERLINE, line) if reachable else None
            if underline:
                text = "\n".join(self.lines[start:line]).strip(WHITESPACE)
                level = 1 if underline.group(1) else 2
                return Block(kind="heading", first=start, end=line + 1, level=level, text=text)
            if not self._continues(line):
                break
            line += 1
        return None

    def _paragraph(self, start: int) -> Block:
        line = start + 1
        while line < self.last and self._continues(line):
            line += 1
        return Block(kind="paragraph", first=start, end=line)


def atx_text(marks: re.Match[str]) -> str:
    """Return the text of a heading whose opening number signs were matched, without the closing ones."""
    return _ATX_CLOSING.sub("", marks.string[marks.end() :].rstrip(" \t")).strip(WHITESPACE)
