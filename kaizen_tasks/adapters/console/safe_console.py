"""The console that tables and progress are printed with."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from shutil import get_terminal_size
from typing import IO, TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from kaizen_tasks.domain.text.printable import disarm_commands, printable, printable_lines

if TYPE_CHECKING:
    from rich.text import Text

ASCII_SYMBOLS = str.maketrans("✓✗·→»…─", "+x->>.-")
"""What stands for a symbol where the encoding of the output lacks it."""


class SafeConsole(Console):
    """A console that prints no control characters but its own, interprets no markup, and obeys `NO_COLOR`.

    Where its output is a log, no text of others is a command to a CI service.

    Args:
        stream: where to print; None for stdout.
        width: columns; None for the terminal's.
    """

    def __init__(self, stream: IO[str] | None = None, *, width: int | None = None) -> None:
        super().__init__(file=stream, width=width, highlight=False, markup=False, emoji=False)
        if width is None and self.is_dumb_terminal:  # for which rich assumes eighty
            self.width = get_terminal_size().columns

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text of one line without control characters: a column is as wide as what is printed in it."""
        return super().render_str(printable(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield what is printed of a renderable, with question marks for control characters in its texts."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            shown_text = text if self.encoding.startswith("utf") else text.translate(ASCII_SYMBOLS)
            safe_text = printable_lines(shown_text)
            harmless_text = safe_text if self.is_terminal else disarm_commands(safe_text)
            yield segment if control else Segment(harmless_text, None if self.no_color else style)


def report_console(log_width: int) -> SafeConsole:
    """Return a console for stdout.

    Args:
        log_width: columns in a log where `COLUMNS` does not say how wide lines may be.
    """
    return SafeConsole(width=None if has_width() else log_width)


def has_width() -> bool:
    """Return whether lines on stdout have a width: that of the terminal, or in a log what `COLUMNS` says."""
    return sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
