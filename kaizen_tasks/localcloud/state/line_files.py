"""Files of lines that are appended completely or not at all, whether the disk is full or the process is killed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def append_line(path: Path, line: str) -> int:
    """Append a line to a file that only its owner can read; return the size of the file before it.

    Args:
        path: the file, which is created if it does not exist.
        line: the line, without its newline.

    Raises:
        OSError: the line could not be written, and no part of it is in the file.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        try:
            _write_all(descriptor, f"{line}\n".encode())
        except OSError as error:
            os.ftruncate(descriptor, size)
            raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(descriptor)
    return size


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def read_lines(path: Path) -> list[bytes]:
    """Return the complete lines of a file, and remove a last one that a killed process has left incomplete."""
    if not path.exists():
        return []
    content = path.read_bytes()
    complete_lines, newline, partial_line = content.rpartition(b"\n")
    if partial_line:
        os.truncate(path, len(content) - len(partial_line))
    return complete_lines.split(b"\n") if newline else []
