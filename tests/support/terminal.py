"""Runs commands on a pseudo-terminal of a given width."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

ANSI_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ANSI_COLOURS = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")
ROWS = 40


@frozen(kw_only=True)
class TerminalOutput:
    """What a command printed on a terminal, and its exit code."""

    code: int
    raw: str

    @property
    def lines(self) -> list[str]:
        """The lines without escape codes."""
        return [ANSI_CODES.sub("", line).rstrip() for line in self.raw.splitlines()]


def run_in_terminal(
    words: Sequence[str], *, cwd: Path, environ: Mapping[str, str], columns: int = 80, keyboard_input: str = ""
) -> TerminalOutput:
    """Run a command on a terminal.

    Args:
        words: the command.
        cwd: its working directory.
        environ: its whole environment.
        columns: width of the terminal.
        keyboard_input: what is typed.
    """
    with _open_pty(columns) as (controller, terminal):
        command = subprocess.Popen(words, cwd=cwd, env=environ, stdin=terminal, stdout=terminal, stderr=terminal)
        os.close(terminal)
        os.write(controller, keyboard_input.encode())
        raw = b"".join(_read_all(controller)).decode()
        return TerminalOutput(code=command.wait(), raw=raw)


@contextmanager
def _open_pty(columns: int) -> Iterator[tuple[int, int]]:
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    try:
        yield controller, terminal
    finally:
        os.close(controller)


def _read_all(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            return  # EIO: the last process has closed the terminal
        if not chunk:
            return
        yield chunk
