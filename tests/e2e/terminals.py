"""A terminal to type commands in, as wide as a test says."""

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

CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOURS = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")
ROWS = 40


@frozen(kw_only=True)
class Shown:
    """What a terminal was sent, and the exit code."""

    code: int
    raw: str

    @property
    def lines(self) -> list[str]:
        """The lines as people read them."""
        return [CODES.sub("", line).rstrip() for line in self.raw.splitlines()]


def show(words: Sequence[str], *, cwd: Path, environ: Mapping[str, str], columns: int = 80, typed: str = "") -> Shown:
    """Run a command on a terminal.

    Args:
        words: the command.
        cwd: where.
        environ: every variable that it sees.
        columns: how wide the terminal is.
        typed: what the person in front of it types.
    """
    with _terminal(columns) as (ours, theirs):
        command = subprocess.Popen(words, cwd=cwd, env=environ, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        os.write(ours, typed.encode())
        raw = b"".join(_everything(ours)).decode()
        return Shown(code=command.wait(), raw=raw)


@contextmanager
def _terminal(columns: int) -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def _everything(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            return  # how Linux says that the last process has closed it
        if not part:
            return
        yield part
