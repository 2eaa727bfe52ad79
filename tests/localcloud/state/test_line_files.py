"""Files of lines."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.localcloud.state.line_files import append_line, read_lines

if TYPE_CHECKING:
    from pathlib import Path


def test_appended_lines_are_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    sizes = [append_line(path, text) for text in ("one", "zwei ü", "")]
    assert sizes == [0, 4, 12]
    assert read_lines(path) == [b"one", "zwei ü".encode(), b""]
    assert path.stat().st_mode & 0o777 == 0o600


def test_missing_file_has_no_lines(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "missing") == []


@pytest.mark.parametrize("content", [b"one\ntwo\nthr", b"one\ntwo\n"])
def test_incomplete_last_line_is_removed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lines"
    path.write_bytes(content)
    assert read_lines(path) == [b"one", b"two"]
    append_line(path, "three")
    assert read_lines(path) == [b"one", b"two", b"three"]


def test_full_disk_leaves_no_part_of_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lines"
    append_line(path, "one")
    real_write = os.write
    writes = iter((3, None))

    def write(descriptor: int, content: bytes) -> int:
        length = next(writes)
        if length is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_write(descriptor, content[:length])

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space left") as caught:
        append_line(path, "second")
    monkeypatch.undo()
    assert caught.value.filename == str(path)
    append_line(path, "three")
    assert read_lines(path) == [b"one", b"three"]
