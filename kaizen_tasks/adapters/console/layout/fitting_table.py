"""A table that fits the terminal: it leaves out what matters least, and becomes a list where that is not enough."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.box import Box
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from kaizen_tasks.adapters.console.layout.wrapped_text import wrap_words
from kaizen_tasks.domain.text.printable import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

HEAD_RULE = Box("    \n    \n ── \n" + "    \n" * 5, ascii=True)
"""A line below the heading and no others; `SafeConsole` draws it in ASCII where the encoding needs that."""

FOLDED_COLUMNS = ("key", "value")
"""Whose cells may be of any length."""

OPTIONAL_COLUMNS = ("a week", "digest", "commit", "took", "changed", "image", "actor")
"""What is left out of a table that is wider than the terminal, in this order."""

TITLE_COLUMNS = ("", "when (UTC)", "environment", "stage")
"""What an item of the list begins with; the other cells are below it, each with the name of its column."""

PLAIN_WIDTH = 100  # columns of tables with cells of any length when the output is not a terminal
UNLIMITED = sys.maxsize
MARK_WIDTH = 3  # columns of the marks before the name of an environment


class FittingTable(Table):
    """A table whose cells have one line each, except those that may be of any length.

    In a log it is as wide as it has to be: a log has no width, and programs that read it need every column.

    Args:
        columns: their names.

    Attributes:
        remarks: texts that are shown below some rows, by the position of the row.
    """

    def __init__(self, *columns: str) -> None:
        super().__init__(box=HEAD_RULE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        self.remarks: dict[int, str] = {}
        self.is_folded = any(column in FOLDED_COLUMNS for column in columns)
        for column in columns:
            is_whole = not self.is_folded or column in {"", "environment", "written"}
            self.add_column(column, overflow="fold", no_wrap=is_whole)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines of the table."""
        yield from self.lines(console)

    def lines(self, console: Console) -> Iterator[Text]:
        """Yield the lines of the table or, where it does not fit, of a list; words that are too long stay whole."""
        width, options = output_width(console), console.options
        if self.is_folded:
            yield from self._rows(self, console, options.update(max_width=min(width, console.width)))
            return
        for table in self._narrower_tables():
            needed = Measurement.get(console, options.update(max_width=UNLIMITED), table).maximum
            if needed <= width:
                yield from self._rows(table, console, options.update(max_width=max(needed, 1)))
                return
        yield from self._items(width)

    def _narrower_tables(self) -> Iterator[FittingTable]:
        """Yield this table, and then others that lack more and more of the optional columns."""
        table = copy(self)
        yield table
        for name in OPTIONAL_COLUMNS:
            rest = [column for column in table.columns if column.header != name]
            if len(rest) < len(table.columns):
                table = copy(table)
                table.columns = [replace(column, _index=index) for index, column in enumerate(rest)]
                yield table

    def _rows(self, table: Table, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Yield the lines of a table, without blanks at their ends, and each remark below its row."""
        lines = console.render_lines(_Rendered(table), options.update(no_wrap=True, overflow="ignore"), pad=False)
        for number, segments in enumerate(lines):
            line = Text.assemble(*((text, style or "") for text, style, _ in segments))
            line.rstrip()
            yield _unbroken(line)
            yield from self._remark(number - len(("head", "rule")), output_width(console))

    def _items(self, width: int) -> Iterator[Text]:
        """Yield the lines of a list: for each row its title, and below it all other cells."""
        cells = [[*column.cells] for column in self.columns]
        names = [str(column.header) for column in self.columns]
        for index in range(self.row_count):
            row = [(name, column[index]) for name, column in zip(names, cells, strict=True)]
            title = [
                cell if isinstance(cell, Text) else Text(printable(str(cell)))
                for name, cell in row
                if name in TITLE_COLUMNS
            ]
            yield from _title_lines([text for text in title if text.plain.strip()], width)
            others = [f"{name} {cell}" for name, cell in row if name not in TITLE_COLUMNS and str(cell)]
            for line in wrap_words(f"    {printable(', '.join(others))}", width, indent=""):
                yield _unbroken(Text(line))
            yield from self._remark(index, width)

    def _remark(self, index: int, width: int) -> Iterator[Text]:
        if remark := self.remarks.get(index):
            lines = wrap_words(f"    {printable(remark)}", width)
            yield from (_unbroken(Text(line)) for line in lines)


class _Rendered:
    """A table as rich draws it, and not as `FittingTable` does."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the segments of the table."""
        yield from Table.__rich_console__(self._table, console, options)


def _title_lines(cells: list[Text], width: int) -> Iterator[Text]:
    """Yield the title of an item in one line or, where that is too wide, each further cell in a line of its own."""
    line = Text("  ").join(cells)
    if line.cell_len <= width:
        yield _unbroken(line)
        return
    mark_count = 1 if cells[0].cell_len <= MARK_WIDTH else 0
    first, rest = cells[: mark_count + 1], cells[mark_count + 1 :]
    yield _unbroken(Text("  ").join(first))
    yield from (_unbroken(Text.assemble("  ", cell)) for cell in rest)


def output_width(console: Console) -> int:
    """Return the columns that lines may have: those of the terminal, or that `COLUMNS` says; else any number."""
    if console.is_terminal or os.environ.get("COLUMNS", "").isdigit():
        return console.width
    return UNLIMITED


def _unbroken(text: Text) -> Text:
    """Return a line that is left to the terminal to wrap."""
    text.no_wrap, text.overflow = True, "ignore"
    return text
