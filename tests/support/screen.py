"""A terminal of a given size, whose screen is compared with an approved one."""

from __future__ import annotations

import io
import os
import re
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pyte

if TYPE_CHECKING:
    from collections.abc import Iterator

APPROVED = Path(__file__).parents[1] / "approved_screens"
REWRITE_VARIABLE = "KAIZEN_TEST_APPROVE"
"""Set it to write the screens of a run as the approved ones; then read the difference before you commit it."""

SPINNER_FRAMES = re.compile("[\N{BRAILLE PATTERN BLANK}-\N{BRAILLE PATTERN DOTS-12345678}]")


class Screen(io.StringIO):
    """A terminal that interprets what is written to it.

    Args:
        columns: width.
        rows: height.
    """

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__()
        self.columns, self.rows = columns, rows
        self._screen = pyte.HistoryScreen(columns, rows, history=1000, ratio=1)
        self._stream = pyte.Stream(self._screen)

    def isatty(self) -> bool:
        """Return whether it is a terminal, which it is."""
        return True

    def write(self, text: str, /) -> int:
        """Interpret a text; a line feed begins a line, as the driver of a terminal makes it."""
        self._stream.feed(text.replace("\n", "\r\n"))
        return len(text)

    @contextmanager
    def as_output(self) -> Iterator[None]:
        """Let this process print on the terminal while the context lasts."""
        size = {"COLUMNS": str(self.columns), "LINES": str(self.rows)}
        environ = {"TERM": "xterm-256color", "CI": "", "NO_COLOR": "", **size}
        with patch.dict(os.environ, environ), redirect_stdout(self), redirect_stderr(self):
            os.environ.pop("FORCE_COLOR", None)
            yield

    def clear(self) -> None:
        """Begin with an empty screen."""
        self._screen.reset()

    @property
    def lines(self) -> list[str]:
        """What is on the screen and above it, without empty lines at the end, and with a star for each spinner."""
        above = ["".join(line[column].data for column in range(self.columns)) for line in self._screen.history.top]
        text = "\n".join(line.rstrip() for line in (*above, *self._screen.display)).rstrip()
        return SPINNER_FRAMES.sub("*", text).split("\n")


def require_approved(screen: Screen, name: str) -> None:
    """Compare a screen with the approved one of this name and size.

    Raises:
        AssertionError: they differ.
    """
    path = APPROVED / f"{name}-{screen.columns}x{screen.rows}.txt"
    text = "\n".join(screen.lines) + "\n"
    if os.environ.get(REWRITE_VARIABLE):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path} differs; {REWRITE_VARIABLE}=1 writes it anew"
