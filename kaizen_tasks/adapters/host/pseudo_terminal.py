"""Pseudo-terminals for programs that show their progress on a terminal only."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import termios
import tty
from typing import IO

ROWS, COLUMNS = 24, 200  # enough for programs that shorten their lines

CURSOR_MOVE = rb"\x1b\[[0-9;?]*[A-Za-z]|\r"
"""A control sequence, or a carriage return: https://www.ecma-international.org/publications-and-standards/standards/ecma-48/."""


def open_terminal() -> tuple[IO[bytes], int] | None:
    """Return the two ends of a pseudo-terminal: a file to read the output from, and the descriptor for the program.

    None where there are no pseudo-terminals.
    """
    try:
        reader, writer = os.openpty()
    except OSError:
        return None
    tty.setraw(writer)  # else each line end gets a carriage return
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    return os.fdopen(reader, "rb", buffering=0), writer


def read_chunk(descriptor: int, size: int) -> bytes:
    """Read from a pipe or a pseudo-terminal; return nothing at the end, where Linux reports EIO for a terminal."""
    try:
        return os.read(descriptor, size)
    except OSError:
        return b""


def as_lines(chunk: bytes) -> bytes:
    """Return what was written to a terminal, with each text that the cursor was moved to on a line of its own."""
    return re.sub(CURSOR_MOVE, b"\n", chunk)
