"""Files of lines that are appended completely or not at all, whether the disk is full or the process is killed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK_BYTES = 1 << 16


def append_line(path: Path, line: str) -> int:
    """Append a line to a file that only its owner can read; return the size of the file before it.

    Args:
        path: the file, which is created if it does not exist.
        line: the line, without its newline.

    Raises:
        OSError: the line could not be written, and no part of it is in the file.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = _remove_partial_line(descriptor)
        try:
            _write_all(descriptor, f"{line}\n".encode())
        except OSError as error:
            os.ftruncate(descriptor, size)
            raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(descriptor)
    return size


def read_lines(path: Path) -> list[bytes]:
    """Return the complete lines of a file, without a last one that a killed process has left incomplete."""
    if not path.exists():
        return []
    return path.read_bytes().split(b"\n")[:-1]


def _remove_partial_line(descriptor: int) -> int:
    """Remove a last line that a killed process has left incomplete; return the size of the file."""
    size = end = os.fstat(descriptor).st_size
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return size
    while end:
        start = max(0, end - _BLOCK_BYTES)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    os.ftruncate(descriptor, end)
    return end


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
